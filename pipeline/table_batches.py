"""Tables of the data contract as Arrow columns, and back as text.

Beam moves what `to_arrow` makes; checks of rows read what `to_raw_table`
gives back, so they judge the same texts as without a pipeline.
"""

from __future__ import annotations

import functools
import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import schema
from trainer.anomalies import DataError, table_error
from trainer.tables.column_values import is_blank, parse_floats, parse_integers
from trainer.tables.raw_table import RawTable, empty_texts, joined

ROW = "_row"  # number of the row, from 1
UNPARSED = "_unparsed"  # JSON {column: text} of what the columns cannot hold
MALFORMED = "_malformed"  # text of a row that does not fit the columns
DAMAGED = "_damaged"  # JSON list of columns where bytes were no UTF-8
EXTRA_COLUMNS: dict[str, pa.DataType] = {
    ROW: pa.int64(),
    UNPARSED: pa.string(),
    MALFORMED: pa.string(),
    DAMAGED: pa.string(),
}
_EXACT = 2.0**53  # integers beyond are not exact in a float
_FLOATS_ALLOWED = ("timestamp", "available_from")  # 1406073600.0 is a time


@functools.cache
def column_types(table: str) -> dict[str, pa.DataType]:
    """Arrow type of each column of the contract; others are strings."""
    kinds = {"INT": pa.int64(), "FLOAT": pa.float64(), "BYTES": pa.string()}
    loaded = schema.load(table)
    names = type(loaded.feature.add()).DESCRIPTOR.fields_by_name["type"]
    by_number = names.enum_type.values_by_number
    return {
        feature.name: kinds[by_number[feature.type].name]
        for feature in schema.load(table).feature
    }


def _integers(
    texts: pa.Array, name: str
) -> tuple[pa.Array, np.ndarray, np.ndarray]:
    """Values, [rows] where there is one, [rows] where the text is the same."""
    values, is_integer = parse_integers(texts)
    if name not in _FLOATS_ALLOWED or is_integer.all():
        return values, is_integer, is_integer
    numbers = parse_floats(texts)
    is_number = is_integer | (np.abs(numbers) < _EXACT)
    whole = np.floor(np.where(is_number, numbers, 0))
    values = np.where(is_integer, values, whole.astype(np.int64))
    return values, is_number, is_integer | (numbers == whole)


def _typed(
    texts: pa.Array, name: str, kind: pa.DataType
) -> tuple[pa.Array, np.ndarray]:
    """A column, and [rows] bool where only the text says what was there."""
    blank = is_blank(texts)
    is_lost = blank & pc.not_equal(texts, "").to_numpy(zero_copy_only=False)
    if kind == pa.string():
        nothing = pa.scalar(None, pa.string())
        return pc.if_else(pa.array(blank), nothing, texts), is_lost
    if kind == pa.int64():
        values, is_there, is_same = _integers(texts, name)
    else:
        values = parse_floats(texts)
        is_there = is_same = np.isfinite(values)
    column = pa.array(values, kind, mask=~is_there)
    return column, (~is_same & ~blank) | is_lost


def _json_column(cells: list[dict[str, str] | list[str]]) -> pa.Array:
    texts = [
        json.dumps(cell, ensure_ascii=False) if cell else None
        for cell in cells
    ]
    return pa.array(texts, pa.string())


def _unparsed_column(
    raw: RawTable, lost: dict[str, np.ndarray]
) -> pa.Array:
    rows = np.flatnonzero(np.logical_or.reduce([*lost.values()]))
    if not len(rows):
        return pa.nulls(len(raw), pa.string())
    cells: dict[int, dict[str, str]] = {int(row): {} for row in rows}
    for name, is_lost in lost.items():
        places = np.flatnonzero(is_lost)
        texts = raw.column(name).take(pa.array(places)).to_pylist()
        for place, text in zip(places.tolist(), texts, strict=True):
            cells[place][name] = text
    return _json_column([cells.get(row, {}) for row in range(len(raw))])


