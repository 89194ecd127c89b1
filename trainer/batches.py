"""Batches of windows: padded arrays, windows of like length together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from trainer.behaviour import Sequences, Windows

Batch = dict[str, np.ndarray]

# Lengths that batches are padded to: few shapes, little padding.
_WIDTHS = np.array(
    [4, 6, 8, 12, 16, 24, 32, 40, 52, 64, 96, 128, 192, 256, 512]
)

# Shapes of one batch's tensors; B windows, L events. See `padded_batch`.
SIGNATURE: dict[str, tf.TensorSpec] = {
    "item": tf.TensorSpec([None, None], tf.int32),
    "event_type": tf.TensorSpec([None, None], tf.int32),
    "gap": tf.TensorSpec([None, None], tf.int32),
    "scenario": tf.TensorSpec([None, None], tf.int32),
    "text": tf.TensorSpec([None, None], tf.int32),
    "label": tf.TensorSpec([None, None], tf.float32),
    "is_target": tf.TensorSpec([None, None], tf.bool),
    "length": tf.TensorSpec([None], tf.int32),
    "profile": tf.TensorSpec([None], tf.int32),
    "asked_scenario": tf.TensorSpec([None], tf.int32),
}


def padded_batch(
    sequences: Sequences,
    windows: Windows,
    rows: np.ndarray,
    *,
    labels: np.ndarray,
    profile_of: np.ndarray,
    text_of: np.ndarray | None = None,
) -> Batch:
    """Gathers windows into padded arrays.

    Args:
        sequences: all events, item codes being catalogue codes.
        windows: all windows.
        rows: [B] which windows.
        labels: [events] float32 ranking labels, NaN where there is none.
        profile_of: [users] int32 row of the profile table, 0 for none.
        text_of: [events] int32 row of the table of what events say, 0 for
            nothing; None where no event says anything.

    Returns:
        Arrays by the names of `SIGNATURE`: [B, L] codes, L the padded length;
        is_target [B, L], the events to be predicted from what stands before
        them; length [B]; asked_scenario [B], of the event after the window,
        or of the window's last event where nothing follows.
    """
    start, stop = windows.start[rows], windows.stop[rows]
    length = stop - start
    width = _padded_width(int(length.max(initial=1)))
    at = start[:, None] + np.arange(width)[None, :]
    is_event = at < stop[:, None]
    safe = np.where(is_event, at, 0)
    batch = {
        name: np.where(is_event, getattr(sequences, name)[safe], 0)
        for name in ("item", "event_type", "gap", "scenario")
    }
    said = np.zeros_like(safe) if text_of is None else text_of[safe]
    batch["text"] = np.where(is_event, said, 0)
    user = windows.user[rows]
    batch["label"] = np.where(is_event, labels[safe], np.nan)
    batch["is_target"] = is_event & (at >= windows.first_target[rows][:, None])
    batch["length"] = length
    batch["profile"] = profile_of[user]
    last = sequences.starts[user + 1] - 1  # what follows is another user's
    batch["asked_scenario"] = sequences.scenario[np.minimum(stop, last)]
    return {
        name: batch[name].astype(spec.dtype.as_numpy_dtype)
        for name, spec in SIGNATURE.items()
    }


def _padded_width(longest: int) -> int:
    at = int(np.searchsorted(_WIDTHS, longest))
    return int(_WIDTHS[at]) if at < len(_WIDTHS) else longest


def epoch_rows(
    lengths: np.ndarray, batch_size: int, *, seed: int, epoch: int
) -> list[np.ndarray]:
    """Shuffles windows into batches of like length, the same for one seed.

    Windows are shuffled, sorted by length within stretches of 50 batches, and
    the batches shuffled: little padding, and no epoch like another.

    Returns:
        One array of window rows per batch; each window occurs once.
    """
    generator = np.random.default_rng([seed, epoch])
    order = generator.permutation(len(lengths))
    stretch = 50 * batch_size
    batches = []
    for at in range(0, len(order), stretch):
        part = order[at : at + stretch]
        part = part[np.argsort(lengths[part], kind="stable")]
        batches += [
            part[b : b + batch_size] for b in range(0, len(part), batch_size)
        ]
    return [batches[i] for i in generator.permutation(len(batches))]


def in_order(count: int, batch_size: int) -> Iterator[np.ndarray]:
    """Rows 0..count-1 in batches."""
    for at in range(0, count, batch_size):
        yield np.arange(at, min(count, at + batch_size))
