from __future__ import annotations

from pathlib import Path

import pytest
from raw_dumps import load, rows, write

from benchmarks.convert.conversion import Options, convert
from benchmarks.convert.faults import ConversionError
from benchmarks.convert.movielens import movielens

FLAGS = "|0|0|0|0|0|1|0|0|0|0|0|0|0|0|0|0|0|0|0"  # Comedy


def converted(raw: Path) -> Path:
    out = raw.parent / "out"
    convert(movielens(raw), out, Options())
    return out


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return tmp_path / "raw"


def test_100k(raw: Path) -> None:
    ratings = ["1\t20\t3\t100", "2\t20\t5\t90", "1\t10\t4\t100", "2\t10\t1\t95"]
    write(raw, "u.data", ratings)
    movies = [f"10|Café (1990)||||{FLAGS[1:]}", f"20|B||||{FLAGS[1:]}"]
    write(raw, "u.item", [*movies, f"30|C||||{FLAGS[1:]}"], "latin-1")
    users = ["1|24|M|writer|1", "2|53|F|other|2", "3|9|F|x|3"]
    write(raw, "u.user", users, "latin-1")
    out = converted(raw)
    assert rows(out, "events") == [
        ["user_id", "item_id", "timestamp", "rating"],
        ["1", "20", "100", "3"],
        ["2", "20", "90", "5"],
        ["1", "10", "100", "4"],
        ["2", "10", "95", "1"],
    ]
    assert rows(out, "items") == [
        ["item_id", "title", "categories"],
        ["10", "Café (1990)", "Comedy"],
        ["20", "B", "Comedy"],
    ]
    assert rows(out, "users") == [
        ["user_id", "age", "gender", "occupation"],
        ["1", "24", "M", "writer"],
        ["2", "53", "F", "other"],
    ]
    dataset = load(out)
    assert dataset.anomalies == []
    assert dataset.notes == []
    assert dataset.users.profiles[0] == "age: 24, gender: M, occupation: writer"


def test_1m_is_latin_1_and_has_users(raw: Path) -> None:
    write(raw, "ratings.dat", ["1::10::5::978300760", "1::20::3::978302109"])
    movies = ["10::Misérables::Drama|War", "20::B::Comedy"]
    write(raw, "movies.dat", movies, "latin-1")
    write(raw, "users.dat", ["1::F::25::6::48067"])
    out = converted(raw)
    assert rows(out, "events")[1:] == [
        ["1", "10", "978300760", "5"], ["1", "20", "978302109", "3"],
    ]
    assert rows(out, "items")[1] == ["10", "Misérables", "Drama | War"]
    assert rows(out, "users") == [
        ["user_id", "age_group", "gender", "occupation"],
        ["1", "25-34", "F", "doctor/health care"],
    ]
    assert load(out).anomalies == []


def test_10m_is_utf_8_and_has_no_users(raw: Path) -> None:
    write(raw, "ratings.dat", ["1::10::4.5::838985046", "1::20::0.5::8389835"])
    write(raw, "movies.dat", ["10::Misérables::Drama", "20::B::Comedy"])
    write(raw, "tags.dat", ["1::10::sad::838985050"])
    out = converted(raw)
    assert [row[-1] for row in rows(out, "events")] == ["rating", "4.5", "0.5"]
    assert rows(out, "items")[1] == ["10", "Misérables", "Drama"]
    assert not (out / "users.csv.gz").exists()
    assert load(out).anomalies == []


def test_20m_and_later_are_csv(raw: Path) -> None:
    header = "userId,movieId,rating,timestamp"
    write(raw, "ratings.csv", [header, "1,10,4.0,964982703", "1,20,3.5,9649"])
    movies = [
        '10,"Misérables, Les (1995)",Drama|War', "20,B,(no genres listed)",
    ]
    write(raw, "movies.csv", ["movieId,title,genres", *movies])
    out = converted(raw)
    assert rows(out, "events")[1:] == [
        ["1", "10", "964982703", "4"], ["1", "20", "9649", "3.5"],
    ]
    assert rows(out, "items")[1:] == [
        ["10", "Misérables, Les (1995)", "Drama | War"], ["20", "B", ""],
    ]
    assert load(out).anomalies == []


def test_a_csv_with_other_columns_is_refused(raw: Path) -> None:
    write(raw, "ratings.csv", ["user,item,rating,timestamp", "1,10,4.0,9"])
    write(raw, "movies.csv", ["movieId,title,genres", "10,A,Drama"])
    with pytest.raises(ConversionError, match="'userId,movieId,rating,timest"):
        converted(raw)


def test_a_folder_without_ratings_or_movies_says_what_it_lacks(
    raw: Path,
) -> None:
    raw.mkdir()
    with pytest.raises(ConversionError, match="no u.data, ratings.dat or rat"):
        movielens(raw)
    write(raw, "ratings.dat", ["1::10::5::9"])
    with pytest.raises(ConversionError, match="no movies.dat; found: ratings"):
        movielens(raw)
    write(raw, "ratings.csv", ["x"])
    with pytest.raises(ConversionError, match="more than one u.data, ratings"):
        movielens(raw)
