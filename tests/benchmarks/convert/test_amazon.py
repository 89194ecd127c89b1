from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from raw_dumps import load, rows, write

from benchmarks.convert.amazon import amazon2014, amazon2018, amazon2023
from benchmarks.convert.conversion import Options, convert
from benchmarks.convert.faults import ConversionError

DAY = 1406073600
TRIPLES = [("A1", "B1", 0), ("A1", "B2", 0), ("A2", "B1", 1), ("A2", "B2", 2)]


def reviews(triples: Sequence[tuple[str, str, int]]) -> list[str]:
    return [
        json.dumps({
            "reviewerID": user, "asin": item, "overall": 5.0,
            "unixReviewTime": DAY + 86400 * day, "reviewText": "Fine, \n ok.",
        })
        for user, item, day in triples
    ]


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return tmp_path / "raw"


def test_2014(raw: Path) -> None:
    write(raw, "reviews_Pet_Care_5.json.gz", reviews(TRIPLES))
    meta = [
        "{'asin': 'B1', 'title': 'Bowl', 'categories': [['Pets', 'Dogs']]}",
        "{'asin': 'B2', 'title': 'Leash', 'brand': 'Walk', 'price': 3.0}",
        "{'asin': 'B3', 'title': 'Never bought'}",
    ]
    write(raw, "meta_Pet_Care.json.gz", meta)
    source = amazon2014(raw)
    assert source.min_events == 0
    convert(source, raw / "out", Options())
    assert rows(raw / "out", "events") == [
        ["user_id", "item_id", "timestamp", "rating"],
        ["A1", "B1", "1406073600", "5"],
        ["A1", "B2", "1406073600", "5"],
        ["A2", "B1", "1406160000", "5"],
        ["A2", "B2", "1406246400", "5"],
    ]
    assert rows(raw / "out", "items") == [
        ["item_id", "title", "description", "categories", "brand", "price"],
        ["B1", "Bowl", "", "Pets > Dogs", "", ""],
        ["B2", "Leash", "", "", "Walk", "3.0"],
    ]
    assert load(raw / "out").anomalies == []


def test_2014_of_all_reviews_is_cut_to_a_core_of_five(raw: Path) -> None:
    dense = [(f"A{u}", f"B{i}", u) for u in range(5) for i in range(5)]
    sparse = [("A9", "B0", 1), ("A0", "B9", 1)]
    write(raw, "reviews_Pets.json", reviews([*sparse, *dense]))
    write(raw, "meta_Pets.json", [f"{{'asin': 'B{n}'}}" for n in range(10)])
    source = amazon2014(raw)
    assert source.min_events == 5
    convert(source, raw / "core", Options())
    assert len(rows(raw / "core", "events")) == 1 + 25
    assert len(rows(raw / "core", "items")) == 1 + 5
    convert(source, raw / "all", Options(min_events=0))
    assert len(rows(raw / "all", "events")) == 1 + 27


def test_2018(raw: Path) -> None:
    twice = [*TRIPLES, TRIPLES[2]]
    write(raw, "Pets_5.json.gz", reviews(twice))
    meta = [
        {"asin": "B1", "title": "Bowl &amp; Mat", "category": ["Pets"]},
        {"asin": "B1", "title": "Bowl, again"},
        {"asin": "B2", "title": "Leash", "description": ["Long", "Red"]},
    ]
    write(raw, "meta_Pets.json.gz", [*map(json.dumps, meta)])
    done = convert(amazon2018(raw), raw / "out", Options())
    assert done.log.left_out["events that are there before"] == 1
    assert [row[:2] for row in rows(raw / "out", "events")[1:]] == [
        ["A1", "B1"], ["A1", "B2"], ["A2", "B1"], ["A2", "B2"],
    ]
    assert rows(raw / "out", "items")[1:] == [
        ["B1", "Bowl & Mat", "", "Pets", "", ""],
        ["B2", "Leash", "Long Red", "", "", ""],
    ]
    assert load(raw / "out").anomalies == []


def test_2023(raw: Path) -> None:
    lines = [
        json.dumps({
            "user_id": "AE1", "parent_asin": item, "asin": "other",
            "rating": rating, "timestamp": time,
        })
        for item, rating, time in [
            ("B1", 5.0, 1588615855071), ("B2", 1.0, 1588615855070),
        ]
    ]
    write(raw, "All_Beauty.jsonl.gz", lines)
    meta = [
        {"parent_asin": "B1", "title": "Soap", "store": "Foamy", "price": 2.5},
        {"parent_asin": "B2", "title": "Dish", "features": ["Flat"]},
    ]
    write(raw, "meta_All_Beauty.jsonl.gz", [*map(json.dumps, meta)])
    convert(amazon2023(raw), raw / "out", Options())
    assert rows(raw / "out", "events") == [
        ["user_id", "item_id", "timestamp", "rating", "position"],
        ["AE1", "B1", "1588615855", "5", "71"],
        ["AE1", "B2", "1588615855", "1", "70"],
    ]
    assert rows(raw / "out", "items")[1:] == [
        ["B1", "Soap", "", "", "Foamy", "2.5"],
        ["B2", "Dish", "Flat", "", "", ""],
    ]
    dataset = load(raw / "out")
    assert dataset.anomalies == []
    assert dataset.events.position.tolist() == [71, 70]


def test_the_metadata_are_those_of_the_reviews(raw: Path) -> None:
    write(raw, "reviews_Pets_5.json.gz", ["{}"])
    write(raw, "meta_Pet_Supplies.json.gz", ["{}"])
    with pytest.raises(ConversionError) as caught:
        amazon2014(raw)
    assert "no metadata of reviews_Pets_5.json.gz, meta_Pets;" in str(
        caught.value
    )


def test_files_of_another_year_are_not_taken(raw: Path) -> None:
    write(raw, "reviews_Pets_5.json.gz", ["{}"])
    write(raw, "meta_Pets.json.gz", ["{}"])
    for make in (amazon2018, amazon2023):
        with pytest.raises(ConversionError, match="found: meta_Pets.js"):
            make(raw)


def test_several_categories_are_refused(raw: Path) -> None:
    for name in ("A_5.json.gz", "B_5.json.gz", "meta_A.json.gz"):
        write(raw, name, ["{}"])
    with pytest.raises(ConversionError, match="one file of reviews: A_5.json"):
        amazon2018(raw)
