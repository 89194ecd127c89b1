"""Numbers, codes and repeats in columns of text, a whole column at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_NUMBER = r"^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
_INTEGER = r"^-?\d{1,18}$"
_LARGEST_KEY = 2**63 - 1  # of an int64


def _parse(texts: pa.Array, pattern: str, kind: pa.DataType) -> pa.Array:
    """Numbers of the texts that match, null elsewhere."""
    trimmed = pc.utf8_trim_whitespace(texts)
    is_number = pc.match_substring_regex(trimmed, pattern)
    nothing = pa.scalar(None, pa.string())
    return pc.cast(pc.if_else(is_number, trimmed, nothing), kind)


def parse_floats(texts: pa.Array) -> np.ndarray:
    """[rows] float64; NaN where the text is no finite decimal number."""
    numbers = _parse(texts, _NUMBER, pa.float64())
    return numbers.to_numpy(zero_copy_only=False).astype(np.float64)


def parse_integers(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """[rows] int64, 0 where the text is no integer; and where it is one."""
    numbers = _parse(texts, _INTEGER, pa.int64())
    is_integer = pc.is_valid(numbers).to_numpy(zero_copy_only=False)
    filled = pc.fill_null(numbers, 0).to_numpy(zero_copy_only=False)
    return filled, is_integer


def is_blank(texts: pa.Array) -> np.ndarray:
    """[rows] bool: nothing but white space."""
    trimmed = pc.utf8_trim_whitespace(texts)
    return pc.equal(trimmed, "").to_numpy(zero_copy_only=False)


def codes(texts: pa.Array) -> tuple[list[str], np.ndarray]:
    """Distinct texts by first appearance, and [rows] int32 places in them."""
    encoded = pc.dictionary_encode(texts)
    places = encoded.indices.to_numpy(zero_copy_only=False)
    return encoded.dictionary.to_pylist(), places.astype(np.int32)


def places_in(texts: pa.Array, known: Sequence[str]) -> np.ndarray:
    """[rows] int32 place of each text in `known`, -1 where it is not there."""
    values = pa.array(known, pa.string())
    places = pc.fill_null(pc.index_in(texts, value_set=values), -1)
    return places.to_numpy(zero_copy_only=False).astype(np.int32)


def _ranks(values: np.ndarray) -> np.ndarray:
    return np.unique(values, return_inverse=True)[1]


def is_repeat(columns: Sequence[np.ndarray]) -> np.ndarray:
    """[rows] bool: all columns equal those of an earlier row.

    Args:
        columns: of [rows] numbers, none of them NaN; at least one.
    """
    count = len(columns[0])
    if not count:
        return np.zeros(0, bool)
    # One integer stands for the columns so far; it is below `size`. Columns
    # of codes go in as they are, because to rank a column is to sort it.
    key, size = np.zeros(count, np.int64), 1
    for column in columns:
        if column.dtype.kind == "f":
            column = _ranks(column)
        low, span = int(column.min()), int(np.ptp(column)) + 1
        if size * span > _LARGEST_KEY:
            key, size = _ranks(key), count
            column, low, span = _ranks(column), 0, count
        key, size = key * span + (column - low), size * span
    is_first = np.zeros(count, bool)
    is_first[np.unique(key, return_index=True)[1]] = True
    return ~is_first
