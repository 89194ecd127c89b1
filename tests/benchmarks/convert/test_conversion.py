from __future__ import annotations

import collections
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from raw_dumps import load, rows, write

from benchmarks.convert.amazon import amazon2018
from benchmarks.convert.conversion import Options, convert
from benchmarks.convert.faults import ConversionError

Event = tuple[str, str, int]
ITEMS = ["i0", "i1", "i2", "i3"]  # i2 has no text, i3 no metadata


def line(event: Event) -> str:
    user, item, time = event
    return json.dumps({
        "reviewerID": user, "asin": item, "overall": 4, "unixReviewTime": time,
    })


def write_raw(raw: Path, events: list[str]) -> None:
    write(raw, "Pets.json", events)
    write(raw, "meta_Pets.json", [
        json.dumps({"asin": "i1", "title": "One", "category": ["Pets"]}),
        json.dumps({"asin": "i0", "title": "Nought"}),
        json.dumps({"asin": "i2", "price": "$5.00"}),
        json.dumps({"asin": "i9", "title": "Never bought"}),
        json.dumps({"asin": "i1", "title": "One more"}),
    ])


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    raw = tmp_path / "raw"
    events = [("u", item, time) for time, item in enumerate(ITEMS)]
    write_raw(raw, [*map(line, events)])
    return raw


def test_items_that_only_events_know_come_last_by_id_alone(raw: Path) -> None:
    done = convert(amazon2018(raw), raw / "out", Options())
    assert rows(raw / "out", "items") == [
        ["item_id", "title", "description", "categories", "brand", "price"],
        ["i1", "One", "", "Pets", "", ""],
        ["i0", "Nought", "", "", "", ""],
        ["i2", "", "", "", "", "5.00"],
        ["i3", "", "", "", "", ""],
    ]
    assert done.items.missing() == ["i3"]
    assert (done.items.unwanted, done.items.repeated) == (1, 1)
    assert done.filled == {
        "title": 2, "description": 0, "categories": 1, "brand": 0, "price": 1,
    }
    anomalies = [(a.name, a.rows) for a in load(raw / "out").anomalies]
    assert anomalies == [("item_without_text", 2)]


def test_items_without_text_can_be_dropped(raw: Path) -> None:
    options = Options(keep_untexted=False)
    convert(amazon2018(raw), raw / "out", options)
    assert [row[0] for row in rows(raw / "out", "items")[1:]] == ["i1", "i0"]
    assert [row[1] for row in rows(raw / "out", "events")[1:]] == ["i0", "i1"]
    assert load(raw / "out").anomalies == []


def test_a_fault_in_the_items_leaves_nothing_behind(raw: Path) -> None:
    write(raw, "meta_Pets.json", ["<html>"])
    with pytest.raises(ConversionError, match="1 of the 1 lines of meta_Pets"):
        convert(amazon2018(raw), raw.parent / "out", Options())
    assert [path.name for path in raw.parent.iterdir()] == ["raw"]


def test_a_taken_folder_is_refused_before_anything_is_read(raw: Path) -> None:
    (raw / "out").mkdir()
    (raw / "out" / "events.csv.gz").write_text("old")
    source = amazon2018(raw)
    (raw / "Pets.json").unlink()
    with pytest.raises(ConversionError, match="is not empty: events.csv.gz"):
        convert(source, raw / "out", Options())


def test_an_earlier_conversion_is_replaced_wholly(raw: Path) -> None:
    (raw / "out").mkdir()
    for name in ("events", "users"):
        (raw / "out" / f"{name}.csv.gz").write_text("old")
    convert(amazon2018(raw), raw / "out", Options(overwrite=True))
    assert {path.name for path in (raw / "out").iterdir()} == {
        "events.csv.gz", "items.csv.gz",
    }


def slowly_kept(events: list[Event], k: int, drop: bool) -> list[Event]:
    """The events that should be left, found one by one."""
    left = [e for n, e in enumerate(events) if e not in events[:n]]
    if drop:
        left = [e for e in left if e[1] in ("i0", "i1")]
    while True:
        users = collections.Counter(user for user, _, _ in left)
        items = collections.Counter(item for _, item, _ in left)
        thin = [e for e in left if min(users[e[0]], items[e[1]]) < k]
        if not thin:
            return left
        left.remove(thin[0])


@settings(
    deadline=None, max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    events=st.lists(
        st.tuples(
            st.sampled_from(["u", "v", "w"]), st.sampled_from(ITEMS),
            st.integers(0, 3),
        ),
        min_size=1, max_size=25,
    ),
    num_bad=st.integers(0, 2),
    k=st.integers(0, 3),
    drop=st.booleans(),
)
def test_no_event_is_lost_silently(
    tmp_path: Path, events: list[Event], num_bad: int, k: int, drop: bool
) -> None:
    # Enough good lines for the bad ones to be less than one in a hundred.
    events = events + [("x", "i0", time) for time in range(100 * num_bad)]
    bad = ['{"reviewerID": "u"}', "nonsense"][:num_bad]
    write_raw(tmp_path, [*bad, *map(line, events)])
    wanted = slowly_kept(events, k, drop)
    options = Options(min_events=k, keep_untexted=not drop, overwrite=True)
    if not wanted:
        with pytest.raises(ConversionError, match="no event is left"):
            convert(amazon2018(tmp_path), tmp_path / "out", options)
        return
    log = convert(amazon2018(tmp_path), tmp_path / "out", options).log
    written = rows(tmp_path / "out", "events")[1:]
    assert [(u, i, int(t)) for u, i, t, _ in written] == wanted
    assert log.rejected == num_bad
    assert len(events) + num_bad == (
        len(written) + num_bad + sum(log.left_out.values())
    )
    items = {row[0] for row in rows(tmp_path / "out", "items")[1:]}
    assert items == {item for _, item, _ in wanted}
