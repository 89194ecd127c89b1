"""Asks a bundle in a process of its own.

    python -m pipeline.parity_answers VERSION_DIR REQUESTS.json ANSWERS.json

Loads the saved model and nothing of the code that made it, as a server does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from serving.recommender import Recommender
from serving.signatures import SIGNATURES


def to_arrays(signature: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Nested lists of a request as arrays of the signature's types."""
    arrays = {}
    for field in SIGNATURES[signature].inputs:
        if field.is_text and field.name not in inputs:
            continue
        dtype = object if field.dtype == "string" else field.dtype
        value = np.array(inputs[field.name], dtype)
        if value.size == 0:  # nested lists do not tell an empty last axis
            shape = (len(inputs[field.name]), 0)
            value = value.reshape(shape[: len(field.axes)])
        arrays[field.name] = value
    return arrays


def main(argv: Sequence[str]) -> int:
    """Answers all requests: outputs by name, by signature."""
    version_dir, requests, answers = map(Path, argv)
    recommender = Recommender(version_dir, warm_up=False)
    found = {}
    for signature, inputs in json.loads(requests.read_text()).items():
        outputs = recommender.predict(signature, to_arrays(signature, inputs))
        found[signature] = {
            name: value.tolist()
            for name, value in outputs.items()
            if value.dtype.kind == "f"
        }
    answers.write_text(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
