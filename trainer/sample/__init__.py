"""Sample logs with planted truth: `python -m trainer.sample --help`."""

from trainer.sample.config import SampleConfig
from trainer.sample.logs import Sample, generate

__all__ = ["Sample", "SampleConfig", "generate"]
