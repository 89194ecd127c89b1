"""The tf.distribute strategies that a run can ask for by name."""

from __future__ import annotations

import os

import tensorflow as tf


def open_strategy(name: str) -> tf.distribute.Strategy:
    """The tf.distribute strategy of that name.

    Raises:
        ValueError: if this machine has not what the strategy needs.
    """
    if name == "mirrored":
        gpus = [d.name for d in tf.config.list_logical_devices("GPU")]
        if gpus:
            return tf.distribute.MirroredStrategy(gpus)
        return tf.distribute.MirroredStrategy(
            [d.name for d in tf.config.list_logical_devices("CPU")],
            # Collective operations mix up their keys between CPU devices.
            tf.distribute.ReductionToOneDevice(),
        )
    if name == "multi_worker":
        if "TF_CONFIG" not in os.environ:
            raise ValueError(
                "--strategy multi_worker needs the variable TF_CONFIG, which "
                "names the workers; set it, or use mirrored on one machine."
            )
        return tf.distribute.MultiWorkerMirroredStrategy()
    if name == "tpu":
        try:
            resolver = tf.distribute.cluster_resolver.TPUClusterResolver("")
            tf.config.experimental_connect_to_cluster(resolver)
            tf.tpu.experimental.initialize_tpu_system(resolver)
        except (ValueError, tf.errors.OpError) as error:
            raise ValueError(
                f"--strategy tpu found no TPU: {error}; run on a TPU host or "
                "use another strategy."
            ) from error
        return tf.distribute.TPUStrategy(resolver)
    return tf.distribute.get_strategy()
