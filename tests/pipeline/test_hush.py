"""Warnings of libraries stay away; errors do not."""

from __future__ import annotations

import subprocess
import sys

_CODE = """
import logging, warnings
import tensorflow as tf, transformers
from absl import logging as absl_logging
from pipeline.hush import hush
hush()
loggers = [logging.getLogger(), absl_logging, tf.get_logger(),
           transformers.logging.get_logger("transformers.x")]
for number, logger in enumerate(loggers):
    logger.warning("warning %d", number)
    logger.error("error %d", number)
# What TensorFlow's C++ says of an op without shape.
import ctypes, pathlib
lib = next(pathlib.Path(tf.sysconfig.get_lib()).glob("libtensorflow_fr*"))
least = getattr(ctypes.CDLL(str(lib)),
                "_ZN4absl12lts_2023080211MinLogLevelEv")()
print("least level", least)
"""


def test_errors_are_told_and_warnings_are_not() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _CODE], capture_output=True, text=True,
        check=True,
    )
    assert "warning" not in ran.stderr
    for number in range(4):
        assert f"error {number}" in ran.stderr
    assert "least level 2" in ran.stdout
