"""Judgements about made-up environments."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from trainer.doctor import packages
from trainer.doctor.findings import Level


def test_a_source_folder_is_no_installation() -> None:
    assert packages.check_installation(None).level == "warn"
    assert packages.check_installation("1.2").found == "interest-towers 1.2"


def test_another_version_than_the_tested_one_is_named() -> None:
    finding = packages.check_pins({"a": "1", "b": "2"}, {"a": "1", "b": "3"})
    assert finding.level == "warn"
    assert "1 of 2 packages" in finding.found
    assert "b 3 (tested: 2)" in finding.found


def test_a_package_that_only_the_lock_has_is_no_difference() -> None:
    finding = packages.check_pins({"a": "1", "pytest": "9"}, {"a": "1"})
    assert (finding.level, finding.found[:6]) == ("ok", "1 of 2")


def test_a_missing_lock_is_said() -> None:
    assert "requirements.lock" in packages.check_pins({}, {"a": "1"}).found


def test_a_long_list_of_differences_is_cut() -> None:
    pins = {name: "1" for name in "abcde"}
    found = packages.check_pins(pins, {name: "2" for name in pins}).found
    assert found.endswith("; and 2 more")


@pytest.mark.parametrize(
    ("need", "level"),
    [
        ("TF_Keras>=2.16", "ok"),
        ("tf-keras<2.16", "fail"),
        ("torch", "fail"),
    ],
)
def test_needs_are_compared_with_what_is_there(need: str, level: Level) -> None:
    needs = [("scann", Requirement(need))]
    finding = packages.check_needs(needs, {"tf-keras": "2.16.0"})
    assert finding.level == level
    if level == "fail":
        assert finding.found.startswith("scann needs")


@pytest.mark.parametrize(
    ("value", "level"),
    [
        ("1", "ok"),
        ("True", "ok"),
        ("0", "fail"),
        ("yes", "fail"),
        (None, "fail"),
    ],
)
def test_keras_2_must_be_asked_for(value: str | None, level: Level) -> None:
    assert packages.check_keras_flag(value).level == level


def test_without_scann_there_is_one_bundle() -> None:
    assert packages.check_scann(None, "2.16.2").level == "warn"
    assert packages.check_scann("1.3.2", "2.16.2").level == "ok"


def test_without_the_encoder_package_the_hub_is_named() -> None:
    finding = packages.check_encoder(None)
    assert (finding.level, "model hub" in finding.found) == ("warn", True)


def test_altered_weights_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"weights")
    finding = packages.check_encoder(file)
    assert finding.level == "fail"
    assert hashlib.sha256(b"weights").hexdigest()[:12] in finding.found


def test_missing_weights_are_refused(tmp_path: Path) -> None:
    finding = packages.check_encoder(tmp_path / "model.safetensors")
    assert (finding.level, "no file" in finding.found) == ("fail", True)


@pytest.mark.parametrize(
    ("environ", "level"),
    [
        ({}, "ok"),
        ({"PYTHONDONTWRITEBYTECODE": ""}, "ok"),
        ({"PYTHONDONTWRITEBYTECODE": "1"}, "warn"),
        ({"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": "c"}, "ok"),
    ],
)
def test_lost_bytecode_is_said(environ: dict[str, str], level: Level) -> None:
    assert packages.check_bytecode(environ).level == level


def test_this_environment_has_nothing_to_mend() -> None:
    findings = packages.examine({"TF_USE_LEGACY_KERAS": "1"})
    assert len(findings) == 7
    assert not [str(f) for f in findings if f.level == "fail"]
