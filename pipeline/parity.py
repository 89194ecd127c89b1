"""Asks a saved model in a new process and compares its answers."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

_PACKAGES = Path(__file__).parents[1]  # where `pipeline` itself is found
# What a process needs of the environment to start at all.
_KEPT = ("PATH", "LD_LIBRARY_PATH", "HOME")


class ParityError(ValueError):
    """The saved model does not answer as the model that was trained."""


@dataclasses.dataclass(frozen=True)
class Question:
    """What is asked of the saved model, and what it must answer.

    Attributes:
        signature, output: of `serving.signatures`.
        inputs: nested lists by name.
        expected: [rows, ...] what the trained model says.
        rows: what a person calls each row.
        low, high: range of the output, 0 and 1 unless it is a rating; the
            difference is told in its share.
    """

    signature: str
    output: str
    inputs: dict[str, Any]
    expected: np.ndarray
    rows: list[str]
    low: float = 0.0
    high: float = 1.0


def ask_in_new_process(
    version_dir: Path, questions: list[Question], scratch: Path
) -> list[np.ndarray]:
    """Answers of a saved model that knows nothing of this process.

    Raises:
        ParityError: if that process fails, with its last words.
    """
    asked, answered = scratch / "requests.json", scratch / "answers.json"
    asked.write_text(json.dumps({q.signature: q.inputs for q in questions}))
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    done = subprocess.run(
        [
            sys.executable, "-m", "pipeline.parity_answers",
            str(version_dir.absolute()), str(asked), str(answered),
        ],
        cwd=scratch,
        env={**kept, "PYTHONPATH": str(_PACKAGES)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ParityError(
            f"a new process cannot ask {version_dir}: {done.stderr[-2000:]}"
        )
    found = json.loads(answered.read_text())
    return [np.array(found[q.signature][q.output]) for q in questions]


def differences(
    questions: list[Question], answers: list[np.ndarray], tolerance: float
) -> list[str]:
    """What differs by more than allowed, one sentence per signature."""
    told = []
    for question, answer in zip(questions, answers, strict=True):
        unit = max(question.high - question.low, 1e-6)
        apart = np.abs(answer - question.expected) / unit
        apart = np.where(np.isnan(apart), np.inf, apart)
        per_row = apart.reshape(len(apart), -1).max(axis=1)
        bad = np.flatnonzero(per_row > tolerance)
        if len(bad):
            told.append(
                f"{question.signature}.{question.output} differs by up to "
                f"{per_row.max():.3g}, allowed is {tolerance:g}; first at "
                f"{question.rows[bad[0]]}, {len(bad)} of {len(per_row)} rows"
            )
    return told
