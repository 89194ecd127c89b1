"""Texts of events, which a client may send or not, whatever the model."""

from __future__ import annotations

import numpy as np
import pytest

from serving import signatures
from serving.checks import with_optional

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
