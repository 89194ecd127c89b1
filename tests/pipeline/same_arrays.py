"""Whether two ways in give a model the same arrays."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np


def differences(found: Any, expected: Any, name: str = "") -> list[str]:
    """Fields in which two data sets differ, arrays by type and value."""
    if dataclasses.is_dataclass(expected):
        return [
            line
            for field in dataclasses.fields(expected)
            if field.name != "code_of"  # rows of a table that only one has
            for line in differences(
                getattr(found, field.name),
                getattr(expected, field.name),
                f"{name}.{field.name}",
            )
        ]
    if isinstance(expected, np.ndarray):
        same = found.dtype == expected.dtype and np.array_equal(
            found, expected, equal_nan=expected.dtype.kind == "f"
        )
    else:
        same = found == expected
    return [] if same else [name]
