"""Items at the door: what is taken, what is refused and why."""

from __future__ import annotations

import json

import pytest

from serving.live import items
from serving.live.items import ItemError
from serving.live.journal import ADD, REMOVE, Record

GOOD = {
    "item_id": "t1",
    "title": " Green tea ",
    "description": "",
    "keywords": None,
    "categories": "Drinks > Tea | Gifts",
    "brand": "Hill",
    "price": "3.50",
    "available_from": "1700000000",
}


def test_an_item_keeps_its_text_and_its_time():
    assert items.added([GOOD], "here") == [
        Record(
            ADD,
            "t1",
            {
                "title": "Green tea",
                "categories": "Drinks > Tea | Gifts",
                "brand": "Hill",
            },
            1_700_000_000,
        )
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"item_id": " "}, "here, row 1: item_id is missing or empty"),
        ({"item_id": None}, "item_id is missing or empty"),
        ({"item_id": 7}, "item_id must be text, got 7"),
        ({"title": ""}, "no text; an item needs at least one of title, desc"),
        ({"title": ["a"]}, "title must be text"),
        ({"title": "\ud800"}, "title is no text"),
        ({"colour": "red"}, "unknown column 'colour'; an item has item_id, t"),
        ({None: ["one cell too many"]}, "unknown column None"),
        ({"available_from": "soon"}, "unix seconds, 0 or more, got 'soon'"),
        ({"available_from": -1}, "unix seconds"),
        ({"available_from": 2**63}, "unix seconds"),
    ],
)
def test_a_bad_item_is_refused_with_its_place(change, message):
    with pytest.raises(ItemError, match=message):
        items.added([{**GOOD, **change}], "here")


def test_an_item_twice_is_refused():
    with pytest.raises(ItemError, match="row 2: item 't1' stands in row 1"):
        items.added([GOOD, GOOD], "here")


def test_no_item_is_refused():
    with pytest.raises(ItemError, match="here has no items"):
        items.added([], "here")


def test_an_id_that_goes_is_checked():
    assert items.removed(["a"]) == [Record(REMOVE, "a")]
    with pytest.raises(ItemError, match="missing or empty"):
        items.removed([""])


class TestFiles:
    def test_csv_and_json_lines_say_the_same(self, tmp_path):
        table = tmp_path / "new.csv"
        table.write_text(
            "\ufeffitem_id,title,categories\nt1,Tee ☕,\n"
            't2,"Two\nlines",a > b\n',
            encoding="utf-8",
        )
        lines = tmp_path / "new.jsonl"
        rows = [
            {"item_id": "t1", "title": "Tee ☕"},
            {"item_id": "t2", "title": "Two\nlines", "categories": "a > b"},
        ]
        lines.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
        assert items.read(table) == items.read(lines)
        assert [each.item_id for each in items.read(table)] == ["t1", "t2"]

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("a.txt", b"", "must end in .csv or .jsonl"),
            ("a.csv", b"item_id,title\nt1,\xff\n", "cannot be read"),
            ("a.csv", b"", "has no items"),
            ("a.csv", b"item_id;title\nt1;x\n", "unknown column 'item_id;t"),
            ("a.jsonl", b"{", "cannot be read"),
            ("a.jsonl", b"[1]", "row 1: expected an object of columns"),
        ],
    )
    def test_other_files_are_refused(self, tmp_path, name, content, message):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(ItemError, match=message):
            items.read(path)

    def test_a_file_that_is_not_there_is_told(self, tmp_path):
        with pytest.raises(ItemError, match=r"none.csv: No such file"):
            items.read(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("categories", "first"),
    [("a > b | c", "a"), (" > b|c", "b"), ("| c>d", "c"), ("", ""), (">", "")],
)
def test_the_first_category(categories, first):
    record = Record(ADD, "x", {"title": "t", "categories": categories})
    assert items.first_category(record) == first


def test_the_title_or_the_start_of_the_text():
    assert items.title(Record(ADD, "x", {"title": "t"})) == "t"
    untitled = Record(ADD, "x", {"description": "d" * 90, "brand": "b"})
    assert items.title(untitled) == "d" * 80
