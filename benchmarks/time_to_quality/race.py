"""Both systems, trained until they reach a goal or their time is up."""

from __future__ import annotations

import dataclasses
import itertools
import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from benchmarks.time_to_quality.tfrs_model import SequentialModel, contexts
from trainer.behaviour import TRAIN, VALIDATION, target_rows
from trainer.config import RunConfig
from trainer.evaluation import build_queries, rank_targets
from trainer.prepare import Prepared
from trainer.run import Run

_OWN_VALIDATIONS = 3  # FactorizedTopK is timed so often, not every epoch
_TEST_BATCH = 2560  # as in TFRS's tutorial


@dataclasses.dataclass(frozen=True)
class Epoch:
    """One epoch of a system.

    Attributes:
        score: validation NDCG@10 after it, by `trainer.evaluation`.
        seconds: of training and of that validation.
    """

    score: float
    seconds: float


@dataclasses.dataclass(frozen=True)
class Course:
    """How a system went.

    Attributes:
        name: of the system.
        epochs: in order.
        own_validation_s: median seconds of FactorizedTopK on the validation
            targets, which are in no epoch's time; None for ours.
    """

    name: str
    epochs: Sequence[Epoch]
    own_validation_s: float | None = None

    @property
    def best(self) -> float:
        """The best validation score."""
        return max(epoch.score for epoch in self.epochs)

    @property
    def seconds(self) -> float:
        """All training and validation by `trainer.evaluation`."""
        return sum(epoch.seconds for epoch in self.epochs)

    def seconds_to(self, goal: float) -> float | None:
        """Seconds until the first score at or above the goal, if any is."""
        passed = itertools.accumulate(epoch.seconds for epoch in self.epochs)
        for epoch, seconds in zip(self.epochs, passed, strict=True):
            if epoch.score >= goal:
                return seconds
        return None


def run_ours(prepared: Prepared, config: RunConfig, job_dir: Path) -> Course:
    """Our trainer until it stops by itself, from its `history.json`."""
    Run(prepared, config, job_dir).fit()
    lines = json.loads((job_dir / "history.json").read_text())
    return Course(
        "interest-towers",
        [Epoch(line["validation_ndcg@10"], line["seconds"]) for line in lines],
    )


@dataclasses.dataclass(frozen=True)
class Rival:
    """One way to train the TFRS model.

    Attributes:
        name: what the table says.
        optimizer: name for Keras.
        learning_rate: its step size.
        is_corrected: whether the sampling correction and the mask of
            accidental hits that TFRS's task offers are on.
    """

    name: str
    optimizer: str
    learning_rate: float
    is_corrected: bool = False


RIVALS = (
    Rival("TFRS, Adagrad 0.1 (tutorial)", "Adagrad", 0.1),
    Rival("TFRS, Adam 0.001", "Adam", 0.001),
    Rival("TFRS, Adam 0.001, logQ", "Adam", 0.001, is_corrected=True),
)


class RivalRun:
    """Trains the TFRS model on the train events of our own run.

    Args:
        prepared: the data.
        config: of our run; its widths, seed and validation are taken over.
        batch_size: examples per step.
        context: events that are read.
    """

    def __init__(
        self,
        prepared: Prepared,
        config: RunConfig,
        *,
        batch_size: int,
        context: int,
    ) -> None:
        self._prepared, self._config = prepared, config
        self._batch_size, self._context = batch_size, context
        sequences = prepared.sequences
        first = np.zeros(len(sequences.item), bool)
        first[sequences.starts[:-1]] = True
        # A user's first event has no context to be predicted from.
        self._train_rows = np.flatnonzero((sequences.split == TRAIN) & ~first)
        self._queries = build_queries(
            sequences,
            target_rows(sequences, VALIDATION),
            num_items=len(prepared.catalogue),
            exclude_seen=config.data.exclude_seen,
        )

    def run(self, rival: Rival, goal: float, limit_s: float) -> Course:
        """Epochs until the goal is reached or the time is up."""
        tf.keras.utils.set_random_seed(self._config.training.seed)
        model = self._model(rival)
        train = self._examples(self._train_rows)
        train = train.shuffle(len(self._train_rows)).batch(self._batch_size)
        held_out = self._examples(self._queries.targets).batch(_TEST_BATCH)
        epochs: list[Epoch] = []
        own: list[float] = []
        while not epochs or (
            sum(epoch.seconds for epoch in epochs) < limit_s
            and epochs[-1].score < goal
        ):
            started = time.monotonic()
            model.fit(train.prefetch(2), verbose="auto")
            score = self._score(model)
            epochs.append(Epoch(score, time.monotonic() - started))
            print(
                f"{rival.name}, epoch {len(epochs)}: validation ndcg@10 "
                f"{score:.4f}, {epochs[-1].seconds:.0f} s",
                flush=True,
            )
            if len(own) < _OWN_VALIDATIONS:
                started = time.monotonic()
                model.evaluate(held_out, verbose=0)
                own.append(time.monotonic() - started)
        return Course(rival.name, epochs, statistics.median(own))

    def _model(self, rival: Rival) -> SequentialModel:
        sizes, counts = self._config.model, self._prepared.catalogue.counts
        model = SequentialModel(
            len(counts),
            dim=sizes.embedding_dim,
            units=sizes.lstm_units,
            shares=counts / counts.sum() if rival.is_corrected else None,
        )
        kind = getattr(tf.keras.optimizers, rival.optimizer)
        model.compile(optimizer=kind(rival.learning_rate))
        return model

    def _examples(self, rows: np.ndarray) -> tf.data.Dataset:
        sequences = self._prepared.sequences
        return tf.data.Dataset.from_tensor_slices(
            (contexts(sequences, rows, self._context), sequences.item[rows])
        )

    def _score(self, model: SequentialModel) -> float:
        """Validation NDCG@10 by the code that validates ours."""
        columns = model.candidate_model.embeddings.numpy().T
        queries = self._queries

        def score(numbers: np.ndarray) -> np.ndarray:
            asked = contexts(
                queries.sequences, queries.targets[numbers], self._context
            )
            return model.query_model(tf.constant(asked)).numpy() @ columns

        ranking = rank_targets(queries, score, "validation")
        return ranking.summary()["ndcg@10"]


def table(courses: Sequence[Course], goal: float) -> str:
    """One line per system."""
    lines = [f"goal: validation ndcg@10 {goal:.4f}"]
    for course in courses:
        reached = course.seconds_to(goal)
        said = (
            f"not reached in {course.seconds:.0f} s"
            if reached is None
            else f"reached in {reached:.0f} s"
        )
        per_epoch = statistics.median(e.seconds for e in course.epochs)
        own = course.own_validation_s
        lines.append(
            f"{course.name:<29} {said:<23} best {course.best:.4f}, "
            f"{len(course.epochs)} epochs, {per_epoch:.1f} s each"
            + ("" if own is None else f"; FactorizedTopK {own:.1f} s apart")
        )
    return "\n".join(lines)
