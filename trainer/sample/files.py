"""Writes sample tables as CSV, gzipped CSV or Parquet; same rows, same bytes.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trainer.sample.tables import Table


def _csv_bytes(table: Table) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table)
    writer.writerows(zip(*table.values(), strict=True))
    return text.getvalue().encode()


def _gzip_bytes(table: Table) -> bytes:
    # A gzip header holds a time, which would differ from run to run.
    return gzip.compress(_csv_bytes(table), compresslevel=6, mtime=0)


def _parquet_bytes(table: Table) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {}
    for name, values in table.items():
        if any(isinstance(value, str) for value in values):
            # A bad value turns its whole column to text, as in real exports.
            values = [None if v is None else str(v) for v in values]
        columns[name] = pa.array(values)
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return bytes(sink.getvalue().to_pybytes())


FORMATS: dict[str, Callable[[Table], bytes]] = {
    "csv": _csv_bytes,
    "csv.gz": _gzip_bytes,
    "parquet": _parquet_bytes,
}


def _refuse_other_formats(wanted: dict[str, Path]) -> None:
    others = [
        str(path)
        for name, file in wanted.items()
        for path in sorted(file.parent.glob(f"{name}.*"))
        if path != file
    ]
    if others:
        raise FileExistsError(
            f"found {', '.join(others)}, and a second format of one table "
            "would be ambiguous; remove that or choose another folder."
        )


def write_tables(
    tables: dict[str, Table], truth: dict[str, Any], out_dir: Path, kind: str
) -> list[Path]:
    """Writes every table and truth.json; makes the folder.

    Returns:
        The files, in the order written.

    Raises:
        FileExistsError: if the folder holds a table in another format.
        OSError: if it cannot be written.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    wanted = {name: out_dir / f"{name}.{kind}" for name in tables}
    _refuse_other_formats(wanted)
    for name, path in wanted.items():
        path.write_bytes(FORMATS[kind](tables[name]))
    truth_path = out_dir / "truth.json"
    text = json.dumps(truth, ensure_ascii=False, indent=1, sort_keys=True)
    truth_path.write_text(text + "\n", encoding="utf-8")
    return [*wanted.values(), truth_path]
