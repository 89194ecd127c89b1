"""Every line of the Dockerfile: what it may say, and that it holds."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from pipeline.kubeflow_runner import SCHEMAS_OF_IMAGE

ROOT = Path(__file__).parents[2]
BASE = "python:3.10-slim-bookworm"
# The only things that are not of requirements.lock.
APT = ["apt-get", "install", "--yes", "--no-install-recommends", "g++"]
PIP = ["python", "-m", "pip", "install"]
LOCKED = ["--require-hashes", "--no-deps"]
OURS = ["--no-index", "--no-deps", "--no-build-isolation", "."]


def instructions() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip()]
    return [
        (name, rest)
        for name, _, rest in (
            line.partition(" ") for line in lines if line[0] != "#"
        )
    ]


def commands() -> list[list[str]]:
    """The shell commands of all RUN lines, in order."""
    return [
        shlex.split(command)
        for name, line in instructions()
        if name == "RUN"
        for command in line.split(" && ")
    ]


def pip_installs() -> list[list[str]]:
    return [c[len(PIP):] for c in commands() if c[: len(PIP)] == PIP]


def test_no_line_is_of_another_kind():
    kinds = {name for name, _ in instructions()}
    assert kinds == {"FROM", "RUN", "ENV", "WORKDIR", "COPY", "ENTRYPOINT"}


def test_both_stages_have_one_base_with_our_python():
    bases = [rest for name, rest in instructions() if name == "FROM"]
    assert bases == [f"{BASE} AS build", BASE]
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    assert 'python_requires=">=3.10"' in setup


def test_every_command_is_known():
    for command in commands():
        known = (
            command in (["apt-get", "update"], APT)
            or command == ["python", "-m", "venv", "/opt/venv"]
            or command[:2] == ["sed", "-n"]
            or command[: len(PIP)] == PIP
        )
        assert known, command


def test_every_package_comes_from_the_lock_by_its_hash():
    *locked, ours = pip_installs()
    assert [args[-2:] for args in locked] == [
        ["-r", "build.lock"], ["-r", "requirements.lock"]
    ]
    for args in locked:
        assert args[:2] == LOCKED
    # A source package must not fetch its own, newest, build tools.
    assert "--no-build-isolation" in locked[1]
    assert ours == OURS


def test_the_build_tools_are_those_of_the_lock():
    (command,) = (c for c in commands() if c[0] == "sed")
    assert command[3:] == ["requirements.lock", ">", "build.lock"]
    first, last = re.fullmatch(r"/(.*)/,/(.*)/p", command[2]).groups()
    first = first.replace(r"\(", "(").replace(r"\)", ")").replace(r"\|", "|")
    kept, inside = [], False
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for line in lock.splitlines():
        starts = not inside and bool(re.search(first, line))
        if inside or starts:
            kept.append(line)
            inside = starts or not re.search(last, line)
    names = [line.partition("==")[0] for line in kept if "==" in line]
    assert names == ["pip", "setuptools", "wheel"]
    assert kept[-1].strip().startswith("--hash=")
    assert not kept[-1].endswith("\\")


def test_what_is_copied_exists_and_is_all_that_is_packaged():
    copied = [
        name
        for kind, rest in instructions()
        if kind == "COPY" and not rest.startswith("--from")
        for name in rest.split()[:-1]
    ]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    block = setup[setup.index("packages=[") : setup.index("package_data")]
    packages = {name.partition(".")[0] for name in re.findall(r'"(.*)"', block)}
    assert packages <= set(copied)
    manifest = (ROOT / "MANIFEST.in").read_text(encoding="utf-8")
    included = manifest.splitlines()[0].removeprefix("include ").split()
    assert set(included) <= set(copied)


def test_nothing_that_is_copied_is_ignored():
    text = (ROOT / ".dockerignore").read_text(encoding="utf-8")
    first, *rest = text.split()
    assert first == "*"
    allowed = {line[1:] for line in rest if line.startswith("!")}
    copied = {
        name
        for kind, line in instructions()
        if kind == "COPY" and not line.startswith("--from")
        for name in line.split()[:-1]
    }
    assert copied == allowed


@pytest.mark.parametrize("stage", [0, 1])
def test_the_environment_is_the_one_that_is_built(stage):
    given = [rest for name, rest in instructions() if name == "ENV"][stage]
    assert "PATH=/opt/venv/bin:$PATH" in given.split()
    assert SCHEMAS_OF_IMAGE.startswith("/opt/venv/lib/python3.10/")


def test_keras_2_is_chosen_where_components_run():
    *_, last = [rest for name, rest in instructions() if name == "ENV"]
    assert "TF_USE_LEGACY_KERAS=1" in last.split()
    assert ("COPY", "--from=build /opt/venv /opt/venv") in instructions()
    assert instructions()[-1] == ("ENTRYPOINT", '["python"]')
