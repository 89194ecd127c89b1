from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.fingerprint import source_fingerprint

Files = Callable[[str, str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    """Writes files of a package `marked_goods` and a module `marked_good`."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def to(name: str, text: str) -> None:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(text)
        importlib.invalidate_caches()

    to("marked_goods/__init__.py", "")
    to("marked_goods/inner/__init__.py", "")
    to("marked_goods/inner/deep.py", "one = 1\n")
    to("marked_goods/schema.pbtxt", "feature {}\n")
    to("marked_goods/notes.md", "notes\n")
    to("marked_good.py", "two = 2\n")
    return to


def fingerprint() -> str:
    return source_fingerprint("marked_goods", "marked_good")


def test_it_is_sixteen_digits_and_stays_the_same(write: Files) -> None:
    assert len(fingerprint()) == 16
    assert int(fingerprint(), 16) > 0
    assert fingerprint() == fingerprint()


@pytest.mark.parametrize(
    "name",
    [
        "marked_good.py", "marked_goods/__init__.py",
        "marked_goods/inner/deep.py", "marked_goods/schema.pbtxt",
        "marked_goods/inner/new.py",
    ],
)
def test_it_changes_with_any_source_file(write: Files, name: str) -> None:
    before = fingerprint()
    write(name, "three = 3\n")
    assert fingerprint() != before


def test_it_changes_when_a_file_gets_another_name(
    write: Files, tmp_path: Path
) -> None:
    before = fingerprint()
    file = tmp_path / "marked_goods" / "inner" / "deep.py"
    file.rename(file.with_name("deeper.py"))
    assert fingerprint() != before


def test_other_files_do_not_count(write: Files) -> None:
    before = fingerprint()
    write("marked_goods/notes.md", "other notes\n")
    write("elsewhere.py", "four = 4\n")
    assert fingerprint() == before


def test_the_order_of_the_names_does_not_count(write: Files) -> None:
    assert fingerprint() == source_fingerprint("marked_good", "marked_goods")


def test_a_module_alone_is_not_its_package(write: Files) -> None:
    before = source_fingerprint("marked_goods.inner.deep")
    write("marked_goods/inner/__init__.py", "five = 5\n")
    assert source_fingerprint("marked_goods.inner.deep") == before


def test_an_unknown_module_is_named() -> None:
    with pytest.raises(ValueError, match="no module 'no_such_module'"):
        source_fingerprint("no_such_module")
    with pytest.raises(ValueError, match="'pipeline.no_such'"):
        source_fingerprint("pipeline.no_such")


def test_every_source_that_a_component_names_is_there() -> None:
    from pipeline import example_gen, sequence_builder

    for module in (example_gen, sequence_builder):
        assert len(source_fingerprint(*module._SOURCES)) == 16
