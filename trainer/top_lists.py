"""The best few columns of each row of scores, without sorting whole rows."""

from __future__ import annotations

import numpy as np

# Columns to a block. More leave fewer maxima to choose from and longer blocks
# to sort; 32 was the fastest at 12,101 columns, and near it at 100,000
# (benchmarks/README.md, "Evaluation against FactorizedTopK").
_BLOCK = 32


def top_lists(scores: np.ndarray, width: int) -> np.ndarray:
    """The `width` columns with the highest scores, best first.

    Only blocks with the highest maxima can hold them: an item above the least
    of `width + 1` block maxima would lift its own block among those. So one
    pass finds the maxima, and what is sorted is `width + 1` blocks. Rows in
    which that may not tell which of equals is listed are partitioned whole.

    Args:
        scores: [queries, candidates]; minus infinity where excluded.
        width: how many; 1 to candidates.

    Returns:
        [queries, width] int64 columns, -1 beyond what is admissible. Which of
        equal scores is listed, and in what order, is NumPy's partition's.

    Example:
        >>> top_lists(np.array([[0.5, 2.0, -np.inf, 1.0]]), 4)
        array([[ 1,  3,  0, -1]])
    """
    if scores.shape[1] < 2 * _BLOCK * (width + 1):
        return _of_whole_rows(scores, width)
    lists, is_unsure = _of_best_blocks(scores, width)
    if is_unsure.any():
        lists[is_unsure] = _of_whole_rows(scores[is_unsure], width)
    return lists


def _of_whole_rows(scores: np.ndarray, width: int) -> np.ndarray:
    """[queries, width] columns by a partition of all candidates."""
    top = np.argpartition(-scores, width - 1, axis=1)[:, :width]
    kept = np.take_along_axis(scores, top, axis=1)
    order = np.argsort(-kept, axis=1, kind="stable")
    best = np.take_along_axis(kept, order, axis=1)
    columns = np.take_along_axis(top, order, axis=1)
    return np.where(np.isneginf(best), -1, columns)


def _of_best_blocks(
    scores: np.ndarray, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """The same by blocks, and [queries] bool where ties or NaN forbid it."""
    queries, candidates = scores.shape
    num_blocks = candidates // _BLOCK
    # A block is every num_blocks-th column: maxima of long contiguous rows.
    in_blocks = num_blocks * _BLOCK
    maxima = (
        scores[:, :in_blocks].reshape(queries, _BLOCK, num_blocks).max(axis=1)
    )
    block = np.argpartition(-maxima, width, axis=1)[:, : width + 1]
    columns = block[:, :, None] + num_blocks * np.arange(_BLOCK)
    rest = np.broadcast_to(
        np.arange(in_blocks, candidates), (queries, candidates - in_blocks)
    )
    columns = columns.reshape(queries, (width + 1) * _BLOCK)
    columns = np.concatenate([columns, rest], axis=1)
    # One place more than is listed, to see a tie with what is left out.
    place = _of_whole_rows(
        np.take_along_axis(scores, columns, axis=1), width + 1
    )
    listed = np.take_along_axis(columns, place, axis=1)
    best = np.take_along_axis(scores, listed, axis=1)
    is_tied = (best[:, 1:] == best[:, :-1]).any(axis=1)
    is_unsure = is_tied | np.isnan(maxima).any(axis=1)
    return np.where(place < 0, -1, listed)[:, :width], is_unsure
