"""Loading, answering and refusing, without any network."""

from __future__ import annotations

import shutil
import sys

import numpy as np
import pytest
import tensorflow as tf

from serving import signatures, warmup
from serving.checks import RequestError
from serving.manifest import BundleError
from serving.recommender import Recommender, UnknownSignatureError


def user_inputs(history):
    inputs = signatures.blank(
        signatures.USER_INPUTS, {"b": 1, "L": len(history)}
    )
    inputs["history_item_ids"][0, :] = history
    return inputs


@pytest.fixture
def request_():
    inputs = user_inputs(["i1", "i2"])
    inputs["exclude_item_ids"] = np.full((1, 0), "", object)
    inputs["k"] = np.array([3], np.int32)
    return inputs


@pytest.fixture
def copy(exact_dir, tmp_path):
    return shutil.copytree(exact_dir, tmp_path / "4")


def test_no_signature_name_means_recommend(exact, request_):
    by_default = exact.predict("", request_)
    by_name = exact.predict("recommend", request_)
    assert by_default["item_ids"].tolist() == by_name["item_ids"].tolist()


def test_the_default_signature_is_not_prepared_apart(
    exact, request_, monkeypatch
):
    asked, run = [], exact._saved.run

    def noted(name, inputs):
        asked.append(name)
        return run(name, inputs)

    monkeypatch.setattr(exact._saved, "run", noted)
    for name in ("", "serving_default", "recommend"):
        exact.predict(name, request_)
    exact.predict("embed_user", user_inputs(["i1"]))
    assert asked == ["recommend", "recommend", "recommend", "embed_user"]


def test_a_version_knows_its_number_and_manifest(exact):
    assert exact.version == 1
    assert exact.manifest.model_name == "recommender"


def test_only_wanted_outputs_come_back(exact, request_):
    assert set(exact.predict("", request_, ["scores"])) == {"scores"}


def test_an_unknown_output_is_named_with_those_that_there_are(exact, request_):
    message = "alias not found in signature: prices .*titles"
    with pytest.raises(RequestError, match=message):
        exact.predict("", request_, ["prices"])


def test_an_unknown_signature_is_named_with_those_that_there_are(exact):
    message = '"rnak" not found.*rank'
    with pytest.raises(UnknownSignatureError, match=message):
        exact.predict("rnak", {})


def test_a_missing_input_is_named(exact, request_):
    del request_["scenario"]
    message = "extra: {}. Missing but required: {scenario}"
    with pytest.raises(RequestError, match=message):
        exact.predict("", request_)


def test_an_unknown_input_is_named(exact, request_):
    request_["user"] = np.array(["u"])
    message = "extra: {user}. Missing but required: {}"
    with pytest.raises(RequestError, match=message):
        exact.predict("", request_)


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("k", np.array([3], np.int64), "int32 but int64 .* is k"),
        ("k", np.array(["3"], object), "int32 but string .* is k"),
        ("scenario", np.array([1]), "string but int64 .* is scenario"),
        ("k", np.array(3, np.int32), r"shape \(None,\), got \(\)"),
        ("k", np.array([3, 3], np.int32), "must agree in b"),
        ("k", np.array([-1], np.int32), "k must be 0 or more, got -1"),
        ("history_timestamps", np.zeros((1, 3), np.int64), "must agree in L"),
    ],
)
def test_an_input_that_does_not_fit_is_named(
    exact, request_, name, value, message
):
    request_[name] = value
    with pytest.raises(RequestError, match=message):
        exact.predict("", request_)


def test_an_empty_batch_is_refused(exact):
    fields = signatures.SIGNATURES["recommend"].inputs
    with pytest.raises(RequestError, match="batch is empty"):
        exact.predict("", signatures.blank(fields, {"b": 0, "L": 0, "X": 0}))


def test_unknown_scenarios_and_profiles_are_answered(exact, request_, oracle):
    request_["scenario"] = np.array(["never seen"], object)
    request_["profile_text"] = np.array(["💥" * 1000], object)
    found = [i.decode() for i in exact.predict("", request_)["item_ids"][0]]
    assert found == [item for item, _ in oracle.recommend(["i1", "i2"], 3)]


def test_rank_scores_candidates_and_not_unknown_ones(exact, oracle):
    inputs = user_inputs(["i1"])
    inputs["candidate_item_ids"] = np.array([["i4", "none"]], object)
    scores = exact.predict("rank", inputs)["scores"][0]
    wanted = oracle.scores(oracle.query(["i1"]))["i4"]
    assert scores == pytest.approx([wanted, -np.inf], abs=1e-5)


def test_one_event_more_advances_the_state_to_that_of_the_longer_history(exact):
    before = exact.predict("embed_user", user_inputs(["i1"]))
    after = exact.predict("embed_user", user_inputs(["i1", "i2"]))
    fields = signatures.SIGNATURES["advance"].inputs[1:]
    event = signatures.blank(fields, {"b": 1})
    event["item_id"][0] = "i2"
    moved = exact.predict("advance", {**event, "state": before["state"]})
    np.testing.assert_allclose(moved["query"], after["query"], atol=1e-6)


def test_similar_items_leave_the_item_and_unknown_ids_out(exact, oracle):
    inputs = {
        "item_ids": np.array(["i3", "none"], object),
        "k": np.array([2, 2], np.int32),
    }
    answer = exact.predict("similar_items", inputs)
    scores = oracle.vectors @ oracle.vectors[3]
    wanted = [f"i{row}".encode() for row in np.argsort(-scores)[1:3]]
    assert answer["item_ids"].tolist() == [wanted, [b"", b""]]


def test_titles_belong_to_their_items(exact, request_, oracle):
    answer = exact.predict("", request_)
    title_of = dict(zip(oracle.ids, oracle.titles, strict=True))
    for item, title in zip(
        answer["item_ids"][0], answer["titles"][0], strict=True
    ):
        assert title.decode() == title_of[item.decode()]


@pytest.mark.parametrize(
    "name", ["saved_model.pb", "variables/variables.data-00000-of-00001"]
)
def test_a_flipped_bit_is_noticed(copy, name):
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(BundleError, match=f"{name} is corrupt"):
        Recommender(copy)


def test_a_stock_saved_model_needs_no_manifest(copy, request_):
    shutil.rmtree(copy / "assets.extra")
    recommender = Recommender(copy)
    assert recommender.manifest is None
    assert recommender.predict("", request_)["item_ids"].shape == (1, 3)


def test_a_truncated_variable_of_a_stock_saved_model_is_noticed(copy):
    shutil.rmtree(copy / "assets.extra")
    data = copy / "variables" / "variables.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:50])
    with pytest.raises(BundleError, match="cannot be loaded"):
        Recommender(copy)


def test_a_saved_model_without_signatures_is_refused(tmp_path):
    tf.saved_model.save(tf.Module(), str(tmp_path / "1"))
    with pytest.raises(BundleError, match="no signatures"):
        Recommender(tmp_path / "1")


def test_a_version_that_fails_its_warm_up_is_refused(copy, monkeypatch):
    bad = warmup.Request("recommend", {})
    monkeypatch.setattr(warmup, "read", lambda _: [bad])
    with pytest.raises(BundleError, match="fails its own warm-up"):
        Recommender(copy)


def test_scann_is_asked_for_by_name_where_it_is_missing(scann_dir, monkeypatch):
    monkeypatch.setitem(sys.modules, "scann", None)
    with pytest.raises(BundleError, match=r"interest-towers\[scann\]"):
        Recommender(scann_dir)
