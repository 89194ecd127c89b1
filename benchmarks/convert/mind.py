"""MIND, Microsoft's news: the folders of train and dev, or one of them.

Each click of an impression is an event of type click; what was shown and not
clicked is left out. The file shuffles each impression, so clicks of one second
have no order and there is no `position`.

The history of a user is the same in all impressions, oldest click first, and
its clicks have no time. They become clicks before the user's first impression,
one second apart: their order is true, their times are not. Where a later
impression has another history, that one is left out and counted.

With both folders, the column `split` says train or validation; histories are
train. A test folder is not read: its clicks are not published. Times have no
zone in the dump and are taken for UTC.

Format: "Introduction to MIND", beside the data set; that histories do not
grow: issue 19 of msnews/msnews.github.io.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path

from benchmarks.convert.event_log import EventLog
from benchmarks.convert.faults import ConversionError
from benchmarks.convert.mind_lines import parse_impression, parse_news
from benchmarks.convert.raw_files import RawFolder
from benchmarks.convert.reader import Reader
from benchmarks.convert.source import Row, Source
from schema import features

_DUMP = (
    "MIND (Microsoft News Dataset), such as MINDsmall_train and MINDsmall_dev"
)
_NEWS, _BEHAVIORS = "news.tsv", "behaviors.tsv"
_CLICK = features.EVENT_TYPES.index("click")
_TRAIN = features.SPLITS.index("train")
# Ends of the folders' names, lower case -> place in features.SPLITS.
_FOLDERS = {
    "train": _TRAIN,
    **dict.fromkeys(
        ("dev", "valid"), features.SPLITS.index("validation")
    ),
}
_NOT_CLICKED = "news shown and not clicked"
_NAMED_AGAIN = "clicks of a history that is there before"
_CHANGED = "clicks of a history unlike the user's first"
_NOTES = (
    "clicks of a history have no time: they stand before the user's first "
    "impression, one second apart, in their true order.",
    "impressions are shuffled in MIND, so there is no `position`; times are "
    "taken for UTC.",
    "news that nobody clicked are left out.",
)
_BOTH = (
    "the dev folder is the validation split, and there is no test split: "
    "read the figures of validation.",
)


class _Histories:
    """The history of each user, as of the first impression."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._first: dict[int, tuple[int, array[int]]] = {}

    def add(self, user: int, seconds: int, history: list[str]) -> None:
        """Keeps the earlier one, and counts the other as left out."""
        new = seconds, array("i", map(self._log.item_code, history))
        kept = self._first.setdefault(user, new)
        if kept is new:
            return
        is_same = kept[1] == new[1]
        other = new
        if seconds < kept[0]:
            self._first[user], other = new, kept
        reason = _NAMED_AGAIN if is_same else _CHANGED
        self._log.left_out[reason] += len(other[1])

    def flush(self, extra: tuple[int, ...]) -> None:
        """Makes events of what was kept, with these extra columns."""
        for user, (seconds, items) in self._first.items():
            for place, item in enumerate(items, seconds - len(items)):
                self._log.append(user, item, place, *extra)


def _folders(folder: RawFolder) -> dict[Path, int]:
    """Folders with behaviors.tsv -> their place in features.SPLITS."""
    if (folder.path / _BEHAVIORS).is_file():
        return {folder.path: _TRAIN}
    found = {
        path: split
        for path in sorted(folder.path.iterdir())
        if (path / _BEHAVIORS).is_file()
        for ending, split in _FOLDERS.items()
        if path.name.lower().endswith(ending)
    }
    if not found:
        raise folder.missing(
            f"{_BEHAVIORS}, nor a folder with it whose name ends in train or "
            "dev", (_BEHAVIORS,)
        )
    if len(set(found.values())) < len(found):
        names = ", ".join(path.name for path in found)
        raise ConversionError(
            f"{folder.path} has more than one set of MIND: {names}. Leave one "
            "train and one dev folder there."
        )
    return found


def mind(raw: Path) -> Source:
    """Finds news.tsv and behaviors.tsv, in RAW or in train and dev folders.

    Raises:
        ConversionError: if they are missing.
    """
    folders = _folders(RawFolder(raw, _DUMP))
    for path in folders:
        RawFolder(path, _DUMP).find_one(_NEWS, wanted=_NEWS)
    has_both = len(set(folders.values())) > 1

    def read_events(reader: Reader, log: EventLog) -> None:
        histories = _Histories(log)
        for path, place in folders.items():
            extra = (_CLICK, place) if has_both else (_CLICK,)
            file = path / _BEHAVIORS
            for one in reader.rows(file, parse_impression):
                log.rows_in += len(one.history) + len(one.shown)
                user = log.user_code(one.user)
                histories.add(user, one.seconds, one.history)
                clicked = [item for item, is_click in one.shown if is_click]
                log.left_out[_NOT_CLICKED] += len(one.shown) - len(clicked)
                for item in clicked:
                    log.append(user, log.item_code(item), one.seconds, *extra)
            log.rows_in += reader.reports[file].rejected
            log.rejected += reader.reports[file].rejected
        histories.flush((_CLICK, _TRAIN) if has_both else (_CLICK,))

    def read_items(reader: Reader) -> Iterator[Row]:
        for path in folders:
            yield from reader.rows(path / _NEWS, parse_news)

    return Source(
        event_columns=(
            features.EVENT_TYPE, *((features.SPLIT,) if has_both else ())
        ),
        read_events=read_events,
        item_columns=(
            features.TITLE, features.DESCRIPTION, features.CATEGORIES
        ),
        read_items=read_items,
        notes=_NOTES + (_BOTH if has_both else ()),
        split="column" if has_both else "time",
    )
