from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.convert.faults import ConversionError
from benchmarks.convert.output import check_free, replaced, write_table


def test_a_table_is_gzipped_csv_with_a_header(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    write_table(path, ["a", "b"], [["x,y", 'say "z"'], ["é", ""]])
    assert gzip.decompress(path.read_bytes()).decode() == (
        'a,b\n"x,y","say ""z"""\né,\n'
    )


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    write_table(tmp_path / "1.csv.gz", ["a"], [["x"]])
    time.sleep(1.1)  # a gzip header counts seconds
    write_table(tmp_path / "2.csv.gz", ["a"], [["x"]])
    first, second = (tmp_path / f"{n}.csv.gz" for n in (1, 2))
    assert first.read_bytes() == second.read_bytes()


def fill(out: Path, *names: str) -> Path:
    out.mkdir()
    for name in names:
        (out / name).write_text("old")
    return out


def test_a_new_or_empty_folder_is_free(tmp_path: Path) -> None:
    check_free(tmp_path / "a" / "b", overwrite=False)
    check_free(fill(tmp_path / "out"), overwrite=False)


def test_tables_are_overwritten_only_if_told_so(tmp_path: Path) -> None:
    out = fill(tmp_path / "out", "events.csv.gz", "users.csv.gz")
    with pytest.raises(ConversionError, match="events.csv.gz, users.csv.gz"):
        check_free(out, overwrite=False)
    check_free(out, overwrite=True)


@pytest.mark.parametrize("overwrite", [False, True])
def test_other_files_are_never_overwritten(
    tmp_path: Path, overwrite: bool
) -> None:
    out = fill(tmp_path / "out", "events.csv.gz", "thesis.tex")
    with pytest.raises(ConversionError, match="holds 'thesis.tex', which is"):
        check_free(out, overwrite)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(ConversionError, match="is a file; give a folder"):
        check_free(tmp_path / "out", overwrite=True)


@pytest.fixture(params=["absent", "empty", "full"])
def out(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    out = tmp_path / "parent" / "out"
    if request.param != "absent":
        out.parent.mkdir()
        fill(out, *(["items.csv.gz"] if request.param == "full" else []))
    yield out
    # Nothing else is left beside it, whatever happened.
    assert {path.name for path in out.parent.iterdir()} <= {"out"}


def test_a_new_folder_takes_the_place_of_the_old(out: Path) -> None:
    with replaced(out) as folder:
        (folder / "events.csv.gz").write_text("new")
        assert not (out / "events.csv.gz").exists()
    assert [path.name for path in out.iterdir()] == ["events.csv.gz"]
    assert (out / "events.csv.gz").read_text() == "new"


def test_after_a_fault_the_old_folder_is_as_it_was(out: Path) -> None:
    before = sorted(out.iterdir()) if out.exists() else None
    with pytest.raises(KeyboardInterrupt), replaced(out) as folder:
        (folder / "events.csv.gz").write_text("new")
        raise KeyboardInterrupt
    assert (sorted(out.iterdir()) if out.exists() else None) == before
