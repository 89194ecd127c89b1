"""Judgements about made-up machines."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trainer.doctor import machine
from trainer.doctor.findings import Level

GIB = 1024**3


@pytest.mark.parametrize(
    ("version", "implementation", "level"),
    [
        ((3, 9, 18), "CPython", "fail"),
        ((3, 10, 0), "CPython", "ok"),
        ((3, 12, 1), "CPython", "warn"),
        ((3, 10, 13), "PyPy", "fail"),
    ],
)
def test_python_3_10_is_wanted(
    version: tuple[int, int, int], implementation: str, level: Level
) -> None:
    finding = machine.check_python(version, implementation)
    assert finding.level == level
    assert ".".join(map(str, version)) in finding.found


def test_only_linux_on_x86_64_has_all_wheels() -> None:
    assert machine.check_platform("Linux", "x86_64").level == "ok"
    assert machine.check_platform("Linux", "aarch64").level == "warn"
    assert machine.check_platform("Darwin", "x86_64").level == "warn"


@pytest.mark.parametrize(
    ("name", "version", "level"),
    [
        ("glibc", "2.36", "ok"),
        ("glibc", "2.28", "ok"),
        ("glibc", "2.27", "fail"),
        ("glibc", "2.9", "fail"),  # as text it would be the largest
        ("", "", "warn"),
    ],
)
def test_the_c_library_must_be_new_enough(
    name: str, version: str, level: Level
) -> None:
    assert machine.check_libc(name, version).level == level


@pytest.mark.parametrize(
    ("flags", "level"),
    [
        (["sse2"], "fail"),
        (["sse2", "avx"], "warn"),
        (["avx", "avx2", "fma"], "ok"),
        ([], "warn"),
    ],
)
def test_instruction_sets_decide(flags: list[str], level: Level) -> None:
    assert machine.check_cpu(flags).level == level


def test_one_core_is_worth_a_word() -> None:
    assert machine.check_cores(1).level == "warn"
    assert machine.check_cores(2).level == "ok"


@pytest.mark.parametrize(
    ("gib", "level"), [(1.9, "fail"), (2, "warn"), (5.9, "warn"), (6, "ok")]
)
def test_memory_decides(gib: float, level: Level) -> None:
    assert machine.check_memory(int(gib * GIB)).level == level


def test_disk_is_looked_at_where_the_job_will_be(tmp_path: Path) -> None:
    finding = machine.check_disk(str(tmp_path / "not" / "yet" / "there"))
    assert finding.found.startswith(f"{free_gib(tmp_path)} GiB free")
    assert not (tmp_path / "not").exists()


def free_gib(folder: Path) -> str:
    stat = os.statvfs(folder)
    return f"{stat.f_bavail * stat.f_frsize / GIB:.1f}"


def test_instruction_sets_are_read_from_the_first_processor(
    tmp_path: Path,
) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text("model : 1\nflags\t\t: fpu avx2\n\nflags\t\t: other\n")
    assert machine.cpu_flags(file) == {"fpu", "avx2"}


def test_without_cpuinfo_instruction_sets_are_unknown(tmp_path: Path) -> None:
    assert machine.cpu_flags(tmp_path / "absent") == frozenset()


def test_a_container_limits_memory(tmp_path: Path) -> None:
    limit, no_limit = tmp_path / "limit", tmp_path / "no_limit"
    limit.write_text("4096\n")
    no_limit.write_text("max\n")
    files = [no_limit, limit, tmp_path / "absent"]
    assert machine.memory_limit(files) == 4096
    assert machine.memory_limit([no_limit]) > 4096


def test_every_check_runs_on_this_machine(tmp_path: Path) -> None:
    subjects = [f.subject for f in machine.examine(str(tmp_path))]
    assert sorted(subjects) == sorted(
        "python platform libc cpu cores memory disk".split()
    )
