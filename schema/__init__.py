"""What a record is: tables, columns, their types and names."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import schema_pb2


def load(name: str) -> schema_pb2.Schema:
    """Reads the schema of a table of the data contract, or of what the
    pipeline makes of them: sequences and catalogue.

    Raises:
        ValueError: if there is no such table.
    """
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    folder = resources.files(__name__)
    known = sorted(
        entry.name.removesuffix(".pbtxt")
        for entry in folder.iterdir()
        if entry.name.endswith(".pbtxt")
    )
    if name not in known:
        raise ValueError(
            f"there is no schema {name!r}; there are {', '.join(known)}."
        )
    text = folder.joinpath(f"{name}.pbtxt").read_text(encoding="utf-8")
    return text_format.Parse(text, schema_pb2.Schema())
