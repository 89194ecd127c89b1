"""Several questions as one, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from serving import merging, signatures
from serving.service import Question

MODEL = object()


def recommend(history, k, exclude=(), outputs=(), rows=1):
    sizes = {"b": rows, "L": len(history), "X": len(exclude)}
    fields = signatures.SIGNATURES["recommend"].inputs
    inputs = signatures.blank(signatures.known(fields, False), sizes)
    inputs["history_item_ids"][:] = history
    inputs["exclude_item_ids"][:] = list(exclude)
    inputs["k"][:] = k
    return Question("m", MODEL, "recommend", inputs, outputs)


def test_shorter_histories_are_filled_up():
    joined = merging.joined(
        [recommend(["a", "b", "c"], 2), recommend(["d"], 5, ["x"], rows=2)]
    )
    assert joined["history_item_ids"].tolist() == [
        ["a", "b", "c"], ["d", "", ""], ["d", "", ""]
    ]
    assert joined["exclude_item_ids"].tolist() == [[""], ["x"], ["x"]]
    assert joined["history_timestamps"].shape == (3, 3)
    assert joined["history_timestamps"].dtype == np.int64
    assert joined["k"].tolist() == [2, 5, 5]


def test_each_gets_its_rows_and_no_more_than_it_asked_for():
    questions = [
        recommend(["a", "b", "c"], 2),
        recommend(["d"], 3, outputs=("item_ids",), rows=2),
    ]
    outputs = {
        "item_ids": np.arange(9).reshape(3, 3),
        "scores": np.arange(9.0).reshape(3, 3),
    }
    first, second = merging.parted(outputs, questions)
    assert first["item_ids"].tolist() == [[0, 1]]
    assert first["scores"].tolist() == [[0.0, 1.0]]
    assert set(second) == {"item_ids"}
    assert second["item_ids"].tolist() == [[3, 4, 5], [6, 7, 8]]


def test_an_answer_per_event_is_cut_to_the_history():
    fields = signatures.SIGNATURES["explain"].inputs

    def explain(length):
        inputs = signatures.blank(fields, {"b": 1, "L": length})
        return Question("m", MODEL, "explain", inputs)

    outputs = {
        "contributions": np.array([[1.0, 0.0], [2.0, 3.0]]),
        "score": np.array([1.0, 5.0]),
    }
    first, second = merging.parted(outputs, [explain(1), explain(2)])
    assert first["contributions"].tolist() == [[1.0]]
    assert second["contributions"].tolist() == [[2.0, 3.0]]
    assert (first["score"], second["score"]) == (1.0, 5.0)


def test_the_default_signature_is_recommend_to_the_axes():
    question = recommend(["a"], 1)
    default = Question("m", MODEL, "", question.inputs)
    assert merging.rows(default) == 1
    longer = Question("m", MODEL, "", recommend(["a", "b"], 1).inputs)
    assert merging.key(default, True) == merging.key(longer, True)


@pytest.mark.parametrize("pads", [True, False])
def test_questions_are_joined_if_their_shapes_let_them(pads):
    def key(*arguments, **options):
        return merging.key(recommend(*arguments, **options), pads)

    assert key(["a"], 1) == key(["b"], 9, rows=3)
    assert (key(["a"], 1) == key(["a", "b"], 1)) is pads
    other = Question("m", object(), "recommend", recommend(["a"], 1).inputs)
    assert merging.key(other, pads) != key(["a"], 1)


def test_a_state_s_width_is_never_filled_up():
    fields = signatures.SIGNATURES["advance"].inputs

    def key(width):
        inputs = signatures.blank(fields, {"b": 1, "s": width})
        return merging.key(Question("m", MODEL, "advance", inputs), True)

    assert key(4) == key(4) != key(5)


def test_signatures_of_others_are_joined_by_equal_shapes():
    def question(size):
        inputs = {"x": np.zeros((1, size))}
        return Question("m", MODEL, "classify", inputs)

    def key(size):
        return merging.key(question(size), True)

    assert key(2) == key(2) != key(3)
    parts = merging.parted({"y": np.array([[1], [2]])},
                           [question(2), question(2)])
    assert [part["y"].tolist() for part in parts] == [[[1]], [[2]]]
