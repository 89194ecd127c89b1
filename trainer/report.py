"""What a person reads at the end of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_COLUMNS = ("recall@5", "recall@10", "recall@100", "ndcg@10", "mrr@10")


def summary(metrics: Mapping[str, Any]) -> str:
    """The table of a run: model beside baselines, slices, ranking, cost.

    Args:
        metrics: what `metrics.json` holds.
    """
    rows = [("model, test", metrics["test"])]
    rows += [
        (f"{name}, test", values)
        for name, values in metrics["baselines"].items()
    ]
    rows += [("model, validation", metrics["validation"])]
    rows += [
        (f"  {name}", values) for name, values in metrics["slices"].items()
    ]
    lines = _table(rows)
    test = metrics["test"]
    if "rmse" in test:
        auc = f"AUC {test['auc']:.4f}, " if "auc" in test else ""
        lines += [
            f"ranking, test: RMSE {test['rmse']:.4f} (always the mean: "
            f"{test['rmse_of_mean']:.4f}), {auc}{test['labels']:.0f} labels"
        ]
    lines += _reranked(metrics.get("rerank", {}))
    spent = ", ".join(f"{k} {v:.0f} s" for k, v in metrics["seconds"].items())
    lines += [f"{spent}; peak memory {metrics['peak_memory_mb']:.0f} MB"]
    return "\n".join(lines)


def _reranked(found: Mapping[str, Any]) -> list[str]:
    """The retrieved lists before and after the head has ordered them anew."""
    rows = []
    for group, who in (("all", "all targets"), ("high", "high labels")):
        if group in found:
            orders, name = found[group], f"  {who}, by "
            blend = f"retrieval + {orders['weight']:g} head"
            rows += [
                (name + "retrieval", orders["retrieval"]),
                (name + "head", orders["head"]),
                (name + blend, orders["blend"]),
            ]
    if not rows:
        return []
    title = f"the {found['depth']} best of each test list, ordered anew:"
    return [title, *_table(rows)]


def _table(rows: Sequence[tuple[str, Mapping[str, float]]]) -> list[str]:
    width = max(len(name) for name, _ in rows)
    header = "".join(f"{name:>12}" for name in (*_COLUMNS, "queries"))
    lines = [" " * width + header]
    for name, values in rows:
        cells = [
            f"{values[c]:>12.4f}" if c in values else f"{'-':>12}"
            for c in _COLUMNS
        ]
        queries = f"{int(values['queries']):>12}"
        lines.append(f"{name:<{width}}" + "".join(cells) + queries)
    return lines
