"""The table at the end of a run."""

from __future__ import annotations

from typing import Any

import pytest

from trainer.report import summary


def values(recall: float, queries: int) -> dict[str, float]:
    return {
        "recall@5": 0.0312,
        "recall@10": recall,
        "recall@100": 0.5,
        "ndcg@5": 0.9999,
        "ndcg@10": 0.25,
        "mrr@10": 0.125,
        "queries": queries,
    }


@pytest.fixture
def metrics() -> dict[str, Any]:
    return {
        "test": values(0.12345, 4321),
        "validation": values(0.2, 77),
        "baselines": {"popularity": values(0.1, 4321)},
        "slices": {"item:cold": {"queries": 0}},
        "seconds": {"read": 1.6, "train": 60.0},
        "peak_memory_mb": 1234.5,
    }


def line_of(text: str, start: str) -> list[str]:
    """The cells behind a row's name."""
    (line,) = [line for line in text.splitlines() if line.startswith(start)]
    return line[len(start) :].split()


def test_the_header_names_the_columns(metrics: dict[str, Any]) -> None:
    assert summary(metrics).splitlines()[0].split() == [
        "recall@5", "recall@10", "recall@100", "ndcg@10", "mrr@10", "queries"
    ]


def test_the_model_stands_first_with_four_digits(
    metrics: dict[str, Any]
) -> None:
    text = summary(metrics)
    assert text.splitlines()[1].startswith("model, test")
    assert line_of(text, "model, test") == [
        "0.0312", "0.1235", "0.5000", "0.2500", "0.1250", "4321"
    ]


def test_baselines_and_validation_stand_below(metrics: dict[str, Any]) -> None:
    text = summary(metrics)
    assert line_of(text, "popularity, test")[1] == "0.1000"
    assert line_of(text, "model, validation")[1::4] == ["0.2000", "77"]


def test_a_slice_without_queries_shows_dashes(metrics: dict[str, Any]) -> None:
    assert line_of(summary(metrics), "  item:cold") == ["-"] * 5 + ["0"]


def test_all_rows_of_the_table_are_equally_wide(
    metrics: dict[str, Any]
) -> None:
    lines = summary(metrics).splitlines()[:-1]
    assert len({len(line) for line in lines}) == 1


def test_the_cost_stands_last(metrics: dict[str, Any]) -> None:
    assert summary(metrics).splitlines()[-1] == (
        "read 2 s, train 60 s; peak memory 1234 MB"
    )


def test_the_ranking_line_is_shown_where_there_are_labels(
    metrics: dict[str, Any]
) -> None:
    assert "RMSE" not in summary(metrics)
    metrics["test"] |= {
        "rmse": 0.91234, "rmse_of_mean": 1.1, "auc": 0.75, "labels": 99
    }
    assert line_of(summary(metrics), "ranking, test: RMSE ") == (
        "0.9123 (always the mean: 1.1000), AUC 0.7500, 99 labels".split()
    )


def test_lists_ordered_anew_are_shown_where_there_are_any(
    metrics: dict[str, Any]
) -> None:
    assert "anew" not in summary(metrics)
    orders = {
        "weight": 0.05,
        "retrieval": values(0.21, 90),
        "head": values(0.02, 90),
        "blend": values(0.22, 90),
    }
    high = {**orders, "weight": 0.0, "blend": {"queries": 0}}
    metrics["rerank"] = {"depth": 100, "all": orders, "high": high}
    text = summary(metrics)
    assert "the 100 best of each test list, ordered anew:\n" in text
    assert line_of(text, "  all targets, by retrieval  ")[1] == "0.2100"
    assert line_of(text, "  all targets, by head")[1] == "0.0200"
    blended = line_of(text, "  all targets, by retrieval + 0.05 head")
    assert blended[1::4] == ["0.2200", "90"]
    nothing = line_of(text, "  high labels, by retrieval + 0 head")
    assert nothing == ["-"] * 5 + ["0"]
