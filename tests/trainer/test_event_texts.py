"""From events and items to a table of texts and a code per event."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from event_tables import make_dataset, make_events

from trainer.config import DataConfig, RunConfig
from trainer.event_texts import EventTexts
from trainer.job import fingerprint
from trainer.prepare import Prepared, prepare
from trainer.tables import Items
from trainer.text_config import TextConfig

ITEMS = Items(
    ["i0", "i1", "i2"],
    {"title": ["Kite", "", "Rope "], "brand": ["Zig", "Zag", ""]},
)
TEMPLATES = "{purchase: '{title}. {brand}', view: '{title}: {text}!'}"
TEXTS = ["", " so light ", "so light", "red"]


def prepared(setting: str = TEMPLATES) -> Prepared:
    """Two users; of types view, click and purchase; a test event each."""
    events = make_events(
        user=[0, 0, 0, 0, 1, 1],
        timestamp=[4, 1, 2, 3, 1, 2],
        item=[0, 0, 1, 2, 2, 0],
        event_type=[0, 2, 2, 1, 0, 0],
        split=["test", "train", "train", "train", "train", "test"],
    )
    events = dataclasses.replace(
        events, texts=TEXTS, text=np.array([1, 3, 0, 3, 0, 2], np.int32)
    )
    config = RunConfig(
        data=DataConfig(split="column", validation_share=0.0),
        text=TextConfig(behaviour_text=setting),
    )
    return prepare(make_dataset(events, ITEMS), config)


def said(found: Prepared) -> list[str]:
    spoken = found.event_texts.spoken
    return [spoken.texts[code] for code in spoken.code]


def test_each_event_says_what_its_type_s_template_makes_of_it() -> None:
    # User 0: purchase of i0, of i1, click on i2, view of i0; user 1: views.
    assert said(prepared()) == [
        "Kite. Zig", "Zag", "Rope", "Kite: so light!", "Rope!",
        "Kite: so light!",
    ]


def test_own_texts_are_stripped_and_counted_once() -> None:
    texts = prepared().event_texts
    assert texts.own == ["", "red", "so light"]
    assert texts.own_code.tolist() == [1, 0, 1, 2, 0, 2]


def test_row_zero_is_nothing_and_no_text_stands_there_twice() -> None:
    texts = prepared().event_texts.spoken.texts
    assert texts[0] == ""
    assert len(set(texts)) == len(texts)


def test_an_item_without_title_and_column_says_nothing() -> None:
    spoken = prepared("{view: '{description}'}").event_texts.spoken
    found = prepared("{view: '{description}'}")
    assert said(found) == ["Kite", "", "Rope", "Kite", "Rope", "Kite"]
    assert spoken.code[1] == 0


def test_columns_that_the_items_table_lacks_are_empty() -> None:
    events = dataclasses.replace(
        make_events(user=[0, 0, 0], timestamp=[1, 2, 3], item=[0, 1, 0],
                    event_type=[0, 1, 1]),
        texts=["", "soft"], text=np.array([1, 1, 0], np.int32),
    )
    config = RunConfig(
        data=DataConfig(split="leave_one_out"),
        text=TextConfig(behaviour_text=TEMPLATES),
    )
    items = Items(["i0", "i1", "i2"], {"keywords": ["a", "b", "c"]})
    found = prepare(make_dataset(events, items), config)
    assert said(found) == ["soft!", "", ""]
    assert found.event_texts.spoken.item_rows.shape[1] == 3


def test_items_under_a_type_are_rows_of_the_same_table() -> None:
    found = prepared()
    spoken, ids = found.event_texts.spoken, found.catalogue.item_ids
    assert found.event_types == ["purchase", "view", "click"]

    def row(event_type: int) -> dict[str, str]:
        template = spoken.template_of[event_type]
        rows = spoken.item_rows[template].tolist()
        texts = [spoken.texts[row] for row in rows]
        return dict(zip(ids, texts, strict=True))

    assert row(1) == {"i0": "Kite. Zig", "i1": "Zag", "i2": "Rope"}
    assert row(2) == {"i0": "Kite!", "i1": "", "i2": "Rope!"}
    # Unknown types, code 0, have the default template, as clicks have here.
    assert row(0) == row(3) == {"i0": "Kite", "i1": "", "i2": "Rope"}


def test_what_stands_around_a_text_is_known_of_each_item() -> None:
    found = prepared()
    spoken, ids = found.event_texts.spoken, found.catalogue.item_ids
    view = spoken.template_of[2]
    assert spoken.reads_text.tolist() == [
        place == view for place in range(len(spoken.reads_text))
    ]
    before = dict(zip(ids, spoken.before[view], strict=True))
    assert before == {"i0": "Kite: ", "i1": "", "i2": "Rope: "}
    assert set(spoken.after[view]) == {"!"}
    others = np.arange(len(spoken.before)) != view
    assert set(spoken.before[others].ravel()) == {""}


def test_without_templates_nothing_is_said() -> None:
    texts = prepared("none").event_texts
    assert texts.spoken is None
    assert texts.read_code is None
    assert texts.own_code.tolist() == [0] * 6


def test_events_read_without_their_texts_are_refused() -> None:
    events = make_events(user=[0, 0], timestamp=[1, 2], item=[0, 1])
    config = RunConfig(
        data=DataConfig(split="leave_one_out"),
        text=TextConfig(behaviour_text="shop"),
    )
    with pytest.raises(ValueError, match="reads_text=True"):
        prepare(make_dataset(events, ITEMS), config)


def test_rows_of_another_table_mean_the_same_texts() -> None:
    spoken = prepared().event_texts.spoken
    other = ["", *reversed(spoken.texts[1:]), "more"]
    moved = spoken.recoded(other)
    assert [moved.texts[code] for code in moved.code] == said(prepared())
    assert moved.code.tolist() != spoken.code.tolist()
    with pytest.raises(ValueError, match="lacks"):
        spoken.recoded(["", "more"])


def test_silent_events_have_the_empty_text() -> None:
    silent = EventTexts.silent(3)
    assert silent.own == [""]
    assert silent.own_code.tolist() == [0, 0, 0]


def test_what_events_say_decides_what_a_run_is() -> None:
    config = RunConfig(text=TextConfig(behaviour_text=TEMPLATES))
    found = prepared()
    texts = found.event_texts
    other = dataclasses.replace(
        found,
        event_texts=dataclasses.replace(texts, own=["", "blue", "so light"]),
    )
    assert fingerprint(found, config) != fingerprint(other, config)
