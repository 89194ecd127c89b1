"""The race: what the rival reads, and how a course is told."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from circle import write_circle

from benchmarks.reading import read
from benchmarks.time_to_quality.race import (
    Course,
    Epoch,
    Rival,
    RivalRun,
    table,
)
from benchmarks.time_to_quality.tfrs_model import SequentialModel, contexts
from trainer.behaviour import VALIDATION, target_rows
from trainer.config import DataConfig, ModelConfig, RunConfig
from trainer.prepare import Prepared

CONFIG = RunConfig(
    data=DataConfig(split="leave_one_out", exclude_seen=False),
    model=ModelConfig(embedding_dim=8, lstm_units=12),
)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("circle")
    return read(write_circle(folder, users=90, items=30, events=7), CONFIG)


def test_a_context_is_the_last_events_of_the_same_user(
    prepared: Prepared
) -> None:
    sequences = prepared.sequences
    start = int(sequences.starts[1])
    found = contexts(sequences, start + np.array([0, 2, 5]), 3)
    items = (sequences.item[start : start + 7] + 1).tolist()
    assert found.tolist() == [
        [0, 0, 0], [0, items[0], items[1]], items[2:5]
    ]


def test_the_goal_is_reached_with_the_first_epoch_that_has_it() -> None:
    course = Course("x", [Epoch(0.1, 4.0), Epoch(0.3, 2.0), Epoch(0.2, 1.0)])
    assert course.seconds_to(0.3) == 6.0
    assert course.seconds_to(0.1) == 4.0
    assert course.seconds_to(0.31) is None
    assert (course.best, course.seconds) == (0.3, 7.0)
    lines = table([course], 0.31).splitlines()
    assert "not reached in 7 s" in lines[1]
    assert "3 epochs, 2.0 s each" in lines[1]


def test_a_rival_stops_at_the_goal_or_when_its_time_is_up(
    prepared: Prepared
) -> None:
    rivals = RivalRun(prepared, CONFIG, batch_size=64, context=4)
    rival = Rival("quick", "Adam", 0.02)
    course = rivals.run(rival, goal=0.9, limit_s=240)
    scores = [epoch.score for epoch in course.epochs]
    assert scores[-1] >= 0.9  # what comes next on a circle can be learnt
    assert max(scores[:-1], default=0) < 0.9
    assert course.own_validation_s is not None
    assert len(rivals.run(rival, goal=2.0, limit_s=0).epochs) == 1


@pytest.mark.parametrize("is_corrected", [False, True])
def test_both_validations_find_the_same_targets(
    prepared: Prepared, is_corrected: bool
) -> None:
    counts = prepared.catalogue.counts
    model = SequentialModel(
        len(counts), dim=8, units=12,
        shares=counts / counts.sum() if is_corrected else None,
    )
    model.compile()
    rows = target_rows(prepared.sequences, VALIDATION)
    asked = contexts(prepared.sequences, rows, 4)
    items = prepared.sequences.item[rows]
    examples = tf.data.Dataset.from_tensor_slices((asked, items)).batch(32)
    found = model.evaluate(examples, verbose=0, return_dict=True)
    scores = model.query_model(asked).numpy() @ (
        model.candidate_model.embeddings.numpy().T
    )
    hits = [
        item in np.argsort(-row)[:10]
        for item, row in zip(items, scores, strict=True)
    ]
    name = "factorized_top_k/top_10_categorical_accuracy"
    # By scores: rounding may set a target behind itself, one place down.
    assert found[name] == pytest.approx(np.mean(hits), abs=2 / 90)
