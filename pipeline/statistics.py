"""What StatisticsGen computes, and how its statistics are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.types import artifact_utils

# Values that a histogram of a text column keeps, the most frequent ones:
# enough for every scenario and event type, and for most of the brands.
RANKED_VALUES = 1_000
_TOP_VALUES = 50  # that people look at


def stats_options() -> tfdv.StatsOptions:
    """Options of StatisticsGen for every table."""
    return tfdv.StatsOptions(
        num_top_values=_TOP_VALUES, num_rank_histogram_buckets=RANKED_VALUES
    )


def load_splits(
    artifact: Any,
) -> dict[str, statistics_pb2.DatasetFeatureStatisticsList]:
    """Statistics of an ExampleStatistics artifact by split."""
    names: Sequence[str] = artifact_utils.decode_split_names(
        artifact.split_names
    )
    return {
        name: stats_artifact_utils.load_statistics(artifact, name).proto()
        for name in names
    }


def value_shares(
    statistics: statistics_pb2.DatasetFeatureStatisticsList, column: str
) -> tuple[dict[str, float], bool]:
    """Shares of the values of a text column among those that are there.

    Returns:
        Share by value, empty where the column is missing; and whether rarer
        values than these were left out.
    """
    for feature in statistics.datasets[0].features:
        if list(feature.path.step) != [column]:
            continue
        stats = feature.string_stats
        total = max(stats.common_stats.num_non_missing, 1)
        shares = {
            bucket.label: bucket.sample_count / total
            for bucket in stats.rank_histogram.buckets
        }
        return shares, stats.unique > len(shares)
    return {}, False
