"""Inputs that a client may send or not, whatever the model."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf

from serving import signatures
from serving.checks import RequestError, check_request, with_optional

SIZES = {"b": 2, "L": 3, "X": 0, "C": 1, "s": 4}


def inputs_of(name: str, reads: bool) -> dict[str, np.ndarray]:
    fields = signatures.known(signatures.SIGNATURES[name].inputs, reads)
    return signatures.blank(fields, SIZES)


@pytest.mark.parametrize(
    "name, text, shape",
    [
        ("recommend", "history_texts", (2, 3)),
        ("serving_default", "history_texts", (2, 3)),
        ("advance", "text", (2,)),
    ],
)
def test_texts_that_are_read_and_not_sent_are_blank(
    name: str, text: str, shape: tuple[int, ...]
) -> None:
    known = "recommend" if name == "serving_default" else name
    sent, specs = inputs_of(known, False), inputs_of(known, True)
    found = with_optional(name, specs, sent)
    assert set(found) == set(specs)
    assert found[text].tolist() == np.full(shape, "", object).tolist()
    assert text not in sent


def test_texts_that_are_sent_and_not_read_are_left_out() -> None:
    sent, specs = inputs_of("rank", True), inputs_of("rank", False)
    assert set(with_optional("rank", specs, sent)) == set(specs)


def test_texts_that_are_sent_and_read_stay() -> None:
    sent = inputs_of("explain", True)
    sent["history_texts"][0, 1] = "shoes"
    found = with_optional("explain", sent, sent)
    assert found["history_texts"].tolist() == [["", "shoes", ""], [""] * 3]


def test_signatures_of_others_are_left_alone() -> None:
    sent = {"history_texts": np.array([["a"]], object)}
    assert with_optional("classify", {}, sent) == sent


def test_without_a_history_there_is_nothing_to_fill_in() -> None:
    specs = inputs_of("recommend", True)
    assert with_optional("recommend", specs, {}) == {}


def older(inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Those of a bundle from before there was a policy."""
    policy = {field.name for field in signatures.POLICY_INPUTS}
    return {k: v for k, v in inputs.items() if k not in policy}


def test_rules_that_are_not_sent_are_neutral() -> None:
    specs = inputs_of("recommend", False)
    found = with_optional("recommend", specs, older(specs))
    assert set(found) == set(specs)
    assert found["allow_item_ids"].shape == (2, 0)
    assert found["diversity"].tolist() == [0.0, 0.0]
    assert found["diversity"].dtype == np.float32
    assert found["seed"].dtype == np.int64


def test_an_older_bundle_is_not_told_rules_that_say_nothing() -> None:
    sent = inputs_of("recommend", False)
    assert set(with_optional("recommend", older(sent), sent)) == set(
        older(sent)
    )


@pytest.mark.parametrize(
    "name, value", [("allow_item_ids", [["a"], [""]]), ("exploration", [0, 1])]
)
def test_an_older_bundle_does_not_drop_a_rule_that_it_cannot_keep(
    name: str, value: list[object]
) -> None:
    sent = inputs_of("recommend", False)
    sent[name] = np.array(value, sent[name].dtype)
    assert name in with_optional("recommend", older(sent), sent)


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("diversity", 1.5, "diversity must be 0 to 1, got 1.5"),
        ("diversity", float("nan"), "diversity must be 0 to 1, got nan"),
        ("exploration", -0.1, "exploration must be 0 to 1, got -0.1"),
        ("rerank", -1.0, "rerank must be 0 or more, got -1"),
        ("max_per_category", -2, "max_per_category must be 0 or more, got -2"),
        ("now", -5, "now must be 0 or more, got -5"),
        ("diversity_method", b"mrr", "one of '', 'mmr', 'dpp', got 'mrr'"),
    ],
)
def test_a_rule_out_of_its_range_is_refused(
    name: str, value: object, message: str
) -> None:
    fields = signatures.SIGNATURES["recommend"].inputs
    specs = signatures.tensor_specs(signatures.known(fields, False))
    sent = inputs_of("recommend", False)
    check_request("recommend", specs, sent)
    sent[name][1] = value
    with pytest.raises(RequestError, match=message):
        check_request("recommend", specs, sent)


SHAPES = [(), (0,), (2,), (3,), (2, 2), (2, 3), (3, 2), (1, 2, 3)]
WANTED = [None, (), (2,), (None,), (2, None), (None, 2), (2, 2), (1, 2, None)]


@pytest.mark.parametrize(
    "wanted, shape", itertools.product(WANTED, SHAPES), ids=str
)
def test_shapes_are_refused_as_tensorflow_refuses_them_when_it_runs(
    wanted: tuple[int | None, ...] | None, shape: tuple[int, ...]
) -> None:
    spec = tf.TensorSpec(wanted, tf.float32)
    sent = {"x": np.zeros(shape, np.float32)}
    try:
        check_request("of_others", {"x": spec}, sent)
        refused = ""
    except RequestError as error:
        refused = str(error)
    message = f"x must have shape {spec.shape}, got {shape}."
    try:
        tf.raw_ops.EnsureShape(input=sent["x"], shape=spec.shape)
        fits = True
    except tf.errors.InvalidArgumentError:
        fits = False
    assert refused == ("" if fits else message)
