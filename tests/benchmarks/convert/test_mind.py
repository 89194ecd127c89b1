from __future__ import annotations

import calendar
import collections
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from raw_dumps import load, rows, write

from benchmarks.convert.conversion import Options, convert
from benchmarks.convert.faults import ConversionError
from benchmarks.convert.mind import mind

NEWS = [f"N{n}\tnews\tnewsus\tTitle {n}\t\t\t\t" for n in range(1, 8)]
T = calendar.timegm((2019, 11, 11, 9, 0, 0))  # 9:00:00 AM


def impression(user: str, second: int, history: str, shown: str) -> str:
    return f"1\t{user}\t11/11/2019 9:00:{second:02} AM\t{history}\t{shown}"


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return tmp_path / "raw"


def test_one_folder(raw: Path) -> None:
    write(raw, "news.tsv", NEWS)
    write(raw, "behaviors.tsv", [
        impression("U1", 30, "N1 N2 N1", "N3-1 N4-0"),
        impression("U1", 10, "N1 N2 N1", "N4-1 N3-0 N5-1"),
        impression("U2", 20, "", "N3-1 N6-1"),
    ])
    source = mind(raw)
    assert source.split == "time"
    done = convert(source, raw / "out", Options())
    assert rows(raw / "out", "events") == [
        ["user_id", "item_id", "timestamp", "event_type"],
        ["U1", "N3", str(T + 30), "click"],
        ["U1", "N4", str(T + 10), "click"],
        ["U1", "N5", str(T + 10), "click"],
        ["U2", "N3", str(T + 20), "click"],
        ["U2", "N6", str(T + 20), "click"],
        # Before the first impression, which is the second in the file.
        ["U1", "N1", str(T + 7), "click"],
        ["U1", "N2", str(T + 8), "click"],
        ["U1", "N1", str(T + 9), "click"],
    ]
    assert [row[0] for row in rows(raw / "out", "items")[1:]] == [
        "N1", "N2", "N3", "N4", "N5", "N6",
    ]
    # 13 entries: 3 + 2, 3 + 3 and 2.
    assert done.log.rows_in == 13
    assert {k: n for k, n in done.log.left_out.items() if n} == {
        "news shown and not clicked": 2,
        "clicks of a history that is there before": 3,
    }
    assert load(raw / "out").anomalies == []


def test_train_and_dev_folders_are_splits(raw: Path) -> None:
    write(raw / "MINDsmall_train", "news.tsv", NEWS[:4])
    write(raw / "MINDsmall_train", "behaviors.tsv", [
        impression("U1", 10, "N1", "N2-1"),
    ])
    write(raw / "MINDsmall_dev", "news.tsv", NEWS)
    write(raw / "MINDsmall_dev", "behaviors.tsv", [
        impression("U1", 40, "N1", "N7-1"),
        impression("U2", 50, "N5 N6", "N7-0 N1-1"),
    ])
    source = mind(raw)
    assert source.split == "column"
    assert any("no test split" in note for note in source.notes)
    convert(source, raw / "out", Options())
    # Folders by name: dev comes first.
    assert rows(raw / "out", "events") == [
        ["user_id", "item_id", "timestamp", "event_type", "split"],
        ["U1", "N7", str(T + 40), "click", "validation"],
        ["U2", "N1", str(T + 50), "click", "validation"],
        ["U1", "N2", str(T + 10), "click", "train"],
        ["U1", "N1", str(T + 9), "click", "train"],
        ["U2", "N5", str(T + 48), "click", "train"],
        ["U2", "N6", str(T + 49), "click", "train"],
    ]
    dataset = load(raw / "out")
    assert dataset.anomalies == []
    assert dataset.events.split.tolist()[:3] == [
        "validation", "validation", "train",
    ]


def test_a_history_that_differs_later_is_counted_by_its_own_name(
    raw: Path,
) -> None:
    write(raw, "news.tsv", NEWS)
    write(raw, "behaviors.tsv", [
        impression("U1", 20, "N1 N2 N3", "N4-1"),
        impression("U1", 10, "N1 N2", "N5-1"),
    ])
    done = convert(mind(raw), raw / "out", Options())
    assert done.log.left_out["clicks of a history unlike the user's first"] == 3
    assert [row[1] for row in rows(raw / "out", "events")[1:]] == [
        "N4", "N5", "N1", "N2",
    ]


def test_only_behaviours_with_labels_are_read(raw: Path) -> None:
    for name in ("MINDlarge_train", "MINDlarge_test"):
        write(raw / name, "news.tsv", NEWS)
        shown = "N2-1 N3-1" if "train" in name else "N2 N3"
        write(raw / name, "behaviors.tsv", [impression("U1", 1, "", shown)])
    convert(mind(raw), raw / "out", Options())
    assert len(rows(raw / "out", "events")) == 1 + 2


def test_missing_and_surplus_folders_are_named(raw: Path) -> None:
    write(raw / "MINDsmall_test", "behaviors.tsv", [])
    with pytest.raises(ConversionError, match="has no behaviors.tsv, nor a f"):
        mind(raw)
    write(raw / "MINDsmall_train", "behaviors.tsv", [])
    with pytest.raises(ConversionError, match="train has no news.tsv;"):
        mind(raw)
    write(raw / "MINDlarge_train", "behaviors.tsv", [])
    with pytest.raises(ConversionError, match="one set of MIND: MINDlarge"):
        mind(raw)


_IMPRESSIONS = st.lists(
    st.tuples(
        st.sampled_from(["U1", "U2", "U3"]),
        st.integers(0, 59),
        st.lists(st.integers(1, 7), max_size=4),
        st.lists(st.tuples(st.integers(1, 7), st.booleans()), max_size=5),
    ),
    min_size=1, max_size=12,
)


@settings(
    deadline=None, max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(_IMPRESSIONS)
def test_no_click_is_lost(
    tmp_path: Path, drawn: list[tuple[str, int, list[int], list]]
) -> None:
    lines = [
        impression(
            user, second, " ".join(f"N{n}" for n in history),
            " ".join(f"N{n}-{int(is_click)}" for n, is_click in shown),
        )
        for user, second, history, shown in drawn
    ]
    write(tmp_path, "news.tsv", NEWS)
    write(tmp_path, "behaviors.tsv", lines)
    first = {}
    for user, second, history, _ in sorted(drawn, key=lambda one: one[1]):
        first.setdefault(user, (second, history))
    wanted = {
        (user, f"N{n}", T + second)
        for user, second, _, shown in drawn for n, is_click in shown if is_click
    }
    wanted |= {
        (user, f"N{n}", T + second - len(history) + place)
        for user, (second, history) in first.items()
        for place, n in enumerate(history)
    }
    if not wanted:
        return
    options = Options(overwrite=True)
    log = convert(mind(tmp_path), tmp_path / "out", options).log
    written = collections.Counter(
        (user, item, int(time))
        for user, item, time, _ in rows(tmp_path / "out", "events")[1:]
    )
    assert written == collections.Counter(dict.fromkeys(wanted, 1))
    entries = sum(len(history) + len(shown) for *_, history, shown in drawn)
    assert entries == len(wanted) + sum(log.left_out.values())
