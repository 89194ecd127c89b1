"""Leaves errors alone of what libraries tell their developers."""

from __future__ import annotations

import ctypes
import logging
import warnings
from pathlib import Path

import tensorflow as tf
import transformers
from absl import logging as absl_logging

_ERROR = 2  # absl::LogSeverityAtLeast::kError
# absl::SetMinLogLevel of the absl in TensorFlow, whose warnings no variable
# of the environment and no Python function reaches.
_SET_MIN_LOG_LEVEL = (
    "_ZN4absl12lts_2023080214SetMinLogLevelENS0_18LogSeverityAtLeastE"
)


def hush() -> None:
    """Silences warnings of TFX, Beam, TensorFlow and transformers."""
    logging.getLogger().setLevel(logging.ERROR)
    absl_logging.set_verbosity(absl_logging.ERROR)
    tf.get_logger().setLevel(logging.ERROR)
    transformers.logging.set_verbosity_error()
    warnings.filterwarnings("ignore", module="tensorflow_model_analysis")
    folder = Path(tf.sysconfig.get_lib())
    for file in folder.glob("libtensorflow_framework.*"):
        # Another TensorFlow has another absl, and its warnings are harmless.
        quiet = getattr(ctypes.CDLL(str(file)), _SET_MIN_LOG_LEVEL, None)
        if quiet is not None:
            quiet(_ERROR)
