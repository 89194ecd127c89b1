"""Lists of a bundle under policies, against the evaluation without one."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from serving.asking import Policy
from trainer import behaviour, policy_report
from trainer.evaluation import build_queries, rank_targets
from trainer.policy_report import PolicyLists
from trainer.run import Run
from trainer.scoring import ModelScorer


@pytest.fixture(scope="module")
def measured(small_run: Run) -> PolicyLists:
    folder = small_run.job_dir / "export" / "recommender" / "1"
    data = str(small_run.job_dir.parent / "data")
    return policy_report.load(folder, data, limit=10_000)


@pytest.fixture(scope="module")
def plain(measured: PolicyLists) -> np.ndarray:
    return measured.lists(Policy())


def test_without_a_policy_lists_and_metrics_are_those_of_the_evaluation(
    small_run: Run, measured: PolicyLists, plain: np.ndarray
) -> None:
    queries = measured.queries
    scorer = ModelScorer(small_run.model, small_run.prepared, queries)
    ranking = rank_targets(queries, scorer, "test")
    assert queries.history_lengths.max() > 9  # more than a request reads
    assert (plain == ranking.lists).mean() > 0.99  # all but ties
    told = ranking.summary()
    summary = measured.summary(plain)
    for name in ("recall@10", "ndcg@10", "coverage@10", "gini@10"):
        assert summary[name] == pytest.approx(told[name], abs=0.01)


def test_diversity_spreads_the_lists(
    measured: PolicyLists, plain: np.ndarray
) -> None:
    distances = [
        measured.summary(lists)["intra_list_distance@10"]
        for lists in (plain, measured.lists(Policy(diversity=0.5)))
    ]
    assert distances[0] < distances[1]


def test_a_policy_s_rules_hold_offline(measured: PolicyLists) -> None:
    catalogue = measured.prepared.catalogue
    lists = measured.lists(Policy(max_per_category=2))
    assert (lists[:, :5] >= 0).all()
    category = catalogue.category_codes[:, 0]
    for listed in lists:
        codes = category[listed[listed >= 0]]
        assert np.bincount(codes[codes >= 0]).max(initial=0) <= 2


def test_items_wait_until_they_are_available(measured: PolicyLists) -> None:
    # Cold items of the sample open with the test split.
    prepared = measured.prepared
    sequences = prepared.sequences
    earlier = build_queries(
        sequences, behaviour.target_rows(sequences, behaviour.VALIDATION),
        num_items=len(prepared.catalogue), exclude_seen=True,
    )
    asked = dataclasses.replace(measured, queries=earlier)
    opened = prepared.catalogue.available_from
    now = sequences.timestamp[earlier.targets][:, None]
    for at_time in (False, True):
        lists = asked.lists(Policy(), at_time)
        is_early = (lists >= 0) & (opened[np.maximum(lists, 0)] > now)
        assert is_early.any() != at_time


def test_the_command_prints_a_line_for_each_diversity(
    small_run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = small_run.job_dir / "export" / "recommender" / "1"
    data = small_run.job_dir.parent / "data"
    arguments = ["--bundle", str(folder), "--data-dir", str(data)]
    options = ["--limit", "40", "--diversity", "0", "0.4"]
    assert policy_report.main([*arguments, *options]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["diversity"] for line in lines] == [0.0, 0.4]
    assert {line["queries"] for line in lines} == {40}


def test_a_folder_that_is_no_bundle_is_an_error_of_one_sentence(
    tmp_path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--bundle", str(tmp_path), "--data-dir", str(tmp_path)]
    assert policy_report.main(arguments) == 1
    assert "not a version" in capsys.readouterr().err
