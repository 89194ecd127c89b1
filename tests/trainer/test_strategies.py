"""Strategies by name, and what is said where one cannot be had."""

from __future__ import annotations

import pytest
import tensorflow as tf

from trainer.strategies import open_strategy


def test_none_is_the_strategy_of_one_device() -> None:
    strategy = open_strategy("none")
    assert strategy.num_replicas_in_sync == 1
    assert strategy is tf.distribute.get_strategy()


def test_mirrored_takes_the_cpu_devices_where_there_is_no_gpu() -> None:
    if tf.config.list_logical_devices("GPU"):
        pytest.skip("this machine has a GPU, which mirrored takes instead")
    strategy = open_strategy("mirrored")
    assert isinstance(strategy, tf.distribute.MirroredStrategy)
    # tests/conftest.py splits the CPU in two.
    assert strategy.num_replicas_in_sync == 2


def test_mirrored_sums_over_its_devices() -> None:
    strategy = open_strategy("mirrored")
    replicas = strategy.num_replicas_in_sync
    shares = strategy.run(
        lambda: tf.distribute.get_replica_context().all_reduce(
            "SUM", tf.constant([1.0, 3.0])
        )
    )
    for share in strategy.experimental_local_results(shares):
        assert share.numpy().tolist() == [replicas * 1.0, replicas * 3.0]


def test_multi_worker_asks_for_the_names_of_the_workers(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(ValueError, match="TF_CONFIG.*use mirrored"):
        open_strategy("multi_worker")


def test_a_machine_without_a_tpu_is_told_so(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_tpu(_: str) -> None:
        raise ValueError("no master")

    monkeypatch.setattr(
        tf.distribute.cluster_resolver, "TPUClusterResolver", no_tpu
    )
    with pytest.raises(ValueError, match="found no TPU: no master; .*another"):
        open_strategy("tpu")
