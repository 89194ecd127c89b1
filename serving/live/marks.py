"""Up to where a version has the journal in its files."""

from __future__ import annotations

from collections.abc import Sequence

from serving.live.journal import Header, Record
from serving.manifest import Manifest


def mark(described: Manifest, journal_id: str) -> int:
    """Position up to which a version has a journal's records; 0 for none."""
    is_same = described.journal.get("id") == journal_id
    return int(described.journal["position"]) if is_same else 0


def lacking(
    described: Manifest, header: Header | None, records: Sequence[Record]
) -> list[Record]:
    """Records that a version does not have.

    Args:
        described: the version's manifest.
        header, records: as `Journal.read` gives them.
    """
    position = mark(described, header.id) if header else 0
    return [record for record in records if record.position > position]
