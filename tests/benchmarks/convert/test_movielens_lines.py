from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks.convert import movielens_lines as lines
from benchmarks.convert.faults import BadLineError

# 24 fields: id, title, two dates, URL, 19 flags; Action, Drama and Western.
ITEM = "7|Dry Run (1994)|01-Jan-1994||http://x|" + "|".join(
    "1" if place in (1, 8, 18) else "0" for place in range(19)
)


def test_ratings_are_read_whatever_stands_between_the_fields():
    for mark in ("\t", "::", ","):
        line = mark.join(["196", "242", "3.5", "881250949"])
        assert lines.rating_parser(mark)(line) == ("196", "242", 881250949, 3.5)


def test_flags_name_the_genres():
    assert lines.movie_100k(ITEM) == {
        "item_id": "7", "title": "Dry Run (1994)",
        "categories": "Action | Drama | Western",
    }


def test_the_flag_of_unknown_genres_names_none():
    line = "7|T|||x|1" + "|0" * 18
    assert lines.movie_100k(line)["categories"] == ""


def test_genres_of_dat_files_are_separated_by_bars():
    assert lines.movie_dat("7::Dry: Run::Again (1994)::Comedy|Sci-Fi") == {
        "item_id": "7", "title": "Dry: Run::Again (1994)",
        "categories": "Comedy | Sci-Fi",
    }


def test_titles_of_csv_files_may_be_quoted():
    assert lines.movie_csv('7,"Run, ""Dry"" (1994)",Film-Noir|IMAX') == {
        "item_id": "7", "title": 'Run, "Dry" (1994)',
        "categories": "Film-Noir | IMAX",
    }
    row = lines.movie_csv("8,Run (1995),(no genres listed)")
    assert row["categories"] == ""


def test_users_have_words_for_codes():
    assert lines.user_100k("1|24|M|technician|85711") == {
        "user_id": "1", "age": "24", "gender": "M", "occupation": "technician",
    }
    assert lines.user_1m("9::F::56::20::48067") == {
        "user_id": "9", "gender": "F", "age_group": "56+",
        "occupation": "writer",
    }
    row = lines.user_1m("1::F::1::10::48067")
    assert (row["age_group"], row["occupation"]) == ("under 18", "K-12 student")


@pytest.mark.parametrize(
    ("parse", "line"),
    [
        (lines.rating_parser("::"), "1::2::3"),
        (lines.rating_parser("::"), "1::2::3::4::5"),
        (lines.rating_parser(","), "1,,3,4"),
        (lines.rating_parser(","), "1,2,x,4"),
        (lines.rating_parser(","), "1,2,3,x"),
        (lines.movie_100k, ITEM + "|0"),
        (lines.movie_100k, ITEM[:-1] + "2"),
        (lines.movie_dat, "7::Title"),
        (lines.movie_dat, "::Title::Drama"),
        (lines.movie_csv, '7,"Title,Drama'),
        (lines.movie_csv, "7,Title"),
        (lines.user_100k, "1|24|M|technician"),
        (lines.user_1m, "1::F::2::10::48067"),
        (lines.user_1m, "1::F::1::21::48067"),
        (lines.user_1m, "1::F::1::-1::48067"),
    ],
)
def test_other_lines_are_bad(
    parse: Callable[[str], object], line: str
) -> None:
    with pytest.raises(BadLineError):
        parse(line)
