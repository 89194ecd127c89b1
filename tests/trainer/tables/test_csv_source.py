from __future__ import annotations

import gzip
import io

import pytest

from trainer.anomalies import DataError
from trainer.tables import csv_source
from trainer.tables.csv_source import DAMAGE_MARK, CsvSource


def source_of(data: bytes) -> CsvSource:
    return CsvSource(io.BytesIO(data), "items.csv", "items")


def read_by(source: CsvSource, size: int) -> list[bytes]:
    return list(iter(lambda: source.read(size), b""))


def test_blocks_are_as_long_as_asked_until_the_end():
    assert read_by(source_of(b"abcdefg\n"), 3) == [b"abc", b"def", b"g\n"]


def test_the_text_ends_in_a_line_end():
    assert source_of(b"a").read() == b"a\n"
    assert source_of(b"a\r").read() == b"a\r"


def test_the_head_can_be_looked_at_before_reading():
    source = source_of(b"\xef\xbb\xbfa,b\n")
    assert source.head == "a,b\n"
    assert source.read() == b"a,b\n"


@pytest.mark.parametrize("chunk", [1, 2, 3, 5])
def test_characters_may_be_cut_by_chunks(monkeypatch, chunk):
    monkeypatch.setattr(csv_source, "_CHUNK_BYTES", chunk)
    text = "a\u00e9\u4e2d\U0001f600z\n"
    source = source_of(text.encode())
    assert b"".join(read_by(source, 2)).decode() == text
    assert not source.has_damage


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_bytes_that_are_no_utf8_are_marked(monkeypatch, chunk):
    monkeypatch.setattr(csv_source, "_CHUNK_BYTES", chunk)
    source = source_of(b"a\xffb\xe4\xb8")
    text = b"".join(read_by(source, 4)).decode()
    assert text == f"a{DAMAGE_MARK}b{DAMAGE_MARK}\n"
    assert source.has_damage


def test_the_last_line_is_known_at_the_end():
    source = source_of(b'a\n"b\n"\n')
    read_by(source, 3)
    assert source.last_line == b'"'


def test_a_gzip_that_breaks_off_later_is_named(monkeypatch):
    monkeypatch.setattr(csv_source, "_CHUNK_BYTES", 64)
    lines = "".join(f"{number},{number**7}\n" for number in range(500))
    data = gzip.compress(lines.encode())
    source = source_of(data[: len(data) // 2])
    with pytest.raises(DataError, match="truncated_gzip"):
        read_by(source, 64)


def test_a_file_may_start_with_many_blank_lines(monkeypatch):
    monkeypatch.setattr(csv_source, "_CHUNK_BYTES", 4)
    assert source_of(b"\n" * 50 + b"a\n").read().strip() == b"a"
