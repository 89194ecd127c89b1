"""What `--serving-encoder` does to size, speed and vectors of an encoder.

    python -m benchmarks.language.serving_encoder --data-dir DATA/amazon-beauty
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from benchmarks.reading import read
from trainer.config import DataConfig, RunConfig
from trainer.encoder import TextEncoder
from trainer.encoder_loading import load_encoder
from trainer.reduced_encoder import Comparison, compare, reduce

_BATCH, _REPEATS = 64, 5
_HEAD = (
    "weights", "MB", "ms per text", "texts/s in batches of 64",
    "cosine, least", "mean",
)


def texts_per_s(encoder: TextEncoder, texts: Sequence[str]) -> float:
    """Median speed in one batch of texts, the first of which is not timed."""
    batch = tf.constant(texts[:_BATCH])
    seconds = []
    for _ in range(1 + _REPEATS):
        started = time.perf_counter()
        encoder.encode_strings(batch).numpy()
        seconds.append(time.perf_counter() - started)
    return len(texts[:_BATCH]) / statistics.median(seconds[1:])


def as_rows(found: Comparison, before: float, after: float) -> list[str]:
    """Two rows of the table in Markdown.

    Args:
        found: sizes, times and cosines.
        before, after: texts per second.
    """
    whole = [
        "float32", f"{found.mb_before:.1f}", f"{found.ms_before:.1f}",
        f"{before:.0f}", "1", "1",
    ]
    reduced = [
        found.precision, f"{found.mb:.1f}", f"{found.ms:.1f}",
        f"{after:.0f}", f"{found.cosine_min:.4f}", f"{found.cosine_mean:.4f}",
    ]
    return [f"| {' | '.join(row)} |" for row in (whole, reduced)]


def main(argv: Sequence[str] | None = None) -> None:
    """Prints a table in Markdown; float32 is measured beside each other."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.language.serving_encoder",
        description=str(__doc__).partition("\n")[0],
    )
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--split", default="leave_one_out")
    parser.add_argument("--text-encoder", default="minilm")
    parser.add_argument("--max-tokens", type=int, default=64)
    parser.add_argument(
        "--folder", type=Path, default=Path("runs/serving_encoder"),
        help="of an encoder that is made here (default %(default)s)",
    )
    asked = parser.parse_args(argv)
    config = RunConfig(data=DataConfig(split=asked.split))
    texts = read(asked.data_dir, config).catalogue.texts
    asked.folder.mkdir(parents=True, exist_ok=True)

    def load() -> TextEncoder:
        return load_encoder(
            asked.text_encoder, max_tokens=asked.max_tokens, corpus=texts,
            folder=asked.folder / "text_encoder",
        )

    whole = load()
    print("\n".join([f"| {' | '.join(_HEAD)} |", len(_HEAD) * "|---" + "|"]))
    for precision in ("bfloat16", "int8"):
        reduced = load()
        reduce(reduced, precision)
        found = compare(whole, reduced, texts, precision)
        speeds = [texts_per_s(each, texts) for each in (whole, reduced)]
        print("\n".join(as_rows(found, *speeds)))


if __name__ == "__main__":
    main()
