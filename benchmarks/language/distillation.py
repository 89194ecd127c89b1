"""A teacher and its student: size, speed, neighbours before and after.

    python -m benchmarks.language.distillation --data-dir DATA/amazon-beauty

A new encoder is trained on masked text, or left as it is made with
`--epochs 0`, and then learns from the teacher. All three read the same
held-out texts by turns, and rank the catalogue by the cosine with the last
item of each test history. The same command goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.quality.neighbours import text_scorers
from benchmarks.quality.pooling import pool
from trainer.behaviour import TEST, target_rows
from trainer.config import DataConfig
from trainer.encoder import TextEncoder
from trainer.encoder_loading import load_encoder
from trainer.evaluation import build_queries, rank_targets
from trainer.metrics import per_query
from trainer.pretraining.comparison import Cost, costs, rank_correlation
from trainer.pretraining.config import PretrainingConfig
from trainer.pretraining.corpus import Corpus, hold_out, read_corpus
from trainer.pretraining.run import Pretraining
from trainer.tables import load_dataset
from trainer.text_cache import TextCache

_MOST = 1000  # held-out texts that are compared
_METRICS = ("recall@10", "ndcg@10")


def make_encoders(
    corpus: Corpus, config: PretrainingConfig, folder: Path
) -> dict[str, str]:
    """Trains the student in two steps. Returns an encoder's name by row.

    Args:
        corpus: the catalogue's texts.
        config: with a new student and a teacher.
        folder: of the trained encoders.
    """
    before, after = folder / "before", folder / "after"
    if config.epochs:
        masked = dataclasses.replace(
            config, distill_from=None, distill_epochs=None
        )
        Pretraining(corpus, masked, before).execute()
    else:
        load_encoder(
            config.encoder, max_tokens=config.max_tokens,
            corpus=corpus.distinct, folder=before,
        )
    taught = dataclasses.replace(config, encoder=str(before), epochs=0)
    Pretraining(corpus, taught, after).execute()
    return {
        "teacher": str(config.distill_from),
        "student before": str(before),
        "student after": str(after),
    }


def neighbour_metrics(
    corpus: Corpus, vectors: np.ndarray
) -> dict[str, np.ndarray]:
    """Metrics of the nearest texts to the last item, one per test user.

    Args:
        corpus: texts and events.
        vectors: [items, dim] of the texts.
    """
    queries = build_queries(
        corpus.sequences, target_rows(corpus.sequences, TEST),
        num_items=len(corpus.texts), exclude_seen=True,
    )
    scorer = text_scorers(queries, vectors)["text-knn-last"]
    return per_query(rank_targets(queries, scorer, "neighbours").ranks)


def as_row(
    name: str, cost: Cost, agreement: float, metrics: dict[str, np.ndarray]
) -> str:
    """One row of the table in Markdown, intervals over users."""
    cells = [
        name, f"{cost.weights:,}", f"{cost.size_mb:.1f}",
        f"{cost.texts_per_s:.0f}", f"{agreement:.3f}",
    ]
    for metric in _METRICS:
        values = metrics[metric]
        found = pool([np.arange(len(values))], [values])
        cells.append(f"{found.mean:.4f} [{found.low:.4f}, {found.high:.4f}]")
    return f"| {' | '.join(cells)} |"


def compare(
    corpus: Corpus,
    encoders: dict[str, TextEncoder],
    held_out: Sequence[str],
    folder: Path,
    text_cache: Path,
) -> list[str]:
    """The rows of the table.

    Args:
        corpus: texts and events.
        encoders: by name, the teacher first.
        held_out: texts that no student has learnt from.
        folder: for what is saved to be weighed.
        text_cache: folder of the vectors of all texts.
    """
    found = costs(list(encoders.values()), held_out, folder / "size")
    rows, taught = [], None
    for (name, encoder), cost in zip(encoders.items(), found, strict=True):
        cache = TextCache(text_cache, encoder.fingerprint(), encoder.dim)
        own = encoder.encode_bulk(held_out)
        taught = own if taught is None else taught
        agreement = rank_correlation(own, taught)
        vectors = cache.vectors(corpus.texts, encoder.encode_bulk)
        metrics = neighbour_metrics(corpus, vectors)
        rows.append(as_row(name, cost, agreement, metrics))
    return rows


def make_parser() -> argparse.ArgumentParser:
    """The flags, those of `trainer.pretrain` under their names there."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.language.distillation",
        description=str(__doc__).partition("\n")[0],
    )
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--split", default="leave_one_out")
    parser.add_argument("--distill-from", default="minilm")
    parser.add_argument("--encoder", default="tiny")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--distill-epochs", type=int, default=6)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--max-tokens", type=int, default=64)
    parser.add_argument("--text-cache", help="default: FOLDER/text_cache")
    parser.add_argument(
        "--folder", type=Path, default=Path("runs/distillation"),
        help="of the students (default %(default)s)",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Prints a table in Markdown."""
    asked = vars(make_parser().parse_args(argv))
    folder = asked.pop("folder")
    folder.mkdir(parents=True, exist_ok=True)
    data = DataConfig(split=asked.pop("split"))
    data_dir = asked.pop("data_dir")
    asked["text_cache"] = asked["text_cache"] or str(folder / "text_cache")
    config = PretrainingConfig(**asked)
    dataset = load_dataset(
        data_dir, data, rejects_dir=folder / "rejects", now=int(time.time())
    )
    corpus = read_corpus(dataset, data, config)
    _, held_out = hold_out(corpus.distinct, config.held_out_share)
    encoders = {
        name: load_encoder(
            source, max_tokens=config.max_tokens, corpus=[], folder=folder
        )
        for name, source in make_encoders(corpus, config, folder).items()
    }
    head = (
        "encoder", "weights", "MB on disk", "texts/s",
        f"agreement on {len(held_out[:_MOST])} held-out texts", *_METRICS,
    )
    rows = compare(
        corpus, encoders, held_out[:_MOST], folder, Path(config.text_cache)
    )
    print("\n".join([f"| {' | '.join(head)} |", len(head) * "|---" + "|"]))
    print("\n".join(rows))


if __name__ == "__main__":
    main()
