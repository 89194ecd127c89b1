"""The model of a finished run, back from its job folder."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import tensorflow as tf

from trainer.config import RunConfig
from trainer.encoder import TextEncoder
from trainer.job import CHECKPOINTS
from trainer.model import TwoTower
from trainer.prepare import Prepared
from trainer.run import Run
from trainer.strategies import open_strategy
from trainer.warm_start import EarlierRun


def restore(
    prepared: Prepared, config: RunConfig, job_dir: Path
) -> tuple[TwoTower, TextEncoder]:
    """The model with the weights of the best epoch, and its text encoder.

    Args:
        prepared: the data of that run.
        config: its settings; the strategy and where it started from do not
            matter any more.
        job_dir: its folder. Texts that its cache lacks are added to it.

    Raises:
        ValueError: if the folder holds no checkpoint.
    """
    checkpoint = tf.train.latest_checkpoint(str(job_dir / CHECKPOINTS / "best"))
    if checkpoint is None:
        raise ValueError(
            f"{job_dir} holds no checkpoint of a finished epoch; give the "
            "job folder of a run that is through."
        )
    training = dataclasses.replace(
        config.training, strategy="none", warm_start=None
    )
    config = dataclasses.replace(config, training=training)
    before = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy(training.precision)
    try:
        run = Run(prepared, config, job_dir)
        model, encoder = run.build(open_strategy("none"))
        learnt = EarlierRun.read(job_dir)
        model.keep_id_trust(learnt.id_trust(prepared.catalogue.item_ids))
        make_variables(model)
    finally:
        tf.keras.mixed_precision.set_global_policy(before)
    status = tf.train.Checkpoint(model=model).restore(checkpoint)
    status.assert_existing_objects_matched()
    status.expect_partial()  # the moments of the optimizer stay behind
    model.refresh_texts()
    return model, encoder


def make_variables(model: TwoTower) -> None:
    """One forward pass: layers make their variables when first called."""
    nothing = {
        "item": tf.zeros([1, 2], tf.int32),
        "event_type": tf.zeros([1, 2], tf.int32),
        "gap": tf.zeros([1, 2], tf.int32),
        "scenario": tf.zeros([1, 2], tf.int32),
        "text": tf.zeros([1, 2], tf.int32),
        "label": tf.zeros([1, 2]),
        "is_target": tf.zeros([1, 2], tf.bool),
        "length": tf.constant([2]),
        "profile": tf.zeros([1], tf.int32),
        "asked_scenario": tf.zeros([1], tf.int32),
    }
    vectors = model.item_vectors(nothing["item"][0])
    hidden, interests = model.states(nothing, vectors[None])
    queries = model.user_tower.head(
        hidden[:, 0], interests[:, 0], nothing["asked_scenario"]
    )
    if model.has_labels:
        model.ranking_head(queries, vectors[:1], nothing["asked_scenario"])
