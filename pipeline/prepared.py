"""Transformed artifacts as the arrays that evaluation reads."""

from __future__ import annotations

from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_artifacts
from tfx.utils import io_utils

from trainer.prepare import Prepared
from trainer.records import Records, load_prepared

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
) -> Prepared:
    """What `trainer.prepare.prepare` returns, from the pipeline's artifacts.

    Args:
        sequences: transformed, one example per user.
        catalogue: transformed, one example per item.
        sequence_graph: its vocabularies name event types and scenarios.
        catalogue_graph: its vocabularies name items, categories and brands.
    """
    return load_prepared(
        records_of(sequences, catalogue, sequence_graph, catalogue_graph)
    )


def records_of(
    sequences: standard_artifacts.Examples,
    catalogue: standard_artifacts.Examples,
    sequence_graph: standard_artifacts.TransformGraph,
    catalogue_graph: standard_artifacts.TransformGraph,
) -> Records:
    """Where the trainer finds Transform's outputs."""

    def pattern(examples: standard_artifacts.Examples) -> str:
        folder = artifact_utils.get_split_uri([examples], SPLIT)
        return str(io_utils.all_files_pattern(folder))

    return Records(
        sequences=pattern(sequences),
        catalogue=pattern(catalogue),
        sequence_graph=sequence_graph.uri,
        catalogue_graph=catalogue_graph.uri,
    )
