"""The doctor's report and exit code."""

from __future__ import annotations

import pytest

from trainer.doctor import __main__ as doctor
from trainer.doctor.findings import Finding

OK = Finding("ok", "cpu", "fast")
WARN = Finding("warn", "disk", "small", "make room")
FAIL = Finding("fail", "python", "old", "get a newer one")


@pytest.mark.parametrize(
    ("findings", "code"), [([OK, WARN], 0), ([OK, FAIL, WARN], 1)]
)
def test_only_a_failure_fails(
    findings: list[Finding],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda job_dir: findings)
    assert doctor.main([]) == code
    text = capsys.readouterr().out
    assert all(str(finding) in text for finding in findings)
    assert text.endswith(f"1 ok, 1 to know, {code} to mend\n")


def test_a_real_report_covers_machine_and_packages() -> None:
    subjects = [finding.subject for finding in doctor.examine(".")]
    assert {"python", "cpu", "memory", "pins", "scann"} <= set(subjects)
    assert len(subjects) == len(set(subjects))


def test_a_misspelt_flag_is_refused() -> None:
    with pytest.raises(SystemExit) as end:
        doctor.main(["--dep"])
    assert end.value.code == 2
