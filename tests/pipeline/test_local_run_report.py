"""What `local_run` says of a step that failed."""

from __future__ import annotations

import pytest

from pipeline.local_run import _explain
from trainer.anomalies import DataError, table_error


def _chained(error: Exception, *, explicit: bool) -> Exception:
    """An error that Beam or TFX made of another one."""
    outer = RuntimeError("wrapped")
    if explicit:
        outer.__cause__ = error
    else:
        outer.__context__ = error
    return outer


DATA = DataError([table_error("missing_table", "items", "add it.")])


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (DATA, "missing_table"),
        (_chained(DATA, explicit=True), "missing_table"),
        (_chained(DATA, explicit=False), "missing_table"),
        (OSError("disk full"), "disk full"),
        (_chained(OSError("disk full"), explicit=True), "wrapped"),
    ],
)
def test_a_failure_is_told_by_its_cause(error: Exception, reason: str) -> None:
    told = _explain("events_gen", error)
    assert told.startswith("step events_gen failed: ")
    assert reason in told.splitlines()[0]
    assert ("wrapped" in told) == (reason == "wrapped")
    assert "Nothing that was pushed before is touched." in told
    assert "served from the cache" in told
