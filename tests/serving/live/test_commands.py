"""The commands of a live catalogue, as a shell calls them."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys

import pytest
from processes import beside

from serving import index
from serving.live.compaction import compact
from serving.live.journal import Journal
from serving.manifest import Manifest


def run(capsys, *arguments):
    """Exit code and what was said, on either stream."""
    code = index.main([str(each) for each in arguments])
    said = capsys.readouterr()
    return code, said.out + said.err


def test_items_come_from_a_file_or_the_command_line(shop, tmp_path, capsys):
    table = tmp_path / "new.csv"
    table.write_text("item_id,title\na,A\nb,B\n")
    assert run(capsys, "add", shop.base, "--items", table) == (
        0, "added 2 (journal at 2)\n",
    )
    one = ("--item_id", "c", "--title", "C", "--available_from", "9")
    assert run(capsys, "add", shop.twin_base, *one)[0] == 0
    _, records = Journal(shop.base).read()
    assert [each.item_id for each in records] == ["a", "b", "c"]
    assert records[2].available_from == 9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "either --items FILE or the columns"),
        (["--items", "x.csv", "--item_id", "a"], "either --items FILE or"),
        (["--item_id", "a"], "the command line, row 1: no text"),
        (["--title", "A"], "item_id is missing"),
        (["--items", "none.csv"], "none.csv: No such file"),
    ],
)
def test_what_cannot_be_added_is_told(shop, capsys, arguments, message):
    code, said = run(capsys, "add", shop.base, *arguments)
    assert code == 1
    assert said.startswith("error: ") and message in said
    assert not Journal(shop.base).path.exists()


def test_unknown_ids_are_not_removed(shop, capsys):
    run(capsys, "add", shop.base, "--item_id=new", "--title=A")
    arguments = ("remove", shop.base, "i4", "no", "new", "nor")
    code, said = run(capsys, *arguments)
    assert code == 1
    assert "has no item 'no' and 1 others: nothing was removed" in said
    assert len(Journal(shop.base).read()[1]) == 1
    assert run(capsys, "remove", shop.base, "i4", "new", "i4") == (
        0, "removed 2 (journal at 3)\n",
    )


def test_a_folder_without_versions_is_told(tmp_path, capsys):
    for command in (["stats"], ["compact"], ["remove", "x"], ["add"]):
        arguments = [command[0], tmp_path, *command[1:]]
        if command == ["add"]:
            arguments += ["--item_id=a", "--title=b"]
        code, said = run(capsys, *arguments)
        assert code == 1 and "has no version; pass the folder" in said


def test_a_version_of_an_earlier_release_is_told(shop, capsys):
    written = Manifest.read(shop.base / "1")
    dataclasses.replace(written, journal={}).write(shop.base / "1")
    code, said = run(capsys, "remove", shop.base, "i1")
    assert code == 1 and "exported by an earlier release" in said


def test_stats(shop, capsys):
    run(capsys, "add", shop.base, "--item_id=a", "--title=A")
    run(capsys, "add", shop.base, "--item_id=a", "--title=B")
    run(capsys, "add", shop.base, "--item_id=b", "--title=B")
    run(capsys, "remove", shop.base, "i1", "i2", "b")
    told = json.loads(run(capsys, "stats", shop.twin_base)[1])
    wanted = {
        "version": 1,
        "version_items": 150,
        "added": 1,
        "removed": 2,
        "items": 149,
        "journal_bytes": os.path.getsize(Journal(shop.base).path),
        "journal_records": 6,
        "not_compacted": 4,
    }
    assert {key: told[key] for key in wanted} == wanted
    assert told["index"]["recall@10"] == 1.0
    assert 0 <= told["journal_age_seconds"] < 60
    assert told["version_age_seconds"] >= 0
    compact(shop.base)
    run(capsys, "remove", shop.base, "i1", "i5")
    told = json.loads(run(capsys, "stats", shop.base)[1])
    wanted = {"version": 2, "version_items": 149, "added": 0, "removed": 1}
    assert {key: told[key] for key in wanted} == wanted
    assert told["items"] == 148 and told["not_compacted"] == 2


def test_compact_says_what_it_did(shop, capsys):
    assert run(capsys, "compact", shop.base)[1].startswith(
        f"{shop.base / '1'} (as it was)\n"
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["add", "--item_id=a", "--title=A"], "added 1 (journal at 1)"),
        (["remove", "i4"], "removed 1 (journal at 1)"),
    ],
)
def test_items_come_and_go_without_tensorflow(shop, arguments, told):
    command, *others = arguments
    code = (
        "import sys; from serving import index\n"
        "index.main(sys.argv[1:])\n"
        "print('tensorflow' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, command, str(shop.base), *others],
        check=True,
        capture_output=True,
        **beside(shop.base.parent),
    ).stdout
    assert said == f"{told}\nFalse\n"


def test_ids_of_a_compacted_version_and_an_earlier_release(shop, capsys):
    run(capsys, "add", shop.base, "--item_id=neü", "--title=A")
    compact(shop.base)
    shutil.rmtree(shop.base / "1")
    assert run(capsys, "remove", shop.base, "neü", "i4")[0] == 0
    for path in (shop.base / "2").rglob("item_ids.json"):
        assert json.loads(path.read_text())[-1] == "neü"
        path.unlink()
    assert run(capsys, "remove", shop.base, "neü", "i5")[0] == 0
    assert run(capsys, "remove", shop.base, "new")[0] == 1


@pytest.mark.parametrize("content", [b"[broken", b"\xff"])
def test_damaged_ids_are_told(shop, capsys, content):
    path = shop.base / "1" / "assets.extra" / "item_ids.json"
    path.write_bytes(content)
    code, said = run(capsys, "remove", shop.base, "i4")
    assert code == 1
    assert said.startswith(f"error: {path} is damaged: ")
    assert not Journal(shop.base).path.exists()
