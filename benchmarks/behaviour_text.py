"""What it brings to read what events say, on logs where it is planted.

    python -m benchmarks.behaviour_text --seeds 0 1

In these logs 70 % of the events before a change of topic are searches, whose
text alone names the topic that comes next. Two models are trained on each
sample, with and without `--behaviour-text shop`, and ranked on all test
targets and on those right after a search.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from pathlib import Path

import numpy as np

from trainer import behaviour, evaluation
from trainer.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from trainer.prepare import Prepared, prepare
from trainer.run import Run
from trainer.sample.config import SampleConfig
from trainer.sample.files import write_tables
from trainer.sample.logs import generate
from trainer.scoring import ModelScorer
from trainer.tables import load_dataset
from trainer.text_config import TextConfig

SHOP, NONE = "shop", "none"
CONFIG = RunConfig(
    text=TextConfig(max_tokens=16),
    model=ModelConfig(embedding_dim=32, lstm_units=32, id_dropout=0.3),
    training=TrainingConfig(epochs=10, batch_size=64, learning_rate=0.005),
    data=DataConfig(max_history=12),
)
_NOW = 1_800_000_000  # after all sample events


@dataclasses.dataclass(frozen=True)
class Found:
    """Recall@10 of one model.

    Attributes:
        everywhere: of all test targets.
        after_search: of those right after a search.
        targets: how many these are.
    """

    everywhere: float
    after_search: float
    targets: int


def make_sample(folder: Path, seed: int) -> Path:
    """Logs of 500 users with planted searches, as CSV."""
    sample = generate(
        SampleConfig(users=500, items=120, seed=seed, search_share=0.7)
    )
    write_tables(sample.tables, sample.truth, folder, "csv")
    return folder


def measure(data: Path, setting: str, seed: int, folder: Path) -> Found:
    """Trains one model.

    Args:
        data: folder of the tables.
        setting: of `behaviour_text`.
        seed: of the training.
        folder: for the job, and for the cache of text vectors beside it.
    """
    config = dataclasses.replace(
        CONFIG,
        text=dataclasses.replace(
            CONFIG.text,
            behaviour_text=setting,
            text_cache=str(folder / "text_cache"),
        ),
        training=dataclasses.replace(CONFIG.training, seed=seed),
    )
    dataset = load_dataset(
        str(data), config.data, rejects_dir=folder / "rejects", now=_NOW,
        reads_text=config.text.reads_behaviour,
    )
    run = Run(prepare(dataset, config), config, folder / f"{setting}-{seed}")
    run.fit()
    queries = run.queries(behaviour.TEST)
    scorer = ModelScorer(run.model, run.prepared, queries)
    hits = evaluation.rank_targets(queries, scorer, setting).ranks <= 10
    after = follows_search(run.prepared, queries.targets)
    return Found(
        float(hits.mean()), float(hits[after].mean()), int(after.sum())
    )


def follows_search(prepared: Prepared, targets: np.ndarray) -> np.ndarray:
    """[targets] bool: the user's event before is a search."""
    sequences = prepared.sequences
    search = 1 + prepared.event_types.index("search")
    is_first = np.isin(targets, sequences.starts[:-1])
    return ~is_first & (sequences.event_type[targets - 1] == search)


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.behaviour_text",
        description=str(__doc__).partition("\n")[0],
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument(
        "--folder", type=Path, help="to keep the runs; default: a temporary one"
    )
    asked = parser.parse_args()
    lines = [
        "| seed | --behaviour-text | recall@10 | of targets after a search |",
        "|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch)
        for seed in asked.seeds:
            data = make_sample(folder / f"data-{seed}", seed)
            for setting in (NONE, SHOP):
                found = measure(data, setting, seed, folder)
                lines.append(
                    f"| {seed} | {setting} | {found.everywhere:.3f} | "
                    f"{found.after_search:.3f} of {found.targets} |"
                )
    print("\n".join(lines))


if __name__ == "__main__":
    main()
