"""Requests from tf.train.Examples, which TensorFlow itself writes here."""

from __future__ import annotations

import pytest
import tensorflow as tf

from serving import examples, signatures
from serving.client import Client, User


def example(**features):
    kinds = {
        bytes: lambda v: tf.train.Feature(bytes_list={"value": v}),
        int: lambda v: tf.train.Feature(int64_list={"value": v}),
        float: lambda v: tf.train.Feature(float_list={"value": v}),
    }
    return tf.train.Example(
        features={
            "feature": {
                name: kinds[type(values[0])](values)
                for name, values in features.items()
            }
        }
    ).SerializeToString()


def test_histories_of_different_lengths_are_a_batch():
    first = example(
        history_item_ids=[b"i1", b"i2"], history_timestamps=[5, 6], k=[3]
    )
    second = example(history_item_ids=[b"i4"], scenario=[b"night"], k=[2],
                     unknown=[b"x"])
    found = examples.inputs("recommend", [first, second])
    fields = signatures.SIGNATURES["recommend"].inputs
    wanted = {f.name for f in signatures.known(fields, False)}
    assert set(found) == wanted
    assert found["history_item_ids"].tolist() == [[b"i1", b"i2"], [b"i4", ""]]
    assert found["history_timestamps"].tolist() == [[5, 6], [0, 0]]
    assert found["history_event_types"].tolist() == [["", ""], ["", ""]]
    assert found["scenario"].tolist() == ["", b"night"]
    assert found["k"].tolist() == [3, 2] and found["k"].dtype == "int32"
    assert found["exclude_item_ids"].shape == (2, 0)


def test_texts_are_there_if_one_example_has_them():
    rows = [
        example(history_item_ids=[b"a"], history_texts=[b"red"], k=[1]),
        example(history_item_ids=[b"b", b"c"], k=[1]),
    ]
    found = examples.inputs("recommend", rows)["history_texts"]
    assert found.tolist() == [[b"red", ""], ["", ""]]


def test_the_server_answers_them(running):
    row = example(history_item_ids=[b"i1", b"i2"], k=[3])
    with Client(running.target) as client:
        outputs = client.predict("recommend", examples.inputs("recommend",
                                                              [row]))
        wanted = client.recommend(User(history=["i1", "i2"]), k=3)
    found = [item.decode() for item in outputs["item_ids"][0]]
    assert found == [answer.item_id for answer in wanted]


@pytest.mark.parametrize(
    "signature, rows, message",
    [
        ("rnak", [b""], "no signature 'rnak'.*rank"),
        ("recommend", [], "at least one"),
        ("recommend", [b"\xff\xff"], "Example 0 is no tf.train.Example"),
        ("recommend", [example(k=[1]), example(x=[1])],
         "Example 1: k has 0 values of int32, wanted 1"),
        ("recommend", [example(k=[1, 2])], "k has 2 values"),
        ("similar_items", [example(item_ids=[5], k=[1])], None),
        (
            "recommend",
            [example(history_item_ids=[b"a", b"b"], k=[1],
                     history_timestamps=[7])],
            "history_timestamps has 1 values of int64, wanted 2",
        ),
    ],
)
def test_what_does_not_fit_is_named(signature, rows, message):
    if message is None:  # a feature of another type is a missing one
        assert examples.inputs(signature, rows)["item_ids"].tolist() == [""]
        return
    with pytest.raises(ValueError, match=message):
        examples.inputs(signature, rows)
