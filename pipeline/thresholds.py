"""What a model must keep to be served."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

METRICS = (
    "recall@5",
    "recall@10",
    "recall@100",
    "ndcg@5",
    "ndcg@10",
    "mrr@10",
    "coverage@10",
    "gini@10",
    "novelty@10",
)
BASELINES = ("random", "popularity", "markov")
_MAY_BE_NONE = ("min_index_recall", "max_index_p95_ms", "min_ranking_auc")


@dataclasses.dataclass(frozen=True)
class Thresholds:
    """What a model must keep to be blessed; all metrics on the test targets.

    Attributes:
        at_least: least value by metric.
        at_most: greatest value by metric, e.g. of gini@10.
        over_baselines: by baseline and metric, how many times its value the
            model must reach; 1.0 is "no worse".
        max_fall: by metric, the share of the last blessed model's value that
            may be lost on the same targets.
        max_forgetting: the same on targets that the last blessed model knew.
        min_index_recall: least recall@10 of the ScaNN twin against exact
            search; None for any.
        max_index_p95_ms: most milliseconds of the twin's p95; None for any.
        max_ranking_rmse: greatest root mean squared error of the ranking
            head, of labels in [0, 1]. Who always says the middle of the
            scale is never further off than the default.
        min_ranking_auc: least AUC of the ranking head; None for any.
    """

    at_least: Mapping[str, float] = dataclasses.field(default_factory=dict)
    at_most: Mapping[str, float] = dataclasses.field(default_factory=dict)
    over_baselines: Mapping[str, Mapping[str, float]] = dataclasses.field(
        default_factory=lambda: {"popularity": {"ndcg@10": 1.0}}
    )
    max_fall: Mapping[str, float] = dataclasses.field(
        default_factory=lambda: {"ndcg@10": 0.05, "recall@10": 0.05}
    )
    max_forgetting: Mapping[str, float] = dataclasses.field(
        default_factory=lambda: {"ndcg@10": 0.1}
    )
    min_index_recall: float | None = 0.9
    max_index_p95_ms: float | None = None
    max_ranking_rmse: float = 0.5
    min_ranking_auc: float | None = None

    def __post_init__(self) -> None:
        by_metric = {
            "at_least": self.at_least,
            "at_most": self.at_most,
            "max_fall": self.max_fall,
            "max_forgetting": self.max_forgetting,
            **{
                f"over_baselines.{name}": factors
                for name, factors in self.over_baselines.items()
            },
        }
        for name, values in by_metric.items():
            _check_values(name, values)
        for name in self.over_baselines:
            _check_choice("over_baselines", name, BASELINES)
        _check_number("max_ranking_rmse", self.max_ranking_rmse)
        for name in _MAY_BE_NONE:
            value = getattr(self, name)
            if value is not None:
                _check_number(name, value)

    @classmethod
    def from_json(cls, text: str) -> Thresholds:
        """Reads what `to_json` wrote; "" means the defaults.

        Raises:
            ValueError: naming the key that is not known.
        """
        fields = json.loads(text or "{}")
        if not isinstance(fields, dict):
            raise ValueError(f"thresholds must be a mapping, got {fields!r}.")
        known = [field.name for field in dataclasses.fields(cls)]
        for name in fields:
            _check_choice("thresholds", name, known)
        return cls(**fields)

    def to_json(self) -> str:
        """The same thresholds give the same text."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)


def _check_values(name: str, values: Any) -> None:
    if not isinstance(values, Mapping):
        raise ValueError(f"{name} must map metrics to numbers, got {values!r}.")
    for metric, value in values.items():
        _check_choice(name, metric, METRICS)
        _check_number(f"{name}.{metric}", value)


def _check_choice(name: str, value: str, choices: Any) -> None:
    if value not in choices:
        raise ValueError(
            f"{name} knows {', '.join(choices)}; got {value!r}."
        )


def _check_number(name: str, value: Any) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or value < 0:
        raise ValueError(f"{name} must be a number from 0, got {value!r}.")
