from __future__ import annotations

from trainer.anomalies import Anomaly, DataError, nearest, table_error


def test_a_line_says_severity_place_name_rows_and_remedy():
    anomaly = Anomaly("bad_rating", "events", "rating", 2, (3, 8), "mend it.")
    assert str(anomaly) == (
        "reject: events.rating: bad_rating in 2 rows (3, 8): mend it."
    )


def test_a_line_shows_that_there_are_more_rows_than_named():
    anomaly = Anomaly("x", "items", "", 1234, (1, 2), "mend it.", "note")
    assert str(anomaly) == "note: items: x in 1,234 rows (1, 2, ...): mend it."


def test_a_fault_of_a_whole_table_has_no_rows():
    anomaly = table_error("missing_column", "items", "add it.", column="title")
    assert str(anomaly) == "error: items.title: missing_column: add it."


def test_an_error_lists_its_summary_and_every_anomaly():
    first = table_error("empty_file", "items", "fill it.")
    second = table_error("missing_table", "events", "add it.")
    error = DataError([first, second], "Nothing can be read.")
    assert str(error).splitlines() == [
        "Nothing can be read.",
        "error: items: empty_file: fill it.",
        "error: events: missing_table: add it.",
    ]
    assert error.anomalies == (first, second)


def test_the_nearest_name_does_not_mind_case():
    assert nearest("TIMESTAMP", ["user_id", "timeStamp"]) == "timeStamp"


def test_no_name_is_near_to_something_else():
    assert nearest("colour", ["user_id", "timestamp"]) is None
