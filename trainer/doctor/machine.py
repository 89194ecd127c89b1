"""What the doctor looks at outside Python's packages: the machine.

Each check takes the values it judges, so that a test can make them up;
`examine` reads them from this machine.
"""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Collection
from pathlib import Path

import psutil

from trainer.cores import cores
from trainer.doctor.findings import Finding, Level

_GIB = 2**30
# Peak of the benchmarks is below 6 GiB; the demo's is below 2.
_MEMORY_GIB = 6.0
_LEAST_MEMORY_GIB = 2.0
# A bundle, its ScaNN twin, checkpoints and the text cache of a run.
_DISK_GIB = 5.0
_LEAST_DISK_GIB = 1.0
_GLIBC = (2, 28)  # of the newest wheels in requirements.lock
_CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def examine(job_dir: str) -> list[Finding]:
    """All findings about this machine, for a run that writes to `job_dir`."""
    return [
        check_python(sys.version_info[:3], platform.python_implementation()),
        check_platform(platform.system(), platform.machine()),
        check_libc(*platform.libc_ver()),
        check_cpu(cpu_flags(Path("/proc/cpuinfo"))),
        check_cores(cores()),
        check_memory(memory_limit(_CGROUP_LIMITS)),
        check_disk(job_dir),
    ]


def check_python(
    version: tuple[int, int, int], implementation: str
) -> Finding:
    """The lock is for CPython 3.10."""
    found = f"{implementation} {'.'.join(map(str, version))}"
    remedy = "run `make install`, which makes .venv with Python 3.10"
    if version < (3, 10) or implementation != "CPython":
        return Finding("fail", "python", f"{found}; 3.10 is needed", remedy)
    if version[:2] != (3, 10):
        found += "; the tested packages are those for 3.10"
        return Finding("warn", "python", found, remedy)
    return Finding("ok", "python", found)


def check_platform(system: str, machine: str) -> Finding:
    """ScaNN and the lock are for Linux on x86-64."""
    found = f"{system} {machine}"
    if (system, machine) == ("Linux", "x86_64"):
        return Finding("ok", "platform", found)
    return Finding(
        "warn",
        "platform",
        f"{found}; requirements.lock is for Linux on x86_64, and ScaNN has no "
        "wheel elsewhere",
        "use Linux on x86_64, or install with pip from setup.py and go "
        "without ScaNN",
    )


def check_libc(name: str, version: str) -> Finding:
    """Wheels are built against a least version of the GNU C library."""
    wanted = ".".join(map(str, _GLIBC))
    if name != "glibc":
        return Finding(
            "warn",
            "libc",
            f"{name or 'no'} {version or 'version'} found; TensorFlow's Linux "
            f"wheels need glibc {wanted}",
            "use a distribution with glibc (not Alpine)",
        )
    if tuple(map(int, version.split(".")[:2])) < _GLIBC:
        return Finding(
            "fail",
            "libc",
            f"glibc {version}; the locked wheels need {wanted}",
            "use a newer distribution, such as Debian 11 or Ubuntu 20.04",
        )
    return Finding("ok", "libc", f"glibc {version}")


def check_cpu(flags: Collection[str]) -> Finding:
    """Instruction sets that TensorFlow and ScaNN were compiled for.

    Args:
        flags: names as in /proc/cpuinfo; empty where they are unknown.
    """
    fast = [name for name in ("avx2", "fma", "avx512f") if name in flags]
    if not flags:
        return Finding(
            "warn",
            "cpu",
            "instruction sets unknown (no /proc/cpuinfo flags)",
            "if Python dies with 'Illegal instruction', the processor lacks "
            "AVX: use another machine",
        )
    if "avx" not in flags:
        return Finding(
            "fail",
            "cpu",
            "no AVX; TensorFlow's wheels die with 'Illegal instruction'",
            "use a machine, or a setting of the virtual machine, with AVX",
        )
    if "avx2" not in fast:
        return Finding(
            "warn",
            "cpu",
            "AVX without AVX2; training and ScaNN are several times slower",
            "use a processor from 2013 or later, or let the virtual machine "
            "pass AVX2 on",
        )
    return Finding("ok", "cpu", ", ".join(fast))


def check_cores(count: int) -> Finding:
    """More cores train faster; one also starves a server under load."""
    if count < 2:
        return Finding(
            "warn",
            "cores",
            "1 for this process; published times are of two",
            "give the process a second core (taskset, container limits)",
        )
    return Finding("ok", "cores", f"{count} for this process")


def check_memory(limit_bytes: int) -> Finding:
    """What a run may use at most."""
    gib = limit_bytes / _GIB
    found = f"{gib:.1f} GiB for this process"
    if gib < _LEAST_MEMORY_GIB:
        return Finding(
            "fail",
            "memory",
            f"{found}; TensorFlow and a small run need {_LEAST_MEMORY_GIB:g}",
            "use a larger machine or raise the container's memory limit",
        )
    if gib < _MEMORY_GIB:
        return Finding(
            "warn",
            "memory",
            f"{found}; real data of 200,000 events wants {_MEMORY_GIB:g}",
            "lower --batch-size and --full-softmax-items, or use more memory",
        )
    return Finding("ok", "memory", found)


def check_disk(job_dir: str) -> Finding:
    """Free space where a run writes."""
    folder = Path(job_dir).absolute()
    while not folder.exists():
        folder = folder.parent
    gib = shutil.disk_usage(folder).free / _GIB
    found = f"{gib:.1f} GiB free in {folder}"
    if gib < _DISK_GIB:
        level: Level = "fail" if gib < _LEAST_DISK_GIB else "warn"
        return Finding(
            level,
            "disk",
            f"{found}; checkpoints, text cache and bundles want "
            f"{_DISK_GIB:g}",
            "make room or choose another --job-dir",
        )
    return Finding("ok", "disk", found)


def cpu_flags(cpuinfo: Path) -> frozenset[str]:
    """Instruction sets by /proc/cpuinfo; empty where that says nothing."""
    if not cpuinfo.exists():
        return frozenset()
    for line in cpuinfo.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "flags":
            return frozenset(value.split())
    return frozenset()


def memory_limit(limit_files: Collection[Path]) -> int:
    """Bytes that this process may use: the machine's or its container's.

    Args:
        limit_files: control-group files; absent ones and `max` do not limit.
    """
    limits = [psutil.virtual_memory().total]
    for file in limit_files:
        text = file.read_text(encoding="ascii").strip() if file.exists() else ""
        if text.isdigit():
            limits.append(int(text))
    return min(limits)
