"""SASRec: what a state may see, the loss by loops, and a whole run."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from circle import write_circle

from benchmarks.sasrec.__main__ import main
from benchmarks.sasrec.config import SasRecConfig
from benchmarks.sasrec.model import SasRec
from trainer.batches import SIGNATURE

ITEMS, DIM = 7, 6
CONFIG = SasRecConfig(
    dim=DIM, heads=3, blocks=2, max_length=5, dropout=0.4, learning_rate=0.01
)


@pytest.fixture
def model() -> SasRec:
    """Weights large enough that every input counts."""
    tf.keras.utils.set_random_seed(3)
    made = SasRec(CONFIG, ITEMS)
    made.set_weights([
        np.random.default_rng(i).normal(0, 0.7, w.shape)
        for i, w in enumerate(made.get_weights())
    ])
    return made


def batch_of(
    items: list[list[int]], length: list[int], first_target: list[int]
) -> dict[str, tf.Tensor]:
    """Windows padded with code 0, targets from a place on."""
    place = np.arange(len(items[0]))[None]
    is_event = place < np.array(length)[:, None]
    values = {
        "item": items,
        "length": length,
        "is_target": is_event & (place >= np.array(first_target)[:, None]),
    }
    shape = {1: [len(items)], 2: [len(items), len(items[0])]}
    return {
        name: tf.constant(
            values.get(name, np.zeros(shape[len(spec.shape)])), spec.dtype
        )
        for name, spec in SIGNATURE.items()
    }


def test_a_state_sees_no_later_event(model: SasRec) -> None:
    before = model(tf.constant([[1, 2, 3, 4]])).numpy()
    after = model(tf.constant([[1, 2, 5, 4]])).numpy()
    np.testing.assert_allclose(after[0, :2], before[0, :2], atol=1e-5)
    assert np.abs(after[0, 2:] - before[0, 2:]).min(axis=1).max() > 1e-3


def test_a_state_sees_every_earlier_event(model: SasRec) -> None:
    one = model(tf.constant([[1, 2, 3]])).numpy()[0, -1]
    other = model(tf.constant([[6, 2, 3]])).numpy()[0, -1]
    assert np.abs(one - other).max() > 1e-3


def test_a_state_knows_its_place(model: SasRec) -> None:
    # Attention over equal events is the event itself: nothing else differs.
    states = model(tf.constant([[4, 4, 4]])).numpy()[0]
    assert np.abs(np.diff(states, axis=0)).max(axis=1).min() > 1e-3


def test_the_loss_equals_a_loop_over_targets(model: SasRec) -> None:
    items = [[3, 1, 4, 1], [5, 2, 0, 0]]
    loss = model.compute_targets_loss(batch_of(items, [4, 2], [2, 0]))
    table = model.items.numpy().astype(float)
    losses = []
    # Window 0 has targets from place 2 on; window 1 has places 0 and 1, and
    # nothing stands before place 0.
    for row, target in ((0, 2), (0, 3), (1, 1)):
        known = tf.constant([items[row][:target]])
        scores = table @ model(known).numpy()[0, -1].astype(float)
        chosen = scores[items[row][target]]
        losses.append(np.log(np.exp(scores).sum()) - chosen)
    assert float(loss) == pytest.approx(np.mean(losses), rel=1e-4)


def test_windows_without_a_target_cost_nothing(model: SasRec) -> None:
    batch = batch_of([[3, 0, 0, 0]], [1], [0])
    assert float(model.compute_targets_loss(batch)) == 0.0


def test_padding_beyond_the_longest_window_is_cut(model: SasRec) -> None:
    items = [[1, 2, 3, 4, 5, 6], [3, 3, 3, 3, 3, 3]]
    wide = [row + [0, 0] for row in items]
    lengths, first = [6, 6], [0, 0]
    assert float(
        model.compute_targets_loss(batch_of(wide, lengths, first))
    ) == pytest.approx(
        float(model.compute_targets_loss(batch_of(items, lengths, first)))
    )


def test_a_query_is_the_state_after_the_last_event(model: SasRec) -> None:
    batch = batch_of([[1, 2, 3, 0, 0, 0, 0, 0], [4] + [0] * 7, [0] * 8],
                     [3, 1, 0], [3, 1, 0])
    queries = model.queries(batch).numpy()
    for row, known in enumerate([[1, 2, 3], [4]]):
        expected = model(tf.constant([known])).numpy()[0, -1]
        np.testing.assert_allclose(queries[row], expected, atol=1e-5)
    assert (queries[2] == 0).all()  # nothing is known


def test_dropout_is_on_in_training_alone(model: SasRec) -> None:
    batch = batch_of([[3, 1, 4, 1]], [4], [0])
    losses = {
        training: {
            float(model.compute_targets_loss(batch, training=training))
            for _ in range(3)
        }
        for training in (False, True)
    }
    assert (len(losses[False]), len(losses[True])) == (1, 3)


def test_heads_must_share_the_width() -> None:
    with pytest.raises(ValueError, match="5 heads cannot share a width of 6"):
        dataclasses.replace(CONFIG, heads=5)


def test_a_run_learns_what_comes_next_on_a_circle(tmp_path: Path) -> None:
    data = write_circle(tmp_path / "data", users=150, items=40, events=9)
    job = tmp_path / "job"
    code = main([
        "--data-dir", data, "--split", "leave_one_out", "--job-dir", str(job),
        "--dim", "16", "--epochs", "25", "--dropout", "0.1",
        "--learning-rate", "0.02", "--batch-size", "32", "--patience", "2",
    ])
    assert code == 0
    metrics = json.loads((job / "metrics.json").read_text())
    assert metrics.keys() == {
        "validation", "test", "slices", "baselines", "seconds",
        "peak_memory_mb",
    }
    assert metrics["test"]["ndcg@5"] > 0.9
    assert metrics["test"]["queries"] == 150
    assert metrics["baselines"]["markov"]["recall@5"] == 1.0
    history = json.loads((job / "history.json").read_text())
    scores = [line["validation_ndcg@10"] for line in history]
    assert metrics["validation"]["ndcg@10"] == pytest.approx(max(scores))
    assert len(scores) == min(25, 1 + int(np.argmax(scores)) + 2)


def test_what_is_wrong_with_a_command_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["--data-dir", str(tmp_path), "--job-dir", str(tmp_path)])
    assert code == 1
    assert capsys.readouterr().err.startswith("error: ")
