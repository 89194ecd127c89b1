from __future__ import annotations

import pytest
import tensorflow_data_validation as tfdv
from tables import ingest, statistics_of

from pipeline.statistics import load_splits, stats_options, value_shares

ROWS = "user_id,item_id,timestamp,scenario\n" + (
    "a,b,1,home\n" * 3 + "a,b,2,search\nc,d,yesterday,\nbroken\n"
)


@pytest.fixture
def statistics(tmp_path):
    (tmp_path / "events.csv").write_text(ROWS)
    examples = ingest(tmp_path, "events.csv", "events", tmp_path / "out")
    return load_splits(statistics_of(examples, tmp_path / "stats"))["all"]


def test_every_row_is_an_example_and_blanks_are_missing(statistics):
    assert statistics.datasets[0].num_examples == 6
    present = {
        feature.path.step[0]: (
            feature.string_stats.common_stats.num_non_missing
            or feature.num_stats.common_stats.num_non_missing
        )
        for feature in statistics.datasets[0].features
    }
    assert present == {
        "user_id": 5, "item_id": 5, "timestamp": 4, "scenario": 4, "_row": 6,
        "_unparsed": 1, "_malformed": 1, "_damaged": 0,
    }


def test_shares_are_of_the_rows_with_a_value(statistics):
    assert value_shares(statistics, "scenario") == (
        {"home": 0.75, "search": 0.25}, False,
    )
    assert value_shares(statistics, "mood") == ({}, False)


def test_options_survive_the_way_to_the_executor():
    options = tfdv.StatsOptions.from_json(stats_options().to_json())
    assert options.num_rank_histogram_buckets == 1_000
