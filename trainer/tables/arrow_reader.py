"""Reads Parquet, and turns typed columns into the text that CSV would hold.

Every format then means the same: ids that a tool stored as integers are the
same ids, and a timestamp type becomes unix seconds.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schema import features
from trainer.anomalies import Anomaly, DataError, table_error
from trainer.tables.raw_table import RawTable, empty_texts, joined

_IDS = (features.USER_ID, features.ITEM_ID)
_EXACT = 2.0**53  # integers beyond are not exact in a float


class _WrongTypeError(ValueError):
    """A column's type has no text that the data contract knows."""


def _bytes_to_text(values: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """Decodes UTF-8; also where bytes had to be replaced."""
    try:
        texts = pc.cast(values, pa.string())
        return texts, np.zeros(len(values), bool)
    except pa.ArrowInvalid:
        raw = [value or b"" for value in values.to_pylist()]
        decoded = [value.decode("utf-8", "replace") for value in raw]
        is_damaged = [
            text.encode() != value
            for text, value in zip(decoded, raw, strict=True)
        ]
        return pa.array(decoded, pa.string()), np.array(is_damaged)


def _float_to_text(values: pa.Array, name: str) -> pa.Array:
    # Tools that know no missing integer store 7 as 7.0.
    values = pc.if_else(pc.is_nan(values), None, values)
    is_whole = pc.and_(
        pc.equal(values, pc.floor(values)), pc.less(pc.abs(values), _EXACT)
    )
    if pc.all(is_whole).as_py() is not False:
        values = pc.cast(values, pa.int64())
    elif name in _IDS:
        raise _WrongTypeError("has fractions; write ids as strings")
    return pc.cast(values, pa.string())


def _time_to_text(values: pa.Array) -> pa.Array:
    moments = pc.cast(values, pa.timestamp("s"), safe=False)
    return pc.cast(pc.cast(moments, pa.int64()), pa.string())


def _to_text(values: pa.Array, name: str) -> tuple[pa.Array, np.ndarray]:
    """[rows] strings, null where missing, and where bytes were replaced."""
    kind = values.type
    intact = np.zeros(len(values), bool)
    if pa.types.is_dictionary(kind):
        return _to_text(values.dictionary_decode(), name)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return _bytes_to_text(values)
    if pa.types.is_decimal(kind):
        return _float_to_text(pc.cast(values, pa.float64()), name), intact
    if pa.types.is_floating(kind):
        # In its own width: 0.1 of 32 bits is 0.10000000149 in 64.
        return _float_to_text(values, name), intact
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        if name in _IDS:
            raise _WrongTypeError(f"is {kind}; write ids as strings")
        return _time_to_text(values), intact
    try:
        return pc.cast(values, pa.string()), intact
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        raise _WrongTypeError(
            f"is {kind}; write one string or number per row"
        ) from error


def raw_table(rows: pa.Table, path: Path | str, table: str) -> RawTable:
    """Turns typed columns into text.

    Args:
        rows: the file's columns.
        path: the file, for messages.
        table: name of the table. Of columns that its contract does not know,
            a type without text gives empty values.

    Raises:
        DataError: wrong_type, for each column of the contract that has one.
    """
    columns: dict[str, pa.Array] = {}
    damaged: dict[str, np.ndarray] = {}
    errors: list[Anomaly] = []
    for name in rows.column_names:
        try:
            texts, is_damaged = _to_text(joined(rows[name]), name)
        except _WrongTypeError as error:
            texts, is_damaged = empty_texts(rows.num_rows), np.zeros(0, bool)
            if name in features.COLUMNS[table]:
                remedy = f"the column {error} ({path})."
                errors.append(
                    table_error("wrong_type", table, remedy, column=name)
                )
        columns[name] = pc.fill_null(texts, "")
        if is_damaged.any():
            damaged[name] = is_damaged
    if errors:
        raise DataError(errors)
    numbers = np.arange(1, rows.num_rows + 1)
    return RawTable(table, columns, numbers, damaged=damaged)


def read_parquet(path: Path, table: str) -> RawTable:
    """Reads one Parquet file.

    Raises:
        DataError: if it is empty, truncated or no Parquet, or if a column of
            the contract has a type that it cannot have.
    """
    try:
        if not path.stat().st_size:
            remedy = f"{path} is empty; export it again."
            raise DataError([table_error("empty_file", table, remedy)])
        rows = pq.ParquetFile(path).read()
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError([
            table_error(
                "unreadable_file", table, f"{path} is no readable Parquet "
                f"file: {error}."
            )
        ]) from error
    return raw_table(rows, path, table)
