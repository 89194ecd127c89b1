"""Paths of the REST API."""

from __future__ import annotations

import pytest

from serving import rest_paths
from serving.checks import RequestError
from serving.models import ModelSpec


@pytest.mark.parametrize(
    "method, path, wanted, spec",
    [
        ("GET", "/v1/models/shop", "status", ModelSpec("shop")),
        ("GET", "/v1/models/shop/versions/12", "status", ModelSpec("shop", 12)),
        (
            "GET",
            "/v1/models/shop/labels/a/metadata",
            "metadata",
            ModelSpec("shop", label="a"),
        ),
        ("POST", "/v1/models/shop:predict", "predict", ModelSpec("shop")),
        (
            "POST",
            "/V1/Models/Shop/versions/0:Predict",
            "predict",
            ModelSpec("Shop", 0),
        ),
        (
            "POST",
            "/v1/models/shop/labels/canary:predict",
            "predict",
            ModelSpec("shop", label="canary"),
        ),
        ("POST", "/v1/models/a%2Fb%20%C3%BC:predict", "predict",
         ModelSpec("a/b ü")),
        ("POST", "/v1/models/%ff:predict", "predict", ModelSpec("\ufffd")),
        ("POST", "/v1/models/..:predict", "predict", ModelSpec("..")),
    ],
)
def test_a_path_names_model_and_method(method, path, wanted, spec):
    assert rest_paths.parse(method, path) == rest_paths.Target(wanted, spec)


@pytest.mark.parametrize(
    "method, path",
    [
        ("GET", "/v1/models"),
        ("GET", "/v1/models/"),
        ("GET", "/v1/models/shop/"),
        ("GET", "/v1/models/shop:predict"),
        ("GET", "/v1/models/shop/versions/x"),
        ("GET", "/v1/models/shop/versions/٣"),
        ("GET", "/v1/models/shop/versions/1/labels/a"),
        ("GET", "/v1/models/../../etc/passwd"),
        ("POST", "/v1/models/shop"),
        ("POST", "/v1/models/shop:predict/"),
        ("POST", "/v1/models/shop:predict\n"),
        ("PUT", "/v1/models/shop:predict"),
    ],
)
def test_another_path_is_malformed(method, path):
    with pytest.raises(RequestError) as caught:
        rest_paths.parse(method, path)
    assert str(caught.value) == f"Malformed request: {method} {path}"


@pytest.mark.parametrize("version", ["9223372036854775808", "9" * 10_000])
def test_a_version_fits_64_bits(version):
    path = f"/v1/models/shop/versions/{version}"
    with pytest.raises(RequestError, match="Failed to convert version: 9"):
        rest_paths.parse("GET", path)
