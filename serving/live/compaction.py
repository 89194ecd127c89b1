"""Writes a version that has the journal's items in its files.

Each step is atomic and looks for itself whether it is needed, so that a
compaction which was killed is finished by the next one:

1. the latest exact version, with what the journal adds and removes, as a new
   version that says up to where it has the journal;
2. its ScaNN twin under the same number;
3. the journal without the records that later ones have made void.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import logging
from collections.abc import Iterator
from pathlib import Path

from serving import bundle, index, manifest, versions, warmup
from serving.live.frames import JournalError
from serving.live.journal import FOLDER, Journal
from serving.live.marks import lacking
from serving.manifest import BundleError, Manifest
from serving.models import Models
from serving.recommender import Recommender

_LOG = logging.getLogger(__name__)
_LOCK = "compacting"


@dataclasses.dataclass(frozen=True)
class Compacted:
    """What a compaction has done.

    Attributes:
        version: the latest exact version, new or not.
        is_new: whether it was written.
        twin: the twin that was written, None if none was needed.
        dropped: void records that the journal has lost.
    """

    version: Path
    is_new: bool
    twin: Path | None
    dropped: int


def compact(base: Path, twin_base: Path | None = None) -> Compacted:
    """Compacts a model's catalogue; safe to kill, and to run again.

    Args:
        base: folder of the exact versions.
        twin_base: of their twins; None if there are none.

    Raises:
        BundleError: if there is no sound version, or the disk is full.
        JournalError: if the journal is damaged, or another compaction runs.
    """
    with _only_compaction(base):
        newest = versions.latest_version(base)
        if newest is None:
            raise BundleError(f"{base} has no exact version to go on from.")
        exact = base / str(newest)
        beside = versions.latest_version(twin_base) if twin_base else None
        written = _with_journal(exact, 1 + max(newest, beside or 0))
        latest = written or exact
        twin = None
        if twin_base and int(latest.name) not in versions.versions(twin_base):
            twin = _twin(latest, twin_base)
        dropped = Journal(base).fold()
    return Compacted(latest, written is not None, twin, dropped)


def _with_journal(exact: Path, number: int) -> Path | None:
    """A new version, unless the latest one has all of the journal."""
    # Told by the files, since a server looks for it again and again.
    if not lacking(Manifest.read(exact), *Journal(exact.parent).read()):
        return None
    loaded = Recommender(exact, warm_up=False)
    return versions.write_version(
        exact.parent, number, lambda folder: _save(loaded, number, folder)
    )


def _save(loaded: Recommender, number: int, folder: Path) -> None:
    described, live = loaded.manifest, loaded.live
    if described is None or live is None:
        raise BundleError(f"{loaded.version_dir} has no manifest.")
    loaded.save(folder)
    item_ids = [each.decode() for each in loaded.model.stock.item_ids.numpy()]
    complete = dataclasses.replace(
        described,
        version=number,
        created=manifest.utc_now(),
        num_items=len(item_ids),
        vocabularies={
            **described.vocabularies,
            "items": manifest.vocabulary_hash(item_ids),
        },
        journal={"id": live.journal_id, "position": live.position},
    )
    bundle.seal(folder, complete, warmup.read(loaded.version_dir))


def _twin(exact: Path, twin_base: Path) -> Path:
    """The twin of a version, tuned to the recall of the twin before."""
    before = versions.latest_version(twin_base)
    wanted = None
    if before is not None:
        described = Manifest.read(twin_base / str(before))
        wanted = described.index.get("wanted_recall")
    return index.build(exact, twin_base, recall=wanted)


@contextlib.contextmanager
def _only_compaction(base: Path) -> Iterator[None]:
    folder = base / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise JournalError(
                f"Another compaction of {base} runs; wait for its end."
            ) from error
        yield


class CompactionWatch:
    """Compacts whatever has grown by many items.

    Args:
        models: in service.
        least: items of the journal that a version does not have, at which it
            is compacted.
    """

    def __init__(self, models: Models, least: int) -> None:
        self._models, self._least = models, least

    def look(self) -> None:
        """Compacts where it is time; a failure is logged."""
        for host in self._models.hosts:
            live = host.find(None).live
            if live is None or len(live.pending) < self._least:
                continue
            is_twin = live.base != host.base_path
            try:
                done = compact(live.base, host.base_path if is_twin else None)
            except (BundleError, JournalError, OSError) as error:
                _LOG.error("%s is not compacted: %s", live.base, error)
            else:
                _LOG.info("Compacted: %s", done)
