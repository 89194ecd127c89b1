"""Markdown tables and how figures stand in them."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.quality.pooling import Estimate

NOTHING = "–"  # no figure


def number(value: float | None) -> str:
    """Four decimals, without the zero before the point.

    Example:
        >>> number(0.06254), number(11.5), number(None)
        ('.0625', '11.50', '–')
    """
    if value is None:
        return NOTHING
    if abs(value) >= 10:
        return f"{value:.2f}"
    text = f"{value:.4f}"
    return text[1:] if text.startswith("0.") else text


def estimate_cell(found: Estimate | None) -> str:
    """Mean ± spread over seeds [interval over users].

    Example:
        >>> estimate_cell(Estimate(0.1058, 0.0011, 0.1019, 0.1099))
        '.1058 ± .0011 [.1019, .1099]'
    """
    if found is None:
        return NOTHING
    spread = "" if found.spread is None else f" ± {number(found.spread)}"
    interval = f"[{number(found.low)}, {number(found.high)}]"
    return f"{number(found.mean)}{spread} {interval}"


def table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells as a Markdown table."""
    rules = ["---"] * len(header)
    return "\n".join(
        "| " + " | ".join(cells) + " |" for cells in (header, rules, *lines)
    )
