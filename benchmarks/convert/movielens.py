"""MovieLens: 100K, 1M, 10M, and 20M, 25M, 32M or latest, told by their files.

Ratings are kept. Genres become categories; tags are left out, because many
were given after the events that they would describe. Users have age, gender
and occupation in 100K and 1M; zip codes are left out. Ratings of one second
have no order: the files are sorted by movie or not at all, so there is no
`position`.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.convert import movielens_lines as lines
from benchmarks.convert.event_log import EventLog
from benchmarks.convert.raw_files import RawFolder
from benchmarks.convert.reader import Reader
from benchmarks.convert.source import Row, Source
from schema import features

_DUMP = "MovieLens (GroupLens), such as ml-100k, ml-1m or ml-25m"
_LATIN_1, _UTF_8 = "latin-1", "utf-8"
_NOTES = (
    "ratings of one second have no order in MovieLens, so there is no "
    "`position`.",
    "tags and zip codes are left out.",
)


@dataclasses.dataclass(frozen=True)
class _Format:
    """Names, marks and parsers of one kind of MovieLens.

    Attributes:
        encoding: None for UTF-8 in some sets and Latin-1 in others.
        users: name of the file; "" where no set of the kind has one.
    """

    ratings: str
    mark: str
    movies: str
    parse_movie: Callable[[str], Row]
    encoding: str | None
    ratings_header: str = ""
    movies_header: str = ""
    users: str = ""
    parse_user: Callable[[str], Row] = lines.user_1m
    user_columns: tuple[str, ...] = ()


_100K = _Format(
    "u.data", "\t", "u.item", lines.movie_100k, _LATIN_1, users="u.user",
    parse_user=lines.user_100k,
    user_columns=(lines.AGE, lines.GENDER, lines.OCCUPATION),
)
_DAT = _Format(  # 1M, Latin-1 and with users, and 10M, UTF-8 and without
    "ratings.dat", "::", "movies.dat", lines.movie_dat, None,
    users="users.dat", parse_user=lines.user_1m,
    user_columns=(lines.AGE_GROUP, lines.GENDER, lines.OCCUPATION),
)
_CSV = _Format(
    "ratings.csv", ",", "movies.csv", lines.movie_csv, _UTF_8,
    ratings_header="userId,movieId,rating,timestamp",
    movies_header="movieId,title,genres",
)


_FORMATS = {kind.ratings: kind for kind in (_100K, _DAT, _CSV)}


def _encoding_of(path: Path) -> str:
    """UTF-8 if all of the file is; movies.dat is short enough to ask."""
    try:
        path.read_bytes().decode(_UTF_8)
    except UnicodeDecodeError:
        return _LATIN_1
    return _UTF_8


def movielens(raw: Path) -> Source:
    """Finds out which MovieLens it is, and how to read it.

    Raises:
        ConversionError: if a file is missing, or if there are several sets.
    """
    folder = RawFolder(raw, _DUMP)
    ratings = folder.find_one(
        *(re.escape(name) for name in _FORMATS),
        wanted="u.data, ratings.dat or ratings.csv",
    )
    kind = _FORMATS[ratings.name]
    movies = folder.find_one(re.escape(kind.movies), wanted=kind.movies)
    users = folder.find(re.escape(kind.users))
    encoding = kind.encoding or _encoding_of(movies)

    def read_events(reader: Reader, log: EventLog) -> None:
        parse = lines.rating_parser(kind.mark)
        for row in reader.rows(ratings, parse, header=kind.ratings_header):
            log.add(*row)
        log.count_file(reader.reports[ratings])

    def read_items(reader: Reader) -> Iterator[Row]:
        return reader.rows(
            movies, kind.parse_movie, encoding=encoding,
            header=kind.movies_header,
        )

    def read_users(reader: Reader) -> Iterator[Row]:
        return reader.rows(users[0], kind.parse_user, encoding=encoding)

    return Source(
        event_columns=(features.RATING,),
        read_events=read_events,
        item_columns=(features.TITLE, features.CATEGORIES),
        read_items=read_items,
        notes=_NOTES,
        user_columns=kind.user_columns if users else (),
        read_users=read_users if users else None,
    )
