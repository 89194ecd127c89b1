"""Requests in the graph against the rules of training in Python."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trainer import behaviour, catalogue, requests

MANY = settings(max_examples=40, deadline=None)
# White space of ASCII and of Unicode, and what the rules look at.
LETTERS = "ab中é.>| \t\r\n\x0b\xa0\u3000\0"
TEXT = st.text(max_size=9) | st.text(LETTERS, max_size=12)
LEVELS = ["Toys", "a", "b b", "中文", "é", "L5", "L6", "L7", "L8", "L9"]


def names_table(names: list[str], first_code: int = 0, default: int = -1):
    return requests.lookup_table(names, first_code=first_code, default=default)


def test_a_table_counts_up_from_its_first_code() -> None:
    table = names_table(["x", "y"], first_code=3, default=0)
    assert table.lookup(tf.constant(["y", "?", "x"])).numpy().tolist() == [
        4, 0, 3
    ]


def test_an_empty_table_knows_nothing() -> None:
    found = names_table([]).lookup(tf.constant(["", "x"]))
    assert found.numpy().tolist() == [-1, -1]


@MANY
@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=20))
def test_joined_columns_equal_the_text_of_training(rows: list) -> None:
    columns = [tf.constant(list(column)) for column in zip(*rows, strict=True)]
    found = requests.join_columns(columns)
    expected = [catalogue.join_text(row) for row in rows]
    assert [text.decode() for text in found.numpy()] == expected


def test_no_rows_join_to_no_texts() -> None:
    empty = tf.zeros([0], tf.string)
    assert requests.join_columns([empty, empty]).shape == (0,)


def expected_codes(text: str, known: list[str]) -> list[int]:
    names = catalogue.level_names(text)
    return [known.index(name) for name in names if name in known][:8]


def found_codes(texts: list[str], known: list[str]) -> list[list[int]]:
    codes = requests.category_codes(tf.constant(texts), names_table(known))
    return [[c for c in row if c >= 0] for row in codes.numpy().tolist()]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Toys",
        "Toys > a | Toys > b b",
        "unknown > Toys",
        " > ".join(LEVELS),
        " | ".join([*LEVELS[:3], *LEVELS]),
        "|".join(["?", *LEVELS]),
        "Toys\u3000>\xa0a",
        "b b>b  b",
    ],
)
def test_category_codes_equal_those_of_training(text: str) -> None:
    assert found_codes([text], LEVELS) == [expected_codes(text, LEVELS)]


@MANY
@given(
    st.lists(
        st.lists(
            st.sampled_from([*LEVELS, "unknown", ">", "|", " ", "\u3000", ""])
            | TEXT,
            max_size=25,
        ),
        min_size=1,
        max_size=10,
    )
)
@example([[], ["Toys"]])
def test_category_codes_of_any_text_equal_those_of_training(rows: list) -> None:
    texts = ["|".join(row) for row in rows] + ["".join(row) for row in rows]
    expected = [expected_codes(text, LEVELS) for text in texts]
    assert found_codes(texts, LEVELS) == expected


@MANY
@given(st.lists(st.lists(st.sampled_from([*LEVELS, ">", "|", " "]) | TEXT)))
def test_level_names_are_those_of_training(rows: list) -> None:
    texts = ["".join(row) for row in rows] + ["a > b | a", ""]
    found = requests.level_names(tf.constant(texts)).numpy().tolist()
    kept = slice(catalogue.MAX_CATEGORIES)
    expected = [catalogue.level_names(text)[kept] for text in texts]
    assert [[n.decode() for n in row if n] for row in found] == expected


def test_category_codes_without_any_known_name_are_none() -> None:
    assert found_codes(["a > b", ""], []) == [[], []]


def test_no_items_have_no_category_codes() -> None:
    codes = requests.category_codes(
        tf.zeros([0], tf.string), names_table(LEVELS)
    )
    assert codes.shape[0] == 0


EDGES = sorted(
    {2**i + shift for i in range(41) for shift in (-2, -1, 0, 1)} | {-5, 0}
)


def test_gap_buckets_equal_those_of_training_at_every_edge() -> None:
    times = np.stack([np.zeros(len(EDGES), np.int64), EDGES], 1)
    in_training = [
        behaviour.gap_buckets(pair, np.array([True, False]))[1]
        for pair in times
    ]
    found = requests.gap_bucket(tf.constant(EDGES, tf.int64))
    assert found.dtype == tf.int32
    assert found.numpy().tolist() == in_training


def test_gap_buckets_keep_the_shape() -> None:
    found = requests.gap_bucket(tf.constant([[0, 1, 3], [7, 15, 31]], tf.int64))
    assert found.numpy().tolist() == [[1, 2, 3], [4, 5, 6]]


def test_a_gap_to_or_from_an_unknown_time_is_unknown() -> None:
    before = tf.constant([0, 9, 0, 9, 9], tf.int64)
    now = tf.constant([9, 0, 0, 10, 8], tf.int64)
    found = requests.gap_since(before, now).numpy().tolist()
    assert found == [0, 0, 0, 2, 1]


def coded(rows: list[list[str]], **columns: list[list]) -> requests.History:
    """Codes of histories; items are a-f, types x and y, scenarios s and t."""
    blank = [["" for _ in row] for row in rows]
    zero = [[0 for _ in row] for row in rows]
    shape = (len(rows), len(rows[0]))

    def text(values: list[list[str]]) -> tf.Tensor:
        return tf.constant(values, tf.string, shape)

    return requests.code_history(
        {
            "history_item_ids": text(rows),
            "history_event_types": text(columns.get("types", blank)),
            "history_scenarios": text(columns.get("scenarios", blank)),
            "history_timestamps": tf.constant(
                columns.get("times", zero), tf.int64, shape
            ),
        },
        items=names_table(list("abcdef")),
        event_types=names_table(["x", "click"], first_code=1, default=0),
        scenarios=names_table(["s", "t"], first_code=1, default=0),
    )


def test_histories_are_coded_and_unknown_items_masked() -> None:
    found = coded(
        [["c", "?", ""]],
        types=[["x", "?", ""]],
        scenarios=[["t", "", "?"]],
        times=[[5, 6, 7]],
    )
    values = {name: value.numpy().tolist() for name, value in found.items()}
    assert values == {
        "item": [[2, 0, 0]],
        "event_type": [[1, 0, 2]],
        "scenario": [[2, 0, 0]],
        "timestamp": [[5, 6, 7]],
        "column": [[0, 1, 2]],
        "mask": [[True, False, False]],
    }


def kept(rows: list[list[str]], count: int, **columns: list) -> dict[str, list]:
    found = requests.keep_latest(coded(rows, **columns), count)
    return {name: values.numpy().tolist() for name, values in found.items()}


@pytest.mark.parametrize(
    "row",
    [
        ["b", "d", "", "", ""],
        ["", "", "", "b", "d"],
        ["b", "", "", "d", ""],
        ["", "b", "?", "", "d"],
    ],
    ids=["right", "left", "middle", "everywhere"],
)
def test_padding_anywhere_leaves_the_events_on_the_left(row: list[str]) -> None:
    found = kept([row, ["a"] * 5], 4)
    assert found["item"] == [[1, 3, 0, 0], [0, 0, 0, 0]]
    assert found["mask"] == [[True, True, False, False], [True] * 4]
    places = [row.index("b"), row.index("d"), 0, 0]
    assert found["column"] == [places, [1, 2, 3, 4]]


def test_the_latest_events_are_kept() -> None:
    found = kept([["a", "b", "c", "d", "e"], ["", "f", "", "", "a"]], 3)
    assert found["item"] == [[2, 3, 4], [5, 0, 0]]
    assert found["mask"] == [[True] * 3, [True, True, False]]
    assert found["column"] == [[2, 3, 4], [1, 4, 0]]


def test_one_kept_event_is_the_last() -> None:
    found = kept([["a", "b", ""]], 1)
    assert found["item"] == [[1]]
    assert found["column"] == [[1]]


def test_the_gap_looks_back_to_the_event_before_kept_or_not() -> None:
    # Gaps of 2, 0 and 100 seconds; the first kept event is the second.
    found = kept([["a", "b", "c", "d"]], 3, times=[[10, 12, 12, 112]])
    assert found["gap"] == [[2, 1, 7]]


def test_the_gap_of_the_first_event_is_unknown() -> None:
    found = kept([["a", "b"]], 5, times=[[10, 11]])
    assert found["gap"] == [[0, 2]]


def test_gaps_pass_over_items_that_are_unknown() -> None:
    found = kept([["a", "?", "b"]], 5, times=[[10, 11, 13]])
    assert found["gap"] == [[0, 3]]


def test_every_column_moves_with_its_event() -> None:
    found = kept(
        [["", "a", "b"]],
        2,
        types=[["x", "", "x"]],
        scenarios=[["s", "t", "s"]],
        times=[[1, 2, 3]],
    )
    assert found["event_type"] == [[2, 1]]
    assert found["scenario"] == [[2, 1]]
    assert found["timestamp"] == [[2, 3]]


@pytest.mark.parametrize("rows", [[[], []], [[""], ["?"]]])
def test_without_events_one_masked_column_is_left(rows: list) -> None:
    found = kept(rows, 3)
    assert found["mask"] == [[False], [False]]
    assert found["item"] == found["gap"] == [[0], [0]]


def test_no_rows_keep_their_rank() -> None:
    found = requests.keep_latest(
        {
            name: value[:0]
            for name, value in coded([["a", "b"]]).items()
        },
        3,
    )
    assert found["item"].shape == (0, 1)


@MANY
@given(
    st.integers(0, 6).flatmap(
        lambda width: st.lists(
            st.lists(
                st.sampled_from(["a", "b", "", "?"]),
                min_size=width,
                max_size=width,
            ),
            min_size=1,
            max_size=4,
        )
    ),
    st.integers(1, 8),
)
def test_kept_events_equal_a_slice_of_the_known_ones(
    rows: list, count: int
) -> None:
    times = [[1 + 5 * at * at for at in range(len(row))] for row in rows]
    found = requests.keep_latest(coded(rows, times=times), count)
    mask = found["mask"].numpy()
    for number, row in enumerate(rows):
        known = [at for at, name in enumerate(row) if name in ("a", "b")]
        gaps = [0] + [
            (times[number][now] - times[number][before] + 1).bit_length()
            for before, now in zip(known, known[1:], strict=False)
        ]
        events = mask[number].sum()
        assert mask[number, :events].all()
        assert found["column"][number, :events].numpy().tolist() == (
            known[-count:]
        )
        assert found["gap"][number, :events].numpy().tolist() == (
            gaps[-count:] if known else []
        )
    longest = max(row.count("a") + row.count("b") for row in rows)
    assert mask.shape[1] == max(1, min(count, longest))


@MANY
@given(st.lists(st.integers(0, 2**40 - 1), min_size=1, max_size=20))
@example([0, 1, 2**16 - 1, 2**16, 2**31, 2**32 + 1, 2**40 - 1])
def test_times_survive_in_two_floats(times: list[int]) -> None:
    parts = requests.split_time(tf.constant(times, tf.int64))
    assert parts.dtype == tf.float32
    assert parts.shape == (len(times), 2)
    assert requests.join_time(parts).numpy().tolist() == times
