"""What a server tells of its models, without a server."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from tensorflow.core.protobuf import meta_graph_pb2

from serving import descriptions
from serving.checks import RequestError
from serving.model_host import VersionStatus
from serving.models import ModelSpec

SIGNATURE = meta_graph_pb2.SignatureDef(method_name="predict")
SIGNATURE.inputs["k"].dtype = 3
MODEL = SimpleNamespace(version=4, signature_defs={"rank": SIGNATURE})
MODELS = SimpleNamespace(
    find=lambda spec: MODEL,
    statuses=lambda spec: [
        VersionStatus(3, "END", "corrupt"), VersionStatus(4, "AVAILABLE")
    ],
)
SPEC = ModelSpec("shop")


def test_metadata_names_what_has_answered():
    found = descriptions.metadata_json(MODELS, SPEC)
    assert found["model_spec"]["version"] == "4"
    signatures = found["metadata"]["signature_def"]["signature_def"]
    assert signatures["rank"]["inputs"]["k"]["dtype"] == "DT_INT32"


@pytest.mark.parametrize(
    "fields, message",
    [
        ([], "must specify at least one metadata_field"),
        (["weights"], "Metadata field weights is not supported"),
        (["signature_def", "x"], "Metadata field x is not supported"),
    ],
)
def test_other_metadata_is_refused(fields, message):
    with pytest.raises(RequestError, match=message):
        descriptions.metadata(MODELS, SPEC, fields)


def test_a_refused_version_has_its_reason():
    refused, good = descriptions.statuses_json(MODELS, SPEC)[
        "model_version_status"
    ]
    assert refused == {
        "version": "3",
        "state": "END",
        "status": {
            "error_code": "FAILED_PRECONDITION",
            "error_message": "corrupt",
        },
    }
    assert good["status"] == {"error_code": "OK", "error_message": ""}
