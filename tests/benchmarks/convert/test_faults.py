from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.convert.faults import ConversionError, FileReport


def report(lines: int, rejected: int) -> FileReport:
    made = FileReport(Path("raw/reviews.json"), lines)
    for number in range(1, rejected + 1):
        made.reject(number * 10, "is no JSON")
    return made


def test_a_report_names_the_first_bad_lines_only():
    assert str(report(2000, 6)) == (
        "6 of the 2,000 lines of reviews.json cannot be used: line 10 (is no "
        "JSON), line 20 (is no JSON), line 30 (is no JSON), line 40 (is no "
        "JSON), line 50 (is no JSON), ..."
    )
    assert str(report(2000, 1)).endswith("used: line 10 (is no JSON)")


def test_one_bad_line_in_a_hundred_is_put_up_with():
    report(200, 2).check()


def test_more_than_that_is_an_error():
    with pytest.raises(ConversionError, match=r"2 of the 199 lines.*1% may"):
        report(199, 2).check()


def test_a_file_without_lines_is_an_error():
    with pytest.raises(ConversionError, match="raw/reviews.json has no lines"):
        report(0, 0).check()
