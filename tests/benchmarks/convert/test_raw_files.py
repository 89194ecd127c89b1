from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.convert.faults import ConversionError
from benchmarks.convert.raw_files import RawFolder


def folder(tmp_path: Path, *names: str) -> RawFolder:
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return RawFolder(tmp_path, "Some Dump (Someone)")


def test_whole_names_are_matched(tmp_path: Path) -> None:
    raw = folder(
        tmp_path, "meta_A.json", "meta_A.json.gz", "old_meta_A.json",
        "meta_A.json.part",
    )
    assert [p.name for p in raw.find(r"meta_A\.json(\.gz)?")] == [
        "meta_A.json", "meta_A.json.gz",
    ]
    assert raw.find_one(r"old.*", wanted="x").name == "old_meta_A.json"


def test_a_missing_file_is_named_with_what_is_there(tmp_path: Path) -> None:
    raw = folder(tmp_path, "b.txt", "a/c.txt")
    with pytest.raises(ConversionError) as caught:
        raw.find_one(r"u\.data", wanted="u.data")
    assert str(caught.value) == (
        f"{tmp_path} has no u.data; found: a/, b.txt. Get Some Dump (Someone), "
        "unpack it, and give the folder of its files."
    )


def test_an_empty_folder_and_a_full_one_are_described(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="found: nothing. Get"):
        folder(tmp_path).find_one("x", wanted="x")
    raw = folder(tmp_path, *(f"f{n:02}" for n in range(23)))
    with pytest.raises(ConversionError, match="f19 and 3 others. Get"):
        raw.find_one("x", wanted="x")


def test_a_folder_further_in_is_pointed_to(tmp_path: Path) -> None:
    raw = folder(tmp_path, "ml-100k/u.data")
    with pytest.raises(ConversionError, match=r"Give .*/ml-100k, which has it"):
        raw.find_one(r"u\.data", wanted="u.data")


def test_an_archive_is_to_be_unpacked(tmp_path: Path) -> None:
    raw = folder(tmp_path, "ml-100k.zip")
    with pytest.raises(ConversionError, match="found: ml-100k.zip. Unpack it"):
        raw.find_one(r"u\.data", wanted="u.data")


def test_several_files_are_named(tmp_path: Path) -> None:
    raw = folder(tmp_path, "a_5.json", "b_5.json")
    with pytest.raises(ConversionError, match="than one core: a_5.json, b_5"):
        raw.find_one(r".*_5\.json", wanted="core")


def test_raw_must_be_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="does not exist; RAW is the"):
        RawFolder(tmp_path / "no", "Some Dump")
    (tmp_path / "a.zip").write_text("x")
    with pytest.raises(ConversionError, match="is a file; RAW is .*Some Dump"):
        RawFolder(tmp_path / "a.zip", "Some Dump")
