from __future__ import annotations

import json

import numpy as np

from trainer.tables import Items
from trainer.text_quality.cleaning import clean_columns
from trainer.text_quality.config import TextQualityConfig
from trainer.text_quality.report import Examination


def examine(columns: dict[str, list[str]], **settings) -> dict:
    count = len(next(iter(columns.values())))
    items = Items([f"i{n}" for n in range(count)], columns)
    examined = Examination(
        items, clean_columns(columns, 0.05), np.zeros(count, np.int64),
        TextQualityConfig(**settings),
    )
    return json.loads(json.dumps(examined.report()))


def test_empty_texts_and_what_stands_in_for_them():
    report = examine({
        "title": ["Red tea", "", "<br>", "", " "],
        "description": ["Good.", "Fine green tea.", "", "", ""],
        "brand": ["", "", "", "Chai", ""],
    })
    assert report["items"] == 5
    assert report["text"] == {
        "without": 2,
        "emptied": 1,
        "begins_with": {
            "title": 1, "brand": 1, "categories": 0, "description": 1,
            "keywords": 0, "nothing": 2,
        },
        "empty": {"title": 4, "description": 3, "brand": 4},
    }


def test_findings_have_examples():
    report = examine({"title": ["Red tea", "<b>Cup</b>", "<i>Pot</i>"]})
    assert report["cleaning"] == [{
        "column": "title", "fault": "markup", "items": 2,
        "examples": [
            {"item_id": "i1", "before": "<b>Cup</b>", "after": "Cup"},
            {"item_id": "i2", "before": "<i>Pot</i>", "after": "Pot"},
        ],
    }]


def test_duplicates_are_found_in_clean_text_and_named():
    report = examine({
        "title": ["A red tea cup", "Pot", "", "<p>A red tea cup</p>"],
        "description": ["", "", "A red tea cup", ""],
    })
    found = report["near_duplicates"]
    assert found["items"] == 3
    assert found["groups"] == [{
        "items": [
            {"item_id": f"i{n}", "title": "A red tea cup", "similarity": 1.0}
            for n in (0, 2, 3)
        ]
    }]
    # A choice is in the group with probability 3/4, with 2 of 3 negatives.
    assert report["false_negatives"]["full_softmax"] == 1.5


def test_only_the_named_columns_are_an_items_text():
    columns = {"title": ["Tea", "Cup"], "brand": ["Chai & Co"] * 2}
    assert examine(columns)["near_duplicates"]["items"] == 0
    alone = examine(columns, text_columns="brand")
    assert alone["near_duplicates"]["items"] == 2
    assert "title" not in alone["text"]["begins_with"]


def test_scripts_and_languages_are_those_of_items_with_text():
    report = examine({"title": ["红茶很好喝，我们都喜欢", "", "123"]})
    assert report["scripts"] == {"Han": 1, "no letters": 1}
    assert report["languages"] == {"no letters": 1, "zh": 1}


def test_an_empty_catalogue_has_a_report():
    report = examine({"title": []})
    assert report["items"] == 0
    assert report["near_duplicates"]["groups"] == []
