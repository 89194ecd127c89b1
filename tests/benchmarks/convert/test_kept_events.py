from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.convert.event_log import EventLog
from benchmarks.convert.faults import ConversionError
from benchmarks.convert.kept_events import has_text, kept_events
from benchmarks.convert.reader import Reader
from benchmarks.convert.source import Row, Source

# The third repeats the first, the fourth's item has no text, the last user
# has one event without it.
EVENTS = ["ux1", "uy2", "ux1", "vz3", "vx4"]


def read_items(reader: Reader) -> Iterator[Row]:
    yield {"item_id": "x", "title": "A title"}
    yield {"item_id": "z", "title": "", "price": "5"}
    yield {"item_id": "z", "title": "Too late"}
    yield {"item_id": "y", "categories": "Home"}
    yield {"item_id": "w", "title": "Unknown to the events"}


def source(min_events: int = 0) -> Source:
    return Source(
        event_columns=(), read_events=lambda reader, log: None,
        item_columns=("title",), read_items=read_items, notes=(),
        min_events=min_events,
    )


def filled_log() -> EventLog:
    log = EventLog(())
    for user, item, time in EVENTS:
        log.add(user, item, int(time))
    log.rows_in = 7
    log.rejected = 2
    return log


def kept(log: EventLog, **flags: object) -> tuple[list[bool], dict[str, int]]:
    options = {"min_events": None, "keep_untexted": True, **flags}
    found = kept_events(source(), Reader(), log, **options)  # type: ignore
    return found.rows.tolist(), {k: n for k, n in log.left_out.items() if n}


def test_a_repeat_is_left_out():
    assert kept(filled_log()) == (
        [True, True, False, True, True], {"events that are there before": 1},
    )


def test_items_without_text_go_with_their_events():
    assert kept(filled_log(), keep_untexted=False) == (
        [True, True, False, False, True],
        {"events that are there before": 1, "events of items without text": 1},
    )


def test_the_core_is_of_what_the_others_left():
    rows = [True, True, False, False, True, True]
    for keep_untexted, reason in [
        (True, "events outside the k-core"),
        (False, "events of items without text"),
    ]:
        log = filled_log()
        log.add("v", "y", 5)
        log.rows_in += 1
        found = kept(log, min_events=2, keep_untexted=keep_untexted)
        assert found == (rows, {"events that are there before": 1, reason: 1})


def test_a_dump_has_its_own_default_of_the_core():
    log = filled_log()
    found = kept_events(
        source(1), Reader(), log, min_events=None, keep_untexted=True
    )
    assert found.min_events == 1
    found = kept_events(
        source(9), Reader(), filled_log(), min_events=0, keep_untexted=True
    )
    assert found.min_events == 0


def test_no_event_left_is_an_error_that_says_why():
    with pytest.raises(ConversionError, match="left of 7 rows .*than 9, or"):
        kept(filled_log(), min_events=9)


@pytest.mark.parametrize("rows_in", [6, 8])
def test_rows_that_nobody_accounts_for_stop_the_conversion(
    rows_in: int,
) -> None:
    log = filled_log()
    log.rows_in = rows_in
    with pytest.raises(RuntimeError, match="rows were lost"):
        kept(log)


def test_a_price_tells_nothing_of_an_item():
    assert has_text({"item_id": "a", "brand": "B"})
    assert not has_text({"item_id": "a", "title": "", "price": "5"})
