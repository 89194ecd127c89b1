from __future__ import annotations

import subprocess
import sys

import pytest
from processes import beside

from serving import signatures

LIGHT = ("signatures", "versions", "manifest", "client", "server", "index")


@pytest.mark.parametrize("name", LIGHT)
def test_importing_does_not_load_tensorflow(name, tmp_path):
    code = (
        f"import sys, serving.{name}; "
        "sys.exit('tensorflow' in sys.modules or 'scann' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, **beside(tmp_path)).returncode == 0


def test_the_default_signature_is_recommend():
    assert signatures.resolve("serving_default").name == "recommend"


def test_a_name_that_is_not_ours_resolves_to_none():
    assert signatures.resolve("classify") is None


def test_blank_inputs_have_the_sizes_of_their_axes():
    inputs = signatures.blank(signatures.USER_INPUTS, {"b": 2, "L": 3})
    assert inputs["history_item_ids"].tolist() == [["", "", ""]] * 2
    assert inputs["history_timestamps"].tolist() == [[0, 0, 0]] * 2
    assert inputs["scenario"].shape == (2,)


def test_specs_leave_all_axes_free_but_those_given():
    specs = signatures.tensor_specs(
        signatures.SIGNATURES["advance"].inputs, {"s": 5}
    )
    assert specs["state"].shape.as_list() == [None, 5]
    assert specs["item_id"].shape.as_list() == [None]
    assert specs["timestamp"].dtype.name == "int64"


@pytest.mark.parametrize(
    "name", ["recommend", "rank", "embed_user", "explain", "advance"]
)
def test_texts_of_events_are_inputs_of_models_that_read_them(name):
    fields = signatures.SIGNATURES[name].inputs
    with_texts, without = (
        [field.name for field in signatures.known(fields, reads)]
        for reads in (True, False)
    )
    text = "text" if name == "advance" else "history_texts"
    assert with_texts.count(text) == 1
    assert without == [each for each in with_texts if each != text]
    shown = [signatures.as_json(reads)[name] for reads in (True, False)]
    assert set(shown[0]["inputs"]) == set(with_texts)
    assert set(shown[1]["inputs"]) == set(without)


def test_the_manifest_shows_types_and_axes():
    shown = signatures.as_json()["rank"]
    assert shown["inputs"]["candidate_item_ids"] == "string[b,C]"
    assert shown["outputs"] == {"scores": "float32[b,C]"}


@pytest.mark.parametrize("signature", signatures.SIGNATURES.values(), ids=str)
def test_every_tensor_has_the_batch_first(signature):
    fields = (*signature.inputs, *signature.outputs)
    assert all(field.axes[0] == "b" for field in fields)
