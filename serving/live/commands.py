"""The commands of `serving.index` on a live catalogue."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from schema import features
from serving import known_ids, versions
from serving.live import items
from serving.live.catalogue import exact_base
from serving.live.items import ItemError
from serving.live.journal import Journal, Record
from serving.manifest import BundleError, Manifest

_COLUMNS = (
    features.ITEM_ID, *features.ITEM_TEXT_COLUMNS, features.AVAILABLE_FROM
)
_BASE = "EXPORT/recommender, the folder of the versions; a twin's will do"


def add_to(commands: Any) -> None:
    """Adds the commands to a parser's."""
    add = commands.add_parser("add", help="put items into the catalogue")
    add.add_argument("base", type=Path, help=_BASE)
    add.add_argument(
        "--items", type=Path, dest="file", help="a .csv or .jsonl of items"
    )
    for name in _COLUMNS:
        add.add_argument(f"--{name}", help="of a single item")
    add.set_defaults(run=_add)
    remove = commands.add_parser("remove", help="take items out")
    remove.add_argument("base", type=Path, help=_BASE)
    remove.add_argument("item_ids", nargs="+", metavar="ITEM_ID")
    remove.set_defaults(run=_remove)
    stats = commands.add_parser("stats", help="what is there, as JSON")
    stats.add_argument("base", type=Path, help=_BASE)
    stats.set_defaults(run=_stats)
    compact = commands.add_parser(
        "compact", help="write a version that has the journal's items"
    )
    compact.add_argument("base", type=Path, help=_BASE)
    compact.add_argument(
        "--twin", type=Path, help="EXPORT/recommender_scann, built anew too"
    )
    compact.set_defaults(run=_compact)


def _add(base: Path, file: Path | None, **columns: str | None) -> str:
    given = {name: text for name, text in columns.items() if text is not None}
    if bool(given) == (file is not None):
        raise ItemError("Pass either --items FILE or the columns of one item.")
    records = _records(file, given)
    written = Journal(_live_base(base)).append(records)
    return _said("added", written)


def _records(file: Path | None, columns: dict[str, str]) -> list[Record]:
    if file is not None:
        return items.read(file)
    return items.added([columns], "the command line")


def _remove(base: Path, item_ids: list[str]) -> str:
    base = _live_base(base)
    journal = Journal(base)
    records = items.removed(list(dict.fromkeys(item_ids)))
    known = {record.item_id for record in journal.read()[1]}
    unsure = [each.item_id for each in records if each.item_id not in known]
    unknown = set(unsure) - _ids_of(base) if unsure else set()
    if unknown:
        raise ItemError(
            f"{base} has no item {sorted(unknown)[0]!r}"
            + (f" and {len(unknown) - 1} others" if len(unknown) > 1 else "")
            + ": nothing was removed. Ids are those of the items table and of "
            "`add`."
        )
    return _said("removed", journal.append(records))


def _ids_of(base: Path) -> set[str]:
    """Ids of all versions, for an older one may be served again."""
    return {
        each
        for version in versions.versions(base)
        for each in known_ids.read(base / str(version))
    }


def _said(done: str, written: list[Record]) -> str:
    return f"{done} {len(written)} (journal at {written[-1].position})"


def _stats(base: Path) -> str:
    from serving.live.stats import stats

    return json.dumps(stats(base, _live_base(base), time.time()), indent=2)


def _compact(base: Path, twin: Path | None) -> str:
    from serving.live.compaction import compact

    exact = _live_base(base)
    done = compact(exact, twin or (base if base != exact else None))
    lines = [f"{done.version}{'' if done.is_new else ' (as it was)'}"]
    lines += [str(done.twin)] if done.twin else []
    lines.append(f"{done.dropped} void records dropped from the journal")
    return "\n".join(lines)


def _live_base(base: Path) -> Path:
    """The folder with the journal of the model that a folder serves.

    Raises:
        BundleError: if it has no version, or one that takes no journal.
    """
    latest = versions.latest_version(base)
    if latest is None:
        raise BundleError(
            f"{base} has no version; pass the folder that holds the numbered "
            "ones, such as JOB_DIR/export/recommender."
        )
    described = Manifest.read(base / str(latest))
    if not described.journal:
        raise BundleError(
            f"{base / str(latest)} was exported by an earlier release, whose "
            "catalogues are fixed; export it again from its job folder."
        )
    return exact_base(base, described)
