"""Whether a model may be served: the verdict and every reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from pipeline.thresholds import Thresholds


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The blessing of a model.

    Attributes:
        blessed: whether it may be served.
        reasons: every threshold that failed; if none did, what was looked at;
            and that a blessing was forced, with the reason given.
    """

    blessed: bool
    reasons: list[str]


def judge(
    evaluation: Mapping[str, Any],
    thresholds: Thresholds,
    force_bless_reason: str = "",
) -> Verdict:
    """Compares an evaluation with the thresholds.

    Args:
        evaluation: as `evaluation.json`, without `blessing`.
        thresholds: to keep.
        force_bless_reason: blesses in spite of what fails, and says why.
    """
    model = {name: m["value"] for name, m in evaluation["model"].items()}
    failures = [
        *_bounds(model, thresholds),
        *_over_baselines(model, evaluation["baselines"], thresholds),
        *_falls(
            "the last blessed model",
            thresholds.max_fall,
            model,
            evaluation["previous"],
        ),
        *_forgotten(evaluation["forgetting"], thresholds),
        *_index(evaluation["index"], thresholds),
    ]
    if failures and force_bless_reason:
        return Verdict(True, [*failures, f"forced: {force_bless_reason}"])
    if failures:
        return Verdict(False, failures)
    passed = "all thresholds are kept"
    if evaluation["previous"] is None:
        passed += "; there is no blessed model yet to compare with"
    return Verdict(True, [passed])


def _bounds(model: Mapping[str, float], thresholds: Thresholds) -> list[str]:
    low = [
        f"{name} is {_told(model, name)}, wanted at least {least:g}"
        for name, least in thresholds.at_least.items()
        if not _value(model, name) >= least  # NaN fails too
    ]
    high = [
        f"{name} is {_told(model, name)}, wanted at most {most:g}"
        for name, most in thresholds.at_most.items()
        if not _value(model, name) <= most
    ]
    return low + high


def _over_baselines(
    model: Mapping[str, float],
    baselines: Mapping[str, Mapping[str, float]],
    thresholds: Thresholds,
) -> list[str]:
    return [
        f"{name} is {_told(model, name)}, wanted at least {factor:g} times "
        f"that of {baseline} ({_told(baselines[baseline], name)})"
        for baseline, factors in thresholds.over_baselines.items()
        for name, factor in factors.items()
        if not _value(model, name)
        >= factor * _value(baselines[baseline], name)
    ]


def _falls(
    whose: str,
    allowed: Mapping[str, float],
    model: Mapping[str, float],
    previous: Mapping[str, float] | None,
) -> list[str]:
    if previous is None:
        return []
    return [
        f"{name} fell from {_told(previous, name)} of {whose} to "
        f"{_told(model, name)}, allowed is a loss of {share:.0%}"
        for name, share in allowed.items()
        if not _value(model, name) >= (1 - share) * _value(previous, name)
    ]


def _forgotten(
    forgetting: Mapping[str, Any] | None, thresholds: Thresholds
) -> list[str]:
    if forgetting is None:
        return []
    return _falls(
        "the last blessed model on what it knew",
        thresholds.max_forgetting,
        forgetting["model"],
        forgetting["previous"],
    )


def _index(
    index: Mapping[str, Any] | None, thresholds: Thresholds
) -> list[str]:
    if index is None:
        return []
    failures = []
    least, most = thresholds.min_index_recall, thresholds.max_index_p95_ms
    recall, p95 = index["recall@10"], index["scann_ms"]["p95"]
    if least is not None and not recall >= least:
        failures.append(
            f"the index finds {recall:.4f} of the exact top 10, wanted at "
            f"least {least:g}"
        )
    if most is not None and not p95 <= most:
        failures.append(
            f"the index answers in {p95:.1f} ms (p95), wanted at most {most:g}"
        )
    return failures


def _value(metrics: Mapping[str, float], name: str) -> float:
    """NaN, which keeps no threshold, where nothing was measured."""
    return metrics.get(name, float("nan"))


def _told(metrics: Mapping[str, float], name: str) -> str:
    return f"{metrics[name]:.4f}" if name in metrics else "not measured"
