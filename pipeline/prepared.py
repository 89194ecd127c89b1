"""Transformed artifacts as the arrays that evaluation reads."""

from __future__ import annotations

from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_artifacts
from tfx.utils import io_utils

from trainer.config import RunConfig
from trainer.prepare import Prepared

SPLIT = "all"


def files_of(examples: standard_artifacts.Examples) -> list[str]:
    """All files of an Examples artifact, in order."""
    folder = artifact_utils.get_split_uri([examples], SPLIT)
    return sorted(fileio.glob(io_utils.all_files_pattern(folder)))


def read_prepared(
    sequences: standard_artifacts.Examples,
    catalogue: standard_artifacts.Examples,
    sequence_graph: standard_artifacts.TransformGraph,
    catalogue_graph: standard_artifacts.TransformGraph,
    config: RunConfig,
) -> Prepared:
    """What `trainer.prepare.prepare` returns, from the pipeline's artifacts.

    Args:
        sequences: transformed, one example per user.
        catalogue: transformed, one example per item.
        sequence_graph: its vocabularies name event types and scenarios.
        catalogue_graph: its vocabularies name items, categories and brands.
        config: settings of the run.
    """
    raise NotImplementedError("reading of transformed records is not built in")
