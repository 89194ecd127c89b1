"""The commands of README's section on serving, as they are written."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from serving import flags, index

README = Path(__file__).parents[2] / "README.md"


def commands(program):
    """Lines of shell blocks that begin with a program."""
    text = README.read_text(encoding="utf-8")
    section = text[text.index("\n## Serving\n") : text.index("\n## Results\n")]
    blocks = re.findall(r"```sh\n(.*?)```", section, re.S)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith(program)]


@pytest.fixture
def run(server_process):
    """Runs a command; only the ports and the demo's ids are other ones."""

    def as_written(line):
        for written, here in (
            ("localhost:8500", server_process.target),
            ("localhost:8501", server_process.rest_target),
            ("i0341", "i3"),
            ("aTAzNDE=", "aTM="),  # the same two ids as base64
        ):
            line = line.replace(written, here)
        done = subprocess.run(
            shlex.split(line), capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return as_written


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
@pytest.mark.parametrize(
    "number, wanted",
    [
        (0, lambda a: a["model_version_status"][0]["state"] == "AVAILABLE"),
        (1, lambda a: "rank" in str(a["metadata"]["signature_def"])),
        (2, lambda a: len(a["outputs"]["item_ids"][0]) == 3),
        (3, lambda a: all(a["predictions"][0]["item_ids"])),
        (4, lambda a: all(a["outputs"]["titles"][0])),
    ],
)
def test_curl_gets_an_answer(run, number, wanted):
    lines = commands("curl")
    assert len(lines) == 5
    assert wanted(json.loads(run(lines[number])))


@pytest.mark.skipif(shutil.which("grpcurl") is None, reason="no grpcurl here")
@pytest.mark.parametrize("number", [0, 1])
def test_grpcurl_gets_an_answer(run, number):
    assert run(commands("grpcurl")[number])


def test_the_server_takes_the_flags_of_its_command():
    (line,) = commands(".venv/bin/python -m serving.server")
    asked = flags.parser("x").parse_args(shlex.split(line)[3:])
    assert (asked.port, asked.rest_api_port) == (8500, 8501)


def test_the_index_takes_its_commands():
    lines = commands(".venv/bin/python -m serving.index")
    asked = [
        index.parser().parse_args(shlex.split(line, comments=True)[3:])
        for line in lines
    ]
    assert {each.run.__name__.strip("_") for each in asked} == {
        "add", "remove", "stats", "compact", "build",
    }


def test_every_flag_that_the_section_names_is_one():
    text = README.read_text(encoding="utf-8")
    section = text[text.index("\n## Serving\n") : text.index("\n## Results\n")]
    help_text = flags.parser("x").format_help()
    named = set(re.findall(r"`(--[a-z_]+)", section))
    assert len(named) > 8
    assert [flag for flag in sorted(named) if flag not in help_text] == []
