"""Verdicts on evaluations written by hand."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from pipeline.blessing import judge
from pipeline.thresholds import Thresholds

NOTHING = Thresholds(
    over_baselines={}, max_fall={}, max_forgetting={}, min_index_recall=None
)
EVALUATION: dict[str, Any] = {
    "model": {
        "recall@10": {"value": 0.20, "low": 0.18, "high": 0.22},
        "ndcg@10": {"value": 0.10, "low": 0.09, "high": 0.11},
        "gini@10": {"value": 0.70, "low": None, "high": None},
    },
    "baselines": {
        "random": {"recall@10": 0.01, "ndcg@10": 0.005},
        "popularity": {"recall@10": 0.10, "ndcg@10": 0.05},
        "markov": {"recall@10": 0.15, "ndcg@10": 0.08},
    },
    "previous": None,
    "forgetting": None,
    "index": None,
}


def evaluation(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(EVALUATION), **changes}


def test_a_good_first_model_is_blessed() -> None:
    verdict = judge(evaluation(), Thresholds())
    assert verdict.blessed
    assert verdict.reasons == [
        "all thresholds are kept; there is no blessed model yet to compare "
        "with"
    ]


@pytest.mark.parametrize(
    ("thresholds", "reason"),
    [
        (
            {"at_least": {"recall@10": 0.21}},
            "recall@10 is 0.2000, wanted at least 0.21",
        ),
        (
            {"at_most": {"gini@10": 0.69}},
            "gini@10 is 0.7000, wanted at most 0.69",
        ),
        (
            {"over_baselines": {"markov": {"ndcg@10": 1.3}}},
            "ndcg@10 is 0.1000, wanted at least 1.3 times that of markov "
            "(0.0800)",
        ),
        (
            {"at_least": {"mrr@10": 0.0}},
            "mrr@10 is not measured, wanted at least 0",
        ),
    ],
)
def test_a_model_that_misses_a_threshold_is_not_blessed(
    thresholds: dict[str, Any], reason: str
) -> None:
    fields = {**NOTHING.__dict__, **thresholds}
    verdict = judge(evaluation(), Thresholds(**fields))
    assert not verdict.blessed
    assert verdict.reasons == [reason]


@pytest.mark.parametrize(
    ("thresholds", "kept"),
    [
        ({"at_least": {"recall@10": 0.2}}, True),
        ({"over_baselines": {"popularity": {"recall@10": 2.0}}}, True),
        ({"over_baselines": {"popularity": {"recall@10": 2.01}}}, False),
    ],
)
def test_a_threshold_itself_is_still_kept(
    thresholds: dict[str, Any], kept: bool
) -> None:
    fields = {**NOTHING.__dict__, **thresholds}
    assert judge(evaluation(), Thresholds(**fields)).blessed == kept


def test_a_metric_that_is_no_number_keeps_no_threshold() -> None:
    broken = evaluation(model={"recall@10": {"value": float("nan")}})
    low = Thresholds(**{**NOTHING.__dict__, "at_least": {"recall@10": 0}})
    high = Thresholds(**{**NOTHING.__dict__, "at_most": {"recall@10": 9}})
    assert not judge(broken, low).blessed
    assert not judge(broken, high).blessed


@pytest.mark.parametrize(
    ("previous", "blessed"), [(0.105, True), (0.1052, True), (0.1064, False)]
)
def test_a_model_may_lose_a_stated_share_of_the_last_blessed_one(
    previous: float, blessed: bool
) -> None:
    thresholds = Thresholds(
        **{**NOTHING.__dict__, "max_fall": {"ndcg@10": 0.05}}
    )
    verdict = judge(evaluation(previous={"ndcg@10": previous}), thresholds)
    assert verdict.blessed == blessed
    if not blessed:
        assert verdict.reasons == [
            "ndcg@10 fell from 0.1064 of the last blessed model to 0.1000, "
            "allowed is a loss of 5%"
        ]


def test_forgetting_what_the_last_model_knew_is_a_reason() -> None:
    forgetting = {
        "queries": 5,
        "model": {"ndcg@10": 0.08},
        "previous": {"ndcg@10": 0.1},
    }
    better = {"ndcg@10": 0.05, "recall@10": 0.1}
    verdict = judge(
        evaluation(previous=better, forgetting=forgetting), Thresholds()
    )
    assert verdict.reasons == [
        "ndcg@10 fell from 0.1000 of the last blessed model on what it knew "
        "to 0.0800, allowed is a loss of 10%"
    ]


def test_an_index_that_misses_or_dawdles_is_a_reason() -> None:
    index = {
        "recall@10": 0.85,
        "exact_ms": {"p50": 1.0, "p95": 2.0},
        "scann_ms": {"p50": 1.0, "p95": 30.0},
    }
    verdict = judge(
        evaluation(index=index), Thresholds(max_index_p95_ms=20)
    )
    assert verdict.reasons == [
        "the index finds 0.8500 of the exact top 10, wanted at least 0.9",
        "the index answers in 30.0 ms (p95), wanted at most 20",
    ]


def test_every_failure_is_told() -> None:
    thresholds = Thresholds(
        at_least={"recall@10": 0.5, "ndcg@10": 0.5},
        over_baselines={"popularity": {"ndcg@10": 9.0}},
    )
    assert len(judge(evaluation(), thresholds).reasons) == 3


def test_a_forced_blessing_says_so_and_why() -> None:
    thresholds = Thresholds(at_least={"recall@10": 0.5})
    verdict = judge(evaluation(), thresholds, "ticket 7: new catalogue")
    assert verdict.blessed
    assert verdict.reasons == [
        "recall@10 is 0.2000, wanted at least 0.5",
        "forced: ticket 7: new catalogue",
    ]


def test_a_reason_to_force_is_silent_where_nothing_fails() -> None:
    verdict = judge(evaluation(), Thresholds(), "ticket 7")
    assert not any("forced" in reason for reason in verdict.reasons)
