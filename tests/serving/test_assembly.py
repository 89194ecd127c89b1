"""Servers from flags and files, as they are started."""

from __future__ import annotations

import json
import shutil
import time
import urllib.request

import grpc
import pytest
from google.protobuf import text_format
from processes import free_port
from running import HOST, similar
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
)

from serving import flags
from serving.assembly import ConfigWatch, ModelServer
from serving.client import Client, ClientError
from serving.errors import ConfigError
from serving.model_config import ModelConfig
from serving.models import Models, ModelSpec


def asked(*given):
    return flags.parser("x").parse_args(
        ["--host", HOST, "--port", "0", "--drain_seconds", "1", *given]
    )


def entry(name, base, more=""):
    return (
        f'config {{ name: "{name}" base_path: "{base}" '
        f'model_platform: "tensorflow" {more} }}'
    )


def config_text(*entries):
    return f"model_config_list {{ {' '.join(entries)} }}"


@pytest.fixture(scope="module")
def shop(exact_dir, tmp_path_factory):
    """Versions 1 and 2 of a model."""
    base = tmp_path_factory.mktemp("assembly") / "shop"
    base.mkdir()
    for version in ("1", "2"):
        shutil.copytree(exact_dir, base / version)
    return base


@pytest.fixture(scope="module")
def server(shop, exact_dir, tmp_path_factory):
    """Two models from a config file, REST and metrics."""
    folder = tmp_path_factory.mktemp("config")
    both = (
        "model_version_policy { all { } } "
        'version_labels { key: "canary" value: 2 } '
        'version_labels { key: "stable" value: 1 }'
    )
    models = folder / "models.config"
    models.write_text(
        config_text(
            entry("shop", shop, both), entry("news", exact_dir.parent)
        )
    )
    monitoring = folder / "monitoring.config"
    monitoring.write_text('prometheus_config { enable: true path: "/m" }')
    port = free_port()
    with ModelServer(
        asked(
            f"--model_config_file={models}",
            f"--monitoring_config_file={monitoring}",
            f"--rest_api_port={port}",
            "--enable_batching=true",
        )
    ) as running:
        yield running


def get(server, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    url = f"http://{server.rest_address}{path}"
    with urllib.request.urlopen(url, data=data, timeout=20) as answer:
        return answer.read().decode()


def target(server):
    return str(server).split(" on ")[1]


def test_a_server_says_what_it_serves(server):
    assert str(server).startswith(
        f"news version 1, shop version 1 and 2 on {HOST}:"
    )


def test_models_and_labels_are_asked_by_name(server):
    for path in ("news", "shop/versions/1", "shop/labels/canary"):
        answer = get(server, f"/v1/models/{path}:predict", similar())
        assert set(json.loads(answer)["outputs"]) >= {"item_ids", "scores"}
    with Client(target(server), model="news") as client:
        assert len(client.similar("i3", k=2)) == 2


def test_metrics_are_where_the_config_has_them(server):
    page = get(server, "/m")
    in_service = "interest_towers_version_in_service"
    assert f'{in_service}{{model_name="shop",version="2"}} 1' in page
    assert f'{in_service}{{model_name="news",version="1"}} 1' in page


def test_a_reload_request_changes_the_models(server, shop):
    with grpc.insecure_channel(target(server)) as channel:
        stub = model_service_pb2_grpc.ModelServiceStub(channel)

        def reload(text):
            request = model_management_pb2.ReloadConfigRequest()
            text_format.Parse(text, request.config)
            return stub.HandleReloadConfigRequest(request, timeout=60)

        def status(name):
            request = get_model_status_pb2.GetModelStatusRequest()
            request.model_spec.name = name
            return stub.GetModelStatus(request, timeout=20)

        with pytest.raises(grpc.RpcError) as caught:
            reload(config_text(entry("shop", "/no/such/folder")))
        assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert "no version to serve" in caught.value.details()
        assert len(status("news").model_version_status) == 1
        answer = reload(config_text(entry("shop", shop), entry("new", shop)))
        assert answer.status.error_code == 0
        assert status("new").model_version_status[-1].version == 2
        with pytest.raises(grpc.RpcError, match="any versions of model news"):
            status("news")


def test_a_changed_config_file_is_followed(shop, exact_dir, tmp_path, caplog):
    path = tmp_path / "models.config"
    path.write_text(config_text(entry("shop", shop)))
    models = Models([ModelConfig("shop", shop)])
    watch = ConfigWatch(path, models)
    path.write_text(config_text(entry("news", exact_dir.parent)))
    watch.look()
    assert models.names == ["news"]
    path.write_text("nonsense")
    watch.look()
    watch.look()
    assert models.names == ["news"]
    complaints = [r for r in caplog.records if "stay as they are" in r.message]
    assert len(complaints) == 1
    path.unlink()
    watch.look()
    assert models.find(ModelSpec("news")).version == 1


def test_a_config_file_is_looked_at_again_and_again(shop, tmp_path):
    path = tmp_path / "models.config"
    path.write_text(config_text(entry("old", shop)))
    with ModelServer(
        asked(
            f"--model_config_file={path}",
            "--model_config_file_poll_wait_seconds=0.05",
        )
    ) as server:
        path.write_text(config_text(entry("new", shop)))
        end = time.monotonic() + 60
        while "new" not in str(server) and time.monotonic() < end:
            time.sleep(0.05)
        with Client(target(server), model="new") as client:
            assert client.similar("i3", k=1)
        with Client(target(server), model="old") as client:
            with pytest.raises(ClientError, match="NOT_FOUND"):
                client.similar("i3")


@pytest.mark.parametrize(
    "given, message",
    [
        ([], "either --model_base_path"),
        (["--model_base_path=a", "--model_config_file=b"], "either"),
        (
            ["--model_base_path=a", "--port=9", "--rest_api_port=9"],
            "are both 9",
        ),
        (["--model_base_path=a", "--compact_when=-1"], "0 or more, got -1"),
        (["--model_base_path=a", "--rest_api_ssl"], "without --ssl_config"),
        (
            ["--model_base_path=a", "--batching_parameters_file=b"],
            "without --enable_batching",
        ),
        (
            ["--model_base_path=a", "--monitoring_config_file=b"],
            "without --rest_api_port",
        ),
    ],
)
def test_flags_that_have_no_effect_are_refused(given, message):
    with pytest.raises(ConfigError, match=message):
        ModelServer(asked(*given))