def _damaged_column(raw: RawTable) -> pa.Array:
    cells: list[list[str]] = [[] for _ in range(len(raw))]
    for name, is_damaged in raw.damaged.items():
        for row in np.flatnonzero(is_damaged):
            cells[row].append(name)
    return _json_column([*cells])


def _malformed_rows(rows: list[tuple[int, str]], kinds: pa.Schema) -> pa.Table:
    columns = {
        field.name: pa.nulls(len(rows), field.type) for field in kinds
    }
    numbers, texts = zip(*rows, strict=True)
    columns[ROW] = pa.array(numbers, pa.int64())
    columns[MALFORMED] = pa.array(texts, pa.string())
    return pa.table(columns, schema=kinds)


def to_arrow(raw: RawTable) -> pa.Table:
    """Typed columns, null where the text is blank, in order of the rows.

    Times with a fraction are floored and keep their text in `_unparsed`;
    other values that the type cannot hold are null and have it there.

    Raises:
        DataError: reserved_column, if the table brings one of EXTRA_COLUMNS.
    """
    reserved = [name for name in raw.columns if name in EXTRA_COLUMNS]
    if reserved:
        remedy = "the pipeline needs a column of this name; rename yours."
        raise DataError([
            table_error("reserved_column", raw.name, remedy, column=name)
            for name in reserved
        ])
    kinds = column_types(raw.name)
    columns: dict[str, pa.Array] = {}
    lost: dict[str, np.ndarray] = {}
    for name, texts in raw.columns.items():
        kind = kinds.get(name, pa.string())
        columns[name], lost[name] = _typed(texts, name, kind)
    columns[ROW] = pa.array(raw.row_numbers, pa.int64())
    columns[UNPARSED] = _unparsed_column(raw, lost)
    columns[MALFORMED] = pa.nulls(len(raw), pa.string())
    columns[DAMAGED] = _damaged_column(raw)
    rows = pa.table(columns)
    if not raw.malformed:
        return rows
    both = [rows, _malformed_rows(raw.malformed, rows.schema)]
    return pa.concat_tables(both).sort_by(ROW).combine_chunks()


def _restore(
    columns: dict[str, pa.Array], unparsed: pa.Array
) -> dict[str, pa.Array]:
    """Puts texts that types could not hold back in their places."""
    rows = np.flatnonzero(pc.is_valid(unparsed).to_numpy(zero_copy_only=False))
    cells = [
        json.loads(text) for text in unparsed.take(pa.array(rows)).to_pylist()
    ]
    restored = dict(columns)
    for name in dict.fromkeys(name for cell in cells for name in cell):
        texts = columns[name].to_numpy(zero_copy_only=False)
        for row, cell in zip(rows, cells, strict=True):
            texts[row] = cell.get(name, texts[row])
        restored[name] = pa.array(texts, pa.string())
    return restored


def _damage(column: pa.Array) -> dict[str, np.ndarray]:
    damaged: dict[str, np.ndarray] = {}
    rows = np.flatnonzero(pc.is_valid(column).to_numpy(zero_copy_only=False))
    for row in rows:
        for name in json.loads(column[int(row)].as_py()):
            mask = damaged.setdefault(name, np.zeros(len(column), bool))
            mask[row] = True
    return damaged


def to_raw_table(batch: pa.Table, table: str) -> RawTable:
    """The texts that `to_arrow` got, but for the formatting of numbers.

    Args:
        batch: of `to_arrow`, or several of them one after the other.
        table: name of the table.
    """
    is_malformed = pc.is_valid(batch[MALFORMED])
    bad = batch.filter(is_malformed)
    good = batch.filter(pc.invert(is_malformed))
    columns = {
        name: pc.fill_null(pc.cast(joined(good[name]), pa.string()), "")
        if good.num_rows
        else empty_texts(0)
        for name in batch.column_names
        if name not in EXTRA_COLUMNS
    }
    return RawTable(
        table,
        _restore(columns, joined(good[UNPARSED])),
        joined(good[ROW]).to_numpy(zero_copy_only=False),
        list(
            zip(bad[ROW].to_pylist(), bad[MALFORMED].to_pylist(), strict=True)
        ),
        _damage(joined(good[DAMAGED])),
    )
