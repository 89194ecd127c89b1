from __future__ import annotations

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.anomalies import DataError
from trainer.tables import csv_reader
from trainer.tables.csv_reader import read_csv
from trainer.tables.raw_table import RawTable

# All that UTF-8 can hold.
TEXTS = st.text(st.characters(blacklist_categories=("Cs",)))


@pytest.fixture
def read(tmp_path):
    def read_bytes(data: bytes) -> RawTable:
        path = tmp_path / "items.csv"
        path.write_bytes(data)
        return read_csv(path, "items")

    return read_bytes


def columns_of(table: RawTable) -> dict[str, list[str]]:
    return {name: col.to_pylist() for name, col in table.columns.items()}


def error_names(error: pytest.ExceptionInfo[DataError]) -> list[str]:
    return [anomaly.name for anomaly in error.value.anomalies]


def test_fields_are_text_as_written(read):
    table = read(b"item_id,title\n007, 1.50 \nx,\n")
    assert columns_of(table) == {
        "item_id": ["007", "x"], "title": [" 1.50 ", ""],
    }
    assert table.row_numbers.tolist() == [1, 2]


def test_quoted_fields_hold_commas_quotes_and_line_ends(read):
    table = read(b'item_id,title\n1,"a, ""b""\nc"\n')
    assert columns_of(table)["title"] == ['a, "b"\nc']


@pytest.mark.parametrize("name", ["items.csv", "items.csv.gz"])
def test_gzip_is_told_by_content_not_by_name(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"item_id\n1\n"))
    assert columns_of(read_csv(path, "items")) == {"item_id": ["1"]}


def test_windows_line_ends_and_byte_order_mark_are_no_content(read):
    table = read(b"\xef\xbb\xbfitem_id,title\r\n1,a\r\n2,b\r\n")
    assert columns_of(table) == {"item_id": ["1", "2"], "title": ["a", "b"]}


def test_a_header_alone_is_a_table_without_rows(read):
    table = read(b"item_id,title")
    assert columns_of(table) == {"item_id": [], "title": []}
    assert table.rows_read == 0


def test_rows_with_too_few_or_many_fields_are_handed_back(read):
    table = read(b"item_id,title\n1,a\n2\n3,c,d\n4,e\n")
    assert columns_of(table)["item_id"] == ["1", "4"]
    assert table.row_numbers.tolist() == [1, 4]
    assert table.malformed == [(2, "2"), (3, "3,c,d")]


def test_blank_lines_are_no_rows(read):
    table = read(b"\n\nitem_id,title\n1,a\n\n\n2\n\n3,c\n")
    assert columns_of(table)["item_id"] == ["1", "3"]
    assert table.row_numbers.tolist() == [1, 3]
    assert table.malformed == [(2, "2")]


def test_an_open_quote_in_the_last_column_swallows_no_rows(read):
    table = read(b'item_id,title\n1,a\n2,"b\n3,c\n4,d\n')
    assert columns_of(table) == {"item_id": ["1"], "title": ["a"]}
    assert table.malformed == [(2, '2,"b'), (3, "3,c"), (4, "4,d")]


def test_an_open_quote_in_an_earlier_column_swallows_no_rows(read):
    table = read(b'item_id,title\n1,a\n"2,b\n3,c\n4,d\n')
    assert columns_of(table) == {"item_id": ["1"], "title": ["a"]}
    assert table.malformed == [(2, '"2,b'), (3, "3,c"), (4, "4,d")]


def test_rows_after_a_bad_row_of_several_lines_are_numbered_on(read):
    table = read(b'item_id,title\n"1\n1"\n2,b\n3\n4,d\n')
    assert table.malformed == [(1, '"1'), (2, '1"'), (4, "3")]
    assert table.row_numbers.tolist() == [3, 5]


def test_a_closed_field_may_end_in_a_line_end(read):
    table = read(b'item_id,title\n1,"a\n"\n')
    assert columns_of(table)["title"] == ["a\n"]
    assert table.malformed == []


def test_a_field_of_a_megabyte_is_read(read):
    long = "x" * 1_000_000
    table = read(f'item_id,title\n1,"{long}"\n2,b\n'.encode())
    assert columns_of(table)["title"] == [long, "b"]


def test_blocks_end_at_rows_not_in_quoted_fields(read, monkeypatch):
    monkeypatch.setattr(csv_reader, "_BLOCK_BYTES", 64)
    titles = ["a\nb" * (place % 9) for place in range(40)]
    rows = [f'{place},"{title}"\n' for place, title in enumerate(titles)]
    table = read("".join(["item_id,title\n", *rows]).encode())
    assert columns_of(table)["title"] == titles
    assert table.malformed == []


