"""The catalogue by hand."""

from __future__ import annotations

import numpy as np
import pytest

from trainer import catalogue
from trainer.catalogue import Catalogue, build_catalogue
from trainer.tables import Items


def make_items(**columns: list[str]) -> Items:
    number = len(next(iter(columns.values())))
    return Items([f"i{row}" for row in range(number)], columns)


@pytest.fixture
def toys() -> Catalogue:
    """Items i0-i3 with 2, 0, 3 and 1 train events."""
    items = make_items(
        title=["Kite", "", "Ball", "Drum"],
        description=["flies", "a thing", "", "loud"],
        categories=["Toys > Air", "Toys", "Toys > Sport | Garden", "Music"],
        brand=["Zig", "", "Acme", "Zig"],
    )
    train = np.array([2, 0, 3, 2, 0, 2], np.int32)
    return build_catalogue(items, train, ["title", "brand", "description"])


def test_items_stand_by_train_events_then_by_id(toys: Catalogue) -> None:
    assert toys.item_ids == ["i2", "i0", "i3", "i1"]
    assert toys.counts.tolist() == [3, 2, 1, 0]
    assert len(toys) == 4


def test_ids_are_ordered_as_text_where_counts_are_equal() -> None:
    items = Items(["10", "9", "", "a", "B"], {"title": ["x"] * 5})
    found = build_catalogue(items, np.zeros(0, np.int32), ["title"])
    assert found.item_ids == ["a", "B", "9", "10", ""]


def test_rows_of_the_table_map_to_codes(toys: Catalogue) -> None:
    assert toys.code_of.tolist() == [1, 3, 0, 2]
    assert toys.code_of.dtype == np.int32


def test_texts_join_the_named_columns_in_the_order_asked(
    toys: Catalogue
) -> None:
    assert toys.texts == [
        "Ball. Acme", "Kite. Zig. flies", "Drum. Zig. loud", "a thing"
    ]


def test_an_item_without_a_title_is_shown_by_its_text(toys: Catalogue) -> None:
    assert toys.titles == ["Ball", "Kite", "Drum", "a thing"]


def test_a_long_text_is_cut_where_it_is_the_title() -> None:
    items = make_items(description=["word " * 40])
    found = build_catalogue(items, np.zeros(0, np.int32), ["description"])
    assert found.titles == [("word " * 16)]


def test_category_levels_are_named_by_frequency(toys: Catalogue) -> None:
    assert toys.categories == ["Toys", "Sport", "Music", "Garden", "Air"]


def test_category_codes_are_padded_with_none(toys: Catalogue) -> None:
    # Of i2, i0, i3 and i1.
    assert toys.category_codes[:, :3].tolist() == [
        [0, 1, 3], [0, 4, -1], [2, -1, -1], [0, -1, -1]
    ]
    assert (toys.category_codes[:, 3:] == -1).all()
    assert toys.category_codes.shape == (4, 8)


def test_more_than_eight_levels_keep_the_first_eight() -> None:
    levels = [f"L{i}" for i in range(10)]
    items = make_items(categories=[" > ".join(levels)])
    found = build_catalogue(items, np.zeros(0, np.int32), ["categories"])
    names = [found.categories[code] for code in found.category_codes[0]]
    assert names == levels[:8]


def test_brands_are_coded_and_a_missing_one_is_none(toys: Catalogue) -> None:
    assert toys.brands == ["Zig", "Acme"]
    assert toys.brand_codes.tolist() == [1, 0, 0, -1]


def test_missing_columns_leave_nothing_known() -> None:
    found = build_catalogue(
        make_items(title=["a", "b"]), np.zeros(0, np.int32), ["title", "brand"]
    )
    assert found.texts == ["b", "a"]
    assert found.categories == found.brands == []
    assert (found.category_codes == -1).all()
    assert found.brand_codes.tolist() == [-1, -1]


def test_a_catalogue_of_one_item_is_built() -> None:
    found = build_catalogue(
        make_items(title=["a"]), np.zeros(3, np.int32), ["title"]
    )
    assert found.counts.tolist() == [3]
    assert found.code_of.tolist() == [0]


def test_an_unknown_text_column_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'tittle'.*title, description"):
        build_catalogue(make_items(title=["a"]), np.zeros(0, int), ["tittle"])


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([], ""),
        (["", " \t"], ""),
        ([" a ", "", "b\r\n"], "a. b"),
        (["a. ", "b"], "a.. b"),
        (["\u3000a"], "\u3000a"),
    ],
)
def test_text_joins_what_is_not_blank(values: list[str], text: str) -> None:
    assert catalogue.join_text(values) == text


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        (" > | >", []),
        ("a > b | a > c", ["a", "b", "c"]),
        ("美妆 > 唇膏\u3000|美妆", ["美妆", "唇膏"]),
    ],
)
def test_level_names_are_distinct_and_in_order(
    text: str, names: list[str]
) -> None:
    assert catalogue.level_names(text) == names


def test_a_vocabulary_is_by_count_then_by_name_reversed() -> None:
    names = ["b", "", "c", "a", "c", "", ""]
    assert catalogue.vocabulary(names) == ["c", "b", "a"]


def test_a_vocabulary_does_not_depend_on_the_order_of_rows() -> None:
    names = ["b", "a", "c", "a", "d", "d"]
    assert catalogue.vocabulary(names) == catalogue.vocabulary(names[::-1])


def test_a_fingerprint_tells_names_and_order_apart() -> None:
    distinct = [["a", "b"], ["b", "a"], ["ab"], ["a", "b", ""], []]
    assert len({catalogue.fingerprint(names) for names in distinct}) == 5
    assert catalogue.fingerprint(["a", "b"]) == catalogue.fingerprint(
        ["a", "b"]
    )


def test_times_follow_their_items_and_are_unknown_without_a_column(
    toys: Catalogue,
) -> None:
    assert toys.available_from.tolist() == [0, 0, 0, 0]
    items = Items(["a", "b", "c"], {"title": ["x"] * 3}, [10, 20, 30])
    train = np.array([2, 2, 1], np.int32)
    found = build_catalogue(items, train, ["title"])
    assert found.item_ids == ["c", "b", "a"]
    assert found.available_from.tolist() == [30, 20, 10]
    assert found.available_from.dtype == np.int64
