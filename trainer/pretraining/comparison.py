"""What a teacher and its student cost, and how far they agree."""

from __future__ import annotations

import dataclasses
import shutil
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainer.encoder import TextEncoder
from trainer.tuning.tuning import count

_REPEATS = 5
_TIMED = 256  # texts that are read at a time; a second or two of BERT


@dataclasses.dataclass(frozen=True)
class Cost:
    """What it takes to have an encoder and to read with it.

    Attributes:
        weights: numbers that decide a text's vector.
        size_mb: of its folder in Hugging Face's format, tokenizer included,
            in 10**6 bytes.
        texts_per_s: from strings to vectors.
    """

    weights: int
    size_mb: float
    texts_per_s: float


def costs(
    encoders: Sequence[TextEncoder], texts: Sequence[str], scratch: Path
) -> list[Cost]:
    """Costs of encoders that read the same texts by turns.

    Args:
        encoders: to compare.
        texts: to read; the first ones are enough.
        scratch: a folder that each is saved to for its size; removed.
    """
    speeds = texts_per_second(encoders, texts[:_TIMED])
    return [
        Cost(
            count(w for w in encoder.bert.weights if "/pooler/" not in w.name),
            saved_mb(encoder, scratch), speed,
        )
        for encoder, speed in zip(encoders, speeds, strict=True)
    ]


def texts_per_second(
    encoders: Sequence[TextEncoder], texts: Sequence[str]
) -> list[float]:
    """Medians over passes by turns, so that a busy minute slows all."""
    for encoder in encoders:
        encoder.encode_bulk(texts)  # traces
    seconds: list[list[float]] = [[] for _ in encoders]
    for _ in range(_REPEATS):
        for encoder, own in zip(encoders, seconds, strict=True):
            started = time.perf_counter()
            encoder.encode_bulk(texts)
            own.append(time.perf_counter() - started)
    return [len(texts) / statistics.median(own) for own in seconds]


def saved_mb(encoder: TextEncoder, scratch: Path) -> float:
    """Size of what `save_pretrained` writes, in 10**6 bytes."""
    shutil.rmtree(scratch, ignore_errors=True)
    encoder.bert.save_pretrained(scratch)
    encoder.hf_tokenizer.save_pretrained(scratch)
    size = sum(path.stat().st_size for path in scratch.rglob("*"))
    shutil.rmtree(scratch)
    return size / 1e6


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's correlation of the cosines of all pairs of texts.

    What decides neighbours is compared, whatever the widths are.

    Args:
        first, second: [texts, dim] unit vectors of the same texts, at least
            three; each of a width of its own.
    """
    pairs = np.triu_indices(len(first), 1)
    ranks = [
        np.argsort(np.argsort((vectors @ vectors.T)[pairs]))
        for vectors in (first, second)
    ]
    return float(np.corrcoef(ranks)[0, 1])


def as_lines(distillation: dict[str, Any]) -> list[str]:
    """What `pretraining.json` says of a distillation, for a person."""
    lines = [f"{'':8}{'weights':>13}{'MB on disk':>12}{'texts/s':>9}"]
    for name in ("teacher", "student"):
        cost = Cost(**distillation[name])
        lines.append(
            f"{name:8}{cost.weights:>13,}{cost.size_mb:>12.1f}"
            f"{cost.texts_per_s:>9.0f}"
        )
    lines.append(
        f"rank correlation with the teacher's cosines on "
        f"{distillation['held_out_texts']} held-out texts: "
        f"{distillation['agreement_before']:.3f} before, "
        f"{distillation['agreement_after']:.3f} after"
    )
    return lines
