from __future__ import annotations

import gzip
import re
import time
from pathlib import Path

import pytest
from raw_dumps import write

from benchmarks.convert.faults import BadLineError, ConversionError
from benchmarks.convert.reader import Reader


def number(line: str) -> int:
    if not line.isdecimal():
        raise BadLineError(f"{line!r} is no number")
    return int(line)


@pytest.mark.parametrize("name", ["raw.txt", "raw.txt.gz", "raw"])
def test_lines_are_read_from_plain_and_gzipped_files(
    tmp_path: Path, name: str
) -> None:
    path = write(tmp_path, name, ["12", "", "  ", "3"])
    reader = Reader()
    assert list(reader.rows(path, number)) == [12, 3]
    assert reader.reports[path].lines == 2
    assert reader.reports[path].rejected == 0


def test_gzip_is_told_by_its_bytes_not_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "raw.txt"
    path.write_bytes(gzip.compress(b"7\n"))
    assert list(Reader().rows(path, number)) == [7]


def test_line_ends_of_windows_and_a_byte_order_mark_are_no_text(
    tmp_path: Path,
) -> None:
    path = tmp_path / "raw.txt"
    path.write_bytes(b"\xef\xbb\xbf1\r\n2\r\n3")
    assert list(Reader().rows(path, number)) == [1, 2, 3]


def test_bad_lines_are_counted_by_their_number_in_the_file(
    tmp_path: Path,
) -> None:
    lines = ["1"] * 300
    lines[0], lines[4], lines[7] = "", "x", "y"
    path = write(tmp_path, "raw.txt", lines)
    reader = Reader()
    assert list(reader.rows(path, number)) == [1] * 297
    report = reader.reports[path]
    assert (report.lines, report.rejected) == (299, 2)
    assert report.first_bad == [
        "line 5 ('x' is no number)", "line 8 ('y' is no number)",
    ]


def test_text_of_another_encoding_is_a_bad_line(tmp_path: Path) -> None:
    path = write(tmp_path, "raw.txt", ["a"] * 99 + ["é"], "latin-1")
    reader = Reader()
    assert list(reader.rows(path, str)) == ["a"] * 99
    assert reader.reports[path].first_bad == ["line 100 (is no utf-8 text)"]
    assert list(Reader().rows(path, str, encoding="latin-1"))[-1] == "é"


def test_too_many_bad_lines_stop_the_reading(tmp_path: Path) -> None:
    path = write(tmp_path, "raw.txt", ["1", "x"])
    with pytest.raises(ConversionError, match="1 of the 2 lines of raw.txt"):
        list(Reader().rows(path, number))


def test_a_header_is_no_line(tmp_path: Path) -> None:
    path = write(tmp_path, "raw.csv", ["number", "x", *["4"] * 100])
    reader = Reader()
    assert list(reader.rows(path, number, header="number")) == [4] * 100
    assert reader.reports[path].lines == 101
    assert reader.reports[path].first_bad == ["line 2 ('x' is no number)"]


@pytest.mark.parametrize("first", ["numbers", "1"])
def test_another_header_is_an_error(tmp_path: Path, first: str) -> None:
    path = write(tmp_path, "raw.csv", [first, "1"])
    with pytest.raises(ConversionError, match=f"starts with '{first}', and"):
        list(Reader().rows(path, number, header="number"))


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", gzip.compress(b"", mtime=0)]
)
def test_an_empty_file_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "raw.txt"
    path.write_bytes(content)
    with pytest.raises(ConversionError, match="has no lines"):
        list(Reader().rows(path, number))


def test_a_truncated_gzip_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path, "raw.gz", [str(n) for n in range(9999)])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ConversionError, match="cannot be decompressed to its"):
        list(Reader().rows(path, number))


def test_a_damaged_gzip_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path, "raw.gz", [str(n) for n in range(9999)])
    data = bytearray(path.read_bytes())
    data[5000:5100] = bytes(100)
    path.write_bytes(data)
    with pytest.raises(ConversionError, match="cannot be decompressed to its"):
        list(Reader().rows(path, number))


def test_a_progress_bar_goes_by_bytes_and_tells_the_time_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, "raw.txt", ["1234567"] * 10_000)  # 8 bytes a line
    for place, _ in enumerate(Reader().rows(path, number)):
        if place == 5000:
            time.sleep(1.1)  # the bar is drawn once a second
    shown = capsys.readouterr().err
    assert "raw.txt:   0%" in shown
    # At 5,120 lines, 41 kB and what is read ahead.
    assert re.search(r"raw.txt:  5\d%.*4\d.\dk/80.0k \[00:01<00:0\d", shown)
