"""How a finding reads."""

from __future__ import annotations

import pytest

from trainer.doctor.findings import Finding


def test_a_remedy_stands_below_its_finding() -> None:
    lines = str(Finding("warn", "disk", "2 GiB free", "make room")).split("\n")
    assert lines[0].split() == ["warn", "disk", "2", "GiB", "free"]
    assert lines[1].strip() == "-> make room"


def test_an_ok_finding_is_one_line() -> None:
    assert "\n" not in str(Finding("ok", "disk", "90 GiB free"))


def test_a_warning_must_say_what_to_do() -> None:
    with pytest.raises(ValueError, match="has a remedy unless it is ok"):
        Finding("warn", "disk", "2 GiB free")


def test_an_ok_finding_has_nothing_to_do() -> None:
    with pytest.raises(ValueError, match="has a remedy unless it is ok"):
        Finding("ok", "disk", "90 GiB free", "make room")
