"""What a catalogue has now, and what of it the latest version has."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from serving import versions
from serving.live.journal import ADD, Journal, Record, last_records
from serving.live.marks import lacking
from serving.manifest import Manifest
from serving.stock import item_ids_of, stored


def stats(base: Path, live_base: Path, now: float) -> dict[str, Any]:
    """Numbers of a model.

    Args:
        base: folder of its versions, exact or twins.
        live_base: folder with its journal.
        now: unix seconds.

    Raises:
        BundleError, JournalError: if manifest or journal are damaged.
    """
    latest = base / str(versions.latest_version(base))
    described = Manifest.read(latest)
    journal = Journal(live_base)
    header, records = journal.read()
    news = last_records(lacking(described, header, records))
    offered = _offered(latest)
    came = {each.item_id for each in news if each.kind == ADD} - offered
    went = {each.item_id for each in news if each.kind != ADD} & offered
    return {
        "version": int(latest.name),
        "version_age_seconds": _age(described, now),
        "version_items": len(offered),
        "added": len(came),
        "removed": len(went),
        "items": len(offered) + len(came) - len(went),
        "journal_bytes": journal.path.stat().st_size if header else 0,
        "journal_records": len(records),
        "journal_age_seconds": _since(records, now),
        "not_compacted": len(news),
        "index": dict(described.index),
    }


def _offered(version_dir: Path) -> set[str]:
    item_ids = item_ids_of(version_dir)
    removed = stored(version_dir, "removed")
    return {each.decode() for each in item_ids[~removed]}


def _age(described: Manifest, now: float) -> int:
    created = datetime.datetime.fromisoformat(described.created)
    return int(now - created.timestamp())


def _since(records: Sequence[Record], now: float) -> int | None:
    """Seconds since the last record."""
    times = [record.time for record in records]
    return int(now - max(times)) if times else None
