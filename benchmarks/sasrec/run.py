"""One run of SASRec: train, and evaluate as the trainer does."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from benchmarks.sasrec.config import SasRecConfig
from benchmarks.sasrec.model import SasRec
from trainer import baselines, behaviour, evaluation
from trainer.batches import Batch, padded_batch
from trainer.config import TrainingConfig
from trainer.evaluation import Queries
from trainer.job import Clock, peak_memory_mb, write_json
from trainer.prepare import Prepared
from trainer.training import Batches


class SasRecScorer:
    """A `trainer.evaluation.Scorer` of the model as it is now.

    Args:
        model: what scores.
        prepared: the data.
        queries: what is asked.
    """

    def __init__(
        self, model: SasRec, prepared: Prepared, queries: Queries
    ) -> None:
        self._model, self._prepared = model, prepared
        self._windows = behaviour.query_windows(
            queries.sequences, queries.targets, model.config.max_length
        )
        self._columns = model.items.numpy().T  # [D, items]

    def __call__(self, numbers: np.ndarray) -> np.ndarray:
        """[b] query numbers -> [b, items] scores."""
        batch = padded_batch(
            self._prepared.sequences,
            self._windows,
            numbers,
            labels=self._prepared.labels,
            profile_of=self._prepared.profile_of,
        )
        return self._model.queries(_tensors(batch)).numpy() @ self._columns


class SasRecRun:
    """Trains one model on one data set and measures it.

    Args:
        prepared: the data.
        config: all settings.

    Attributes:
        model: the model.
        history: a line per epoch, as the trainer's `history.json` has them.
        clock: seconds by stage.
    """

    def __init__(self, prepared: Prepared, config: SasRecConfig) -> None:
        tf.keras.utils.set_random_seed(config.seed)
        self._prepared, self._config = prepared, config
        self.model = SasRec(config, len(prepared.catalogue))
        self.history: list[dict[str, float]] = []
        self.clock = Clock()

    def execute(self, job_dir: Path) -> dict[str, Any]:
        """Trains and evaluates. Returns what `metrics.json` holds."""
        queries = self._queries(behaviour.VALIDATION)
        with self.clock.stage("train"):
            self.fit(lambda: self._ranking(queries).summary()["ndcg@10"])
        metrics = self._evaluate()
        metrics["seconds"] = self.clock.seconds
        metrics["peak_memory_mb"] = round(peak_memory_mb(), 1)
        job_dir.mkdir(parents=True, exist_ok=True)
        write_json(job_dir / "history.json", self.history)
        write_json(job_dir / "metrics.json", metrics)
        return metrics

    def fit(self, validate: Callable[[], float]) -> None:
        """Fits until validation stops improving; the best weights stay.

        Args:
            validate: scores the model as it is; higher is better.
        """
        config = self._config
        self.model.optimizer = tf.keras.optimizers.Adam(config.learning_rate)
        best, best_epoch, weights = -1.0, 0, self.model.get_weights()
        for epoch in range(1, config.epochs + 1):
            started = time.monotonic()
            loss, score = self._epoch(epoch), validate()
            if score > best:
                best, best_epoch = score, epoch
                weights = self.model.get_weights()
            self._note(epoch, loss, score, time.monotonic() - started)
            if epoch - best_epoch >= config.patience:
                break
        self.model.set_weights(weights)

    def _epoch(self, number: int) -> float:
        """Runs one epoch. Returns the mean loss of its steps."""
        config = self._config
        windows = behaviour.train_windows(
            self._prepared.sequences, config.max_length
        )
        batches = Batches(
            self._prepared, windows,
            TrainingConfig(batch_size=config.batch_size, seed=config.seed),
        )
        bar = tqdm(
            batches.epoch(number), total=len(batches), leave=False,
            desc=f"epoch {number}", unit="step", mininterval=1.0,
        )
        losses = [float(self.model.fit_step(_tensors(b))) for b in bar]
        return float(np.mean(losses))

    def _note(
        self, epoch: int, loss: float, score: float, seconds: float
    ) -> None:
        self.history.append({
            "epoch": epoch,
            "loss": loss,
            "validation_ndcg@10": score,
            "seconds": round(seconds, 2),
        })
        print(
            f"epoch {epoch}: loss {loss:.4f}, validation ndcg@10 {score:.4f}, "
            f"{seconds:.0f} s",
            flush=True,
        )

    def _queries(self, split: int) -> Queries:
        sequences = self._prepared.sequences
        return evaluation.build_queries(
            sequences,
            behaviour.target_rows(sequences, split),
            num_items=len(self._prepared.catalogue),
            exclude_seen=True,
        )

    def _ranking(self, queries: Queries) -> evaluation.Ranking:
        scorer = SasRecScorer(self.model, self._prepared, queries)
        return evaluation.rank_targets(queries, scorer, "sasrec")

    def _evaluate(self) -> dict[str, Any]:
        """The model on both held-out splits, slices and baselines."""
        asked = self._queries(behaviour.TEST)
        with self.clock.stage("evaluate"):
            held_out = self._ranking(self._queries(behaviour.VALIDATION))
            ranking = self._ranking(asked)
        with self.clock.stage("baselines"):
            scorers = baselines.all_scorers(asked, self._config.seed)
            others = {
                name: evaluation.rank_targets(asked, scorer, name).summary()
                for name, scorer in scorers.items()
            }
        return {
            "validation": held_out.summary(),
            "test": ranking.summary(),
            "slices": evaluation.slice_summaries(
                asked, ranking, self._prepared.catalogue.counts,
                self._prepared.scenarios,
            ),
            "baselines": others,
        }


def _tensors(batch: Batch) -> dict[str, tf.Tensor]:
    return {name: tf.constant(values) for name, values in batch.items()}
