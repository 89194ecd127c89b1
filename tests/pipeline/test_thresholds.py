"""Thresholds: read, written and refused by name."""

from __future__ import annotations

import pytest

from pipeline.thresholds import Thresholds


def test_thresholds_come_back_from_json() -> None:
    thresholds = Thresholds(at_least={"recall@5": 0.1}, min_index_recall=None)
    assert Thresholds.from_json(thresholds.to_json()) == thresholds
    assert Thresholds.from_json("") == Thresholds()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"at_lest": {}}', "thresholds knows at_least, .* got 'at_lest'"),
        ('{"at_least": {"recall": 1}}', "at_least knows .* got 'recall'"),
        ('{"over_baselines": {"sasrec": {}}}', "knows random, .* 'sasrec'"),
        ('{"max_fall": {"ndcg@10": -1}}', "max_fall.ndcg@10 must be a number"),
        ('{"min_index_recall": "high"}', "min_index_recall must be a number"),
        ('{"max_ranking_rmse": null}', "max_ranking_rmse must be a number"),
        ('{"min_ranking_auc": true}', "min_ranking_auc must be a number"),
        ('{"at_least": 0.1}', "at_least must map metrics to numbers"),
        ("[]", "thresholds must be a mapping"),
    ],
)
def test_bad_thresholds_are_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Thresholds.from_json(text)