def test_bytes_that_are_no_utf8_are_replaced_and_located(read):
    table = read(b"item_id,title\n1,a\n2,\xff\x00\xfeb\n")
    assert columns_of(table)["title"] == ["a", "\ufffd\x00\ufffdb"]
    assert table.damaged["title"].tolist() == [False, True]
    assert table.damaged["item_id"].tolist() == [False, False]


def test_a_malformed_row_may_hold_bytes_that_are_no_utf8(read):
    table = read(b"item_id,title\n\xff\n1,a\n")
    assert table.malformed == [(1, "\ufffd")]
    assert columns_of(table)["item_id"] == ["1"]


def test_a_replacement_character_in_utf8_is_no_damage(read):
    table = read("item_id,title\n1,\ufffd\n".encode())
    assert table.damaged == {}


@pytest.mark.parametrize(
    "data", [b"", b"\n\n", b"\xef\xbb\xbf", gzip.compress(b"", mtime=0)]
)
def test_a_file_without_content_is_empty(read, data):
    with pytest.raises(DataError, match="is empty") as error:
        read(data)
    assert error_names(error) == ["empty_file"]


@pytest.mark.parametrize("kept", [5, 12, 40])
def test_a_truncated_gzip_is_named(read, kept):
    data = gzip.compress(b"item_id\n" + bytes(range(97, 123)) * 9)
    assert kept < len(data)
    with pytest.raises(DataError, match="copy or export it again") as error:
        read(data[:kept])
    assert error_names(error) == ["truncated_gzip"]


def test_a_corrupt_gzip_is_named(read):
    data = bytearray(gzip.compress(b"item_id\n1\n"))
    data[-8] ^= 0xFF  # the checksum
    with pytest.raises(DataError, match="truncated_gzip"):
        read(bytes(data))


def test_utf16_is_named(read):
    with pytest.raises(DataError, match="save it as UTF-8"):
        read("item_id\n1\n".encode("utf-16"))


def test_a_column_name_may_not_come_twice(read):
    with pytest.raises(DataError, match=r"items\.title: duplicate_column"):
        read(b"item_id,title,title\n1,a,b\n")


def test_a_binary_file_is_no_csv(read):
    with pytest.raises(DataError, match="unreadable_file"):
        read(b"\x00\x01\x02\n\x00\x00")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match="unreadable_file.*nowhere.csv"):
        read_csv(tmp_path / "nowhere.csv", "items")


@settings(deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=8))
def test_any_text_that_csv_can_write_is_read_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "items.csv"
    lines = [("item_id", "title"), *rows]
    # By hand, because Python's csv module refuses zero bytes.
    quoted = [[text.replace('"', '""') for text in line] for line in lines]
    path.write_bytes("".join(f'"{a}","{b}"\n' for a, b in quoted).encode())
    table = read_csv(path, "items")
    assert list(zip(*columns_of(table).values(), strict=True)) == rows
    assert table.malformed == []


MESSY = b"".join([
    b"item_id,title\n",
    *(b'%d,"a\n%d"\n%d\n' % (row, row, row) for row in range(9)),
    b'"x\ny"\n',
    *(b"%d,\xff%d\n1,2,3\n\n" % (row, row) for row in range(9)),
    b'5,"open\n6,b\n',
])


@pytest.mark.parametrize("block", [40, 64, 100, 300])
def test_blocks_mean_what_the_whole_file_means(read, monkeypatch, block):
    whole = read(MESSY)
    monkeypatch.setattr(csv_reader, "_BLOCK_BYTES", block)
    parts = read(MESSY)
    assert columns_of(parts) == columns_of(whole)
    assert parts.row_numbers.tolist() == whole.row_numbers.tolist()
    assert parts.malformed == whole.malformed
    assert parts.damaged["title"].tolist() == whole.damaged["title"].tolist()
    assert whole.malformed[-2:] == [(39, '5,"open'), (40, "6,b")]
    assert whole.rows_read == 40


def test_a_bad_row_after_a_field_that_ends_in_a_line_end_is_the_bad_one(read):
    table = read(b'item_id,title\n1,"a\n"\n2\n')
    assert columns_of(table)["title"] == ["a\n"]
    assert table.malformed == [(2, "2")]


def test_the_header_can_be_read_alone(tmp_path):
    path = tmp_path / "items.csv"
    path.write_bytes(b"item_id,\xff\n1")
    with path.open("rb") as file:
        assert csv_reader.csv_header(file, "items.csv", "items") == [
            "item_id", "\ufffd",
        ]


def test_a_quote_that_stays_open_for_long_is_named(read, monkeypatch):
    monkeypatch.setattr(csv_reader, "_BLOCK_BYTES", 64)
    with pytest.raises(DataError, match="never closed") as error:
        read(b'item_id,title\n1,"a\n' + b"2,b\n" * 100)
    assert error_names(error) == ["unreadable_file"]
