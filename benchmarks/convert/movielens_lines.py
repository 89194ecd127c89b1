"""Lines of MovieLens files: ratings, movies and users, in three formats.

Formats: the READMEs of GroupLens, beside each data set.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable

from benchmarks.convert.faults import BadLineError
from benchmarks.convert.source import Row
from benchmarks.convert.values import (
    as_categories,
    as_id,
    as_rating,
    as_text,
    as_time,
)
from schema import features

_NO_GENRES = "(no genres listed)"
# Of u.item, in the order of its flags; the first flag, unknown, is none.
_GENRES_100K = (
    "", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime",
    "Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical",
    "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)
_BEFORE_FLAGS = 5  # fields of u.item: id, title, two dates, a URL
_AGES_1M = {
    "1": "under 18", "18": "18-24", "25": "25-34", "35": "35-44",
    "45": "45-49", "50": "50-55", "56": "56+",
}
_NAMES_1M = (
    "other", "academic/educator", "artist", "clerical/admin",
    "college/grad student", "customer service", "doctor/health care",
    "executive/managerial", "farmer", "homemaker", "K-12 student", "lawyer",
    "programmer", "retired", "sales/marketing", "scientist", "self-employed",
    "technician/engineer", "tradesman/craftsman", "unemployed", "writer",
)
_OCCUPATIONS_1M = {str(code): name for code, name in enumerate(_NAMES_1M)}

AGE, AGE_GROUP = "age", "age_group"
GENDER, OCCUPATION = "gender", "occupation"
Rating = tuple[str, str, int, float]  # user, item, seconds, rating


def _split(line: str, mark: str, count: int) -> list[str]:
    fields = line.split(mark)
    if len(fields) != count:
        raise BadLineError(f"has {len(fields)} fields, not {count}")
    return fields


def rating_parser(mark: str) -> Callable[[str], Rating]:
    """What reads a line of u.data, ratings.dat or ratings.csv.

    Args:
        mark: between the fields.
    """

    def parse(line: str) -> Rating:
        user, item, rating, time = _split(line, mark, 4)
        return as_id(user), as_id(item), as_time(time), as_rating(rating)

    return parse


def _movie(item: str, title: str, genres: Iterable[str]) -> Row:
    return {
        features.ITEM_ID: as_id(item),
        features.TITLE: as_text(title),
        features.CATEGORIES: as_categories([as_text(name)] for name in genres),
    }


def movie_100k(line: str) -> Row:
    """A line of u.item.

    Raises:
        BadLineError: if it is none; so do the others below.
    """
    fields = _split(line, "|", _BEFORE_FLAGS + len(_GENRES_100K))
    flags = fields[_BEFORE_FLAGS:]
    if not set(flags) <= {"0", "1"}:
        raise BadLineError("has a genre flag that is neither 0 nor 1")
    pairs = zip(_GENRES_100K, flags, strict=True)
    genres = [genre for genre, flag in pairs if flag == "1"]
    return _movie(fields[0], fields[1], genres)


def movie_dat(line: str) -> Row:
    """A line of movies.dat."""
    # A title may hold the mark; an id and genres do not.
    item, _, rest = line.partition("::")
    title, mark, genres = rest.rpartition("::")
    if not mark:
        raise BadLineError("has fewer than 3 fields")
    return _movie(item, title, genres.split("|"))


def movie_csv(line: str) -> Row:
    """A line of movies.csv."""
    try:
        fields = next(csv.reader([line], strict=True))
    except csv.Error as error:
        raise BadLineError(f"is no CSV: {error}") from error
    if len(fields) != 3:
        raise BadLineError(f"has {len(fields)} fields, not 3")
    item, title, genres = fields
    return _movie(item, title, genres.replace(_NO_GENRES, "").split("|"))


def user_100k(line: str) -> Row:
    """A line of u.user."""
    user, age, gender, occupation, _ = _split(line, "|", 5)
    return {
        features.USER_ID: as_id(user),
        AGE: as_text(age),
        GENDER: as_text(gender),
        OCCUPATION: as_text(occupation),
    }


def user_1m(line: str) -> Row:
    """A line of users.dat, its codes as words."""
    user, gender, age, occupation, _ = _split(line, "::", 5)
    for code, known in ((age, _AGES_1M), (occupation, _OCCUPATIONS_1M)):
        if code not in known:
            raise BadLineError(f"has an unknown code, {code!r}")
    return {
        features.USER_ID: as_id(user),
        AGE_GROUP: _AGES_1M[age],
        GENDER: as_text(gender),
        OCCUPATION: _OCCUPATIONS_1M[occupation],
    }
