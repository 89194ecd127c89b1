"""Time-decayed counts of each item's events, at any moment of the past.

Axes: N items, P moments, H half-lives.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from serving.recency import decay
from trainer.behaviour import TRAIN, Sequences

_SNAPSHOT_BYTES = 256 << 20  # of all snapshots together, about
_LEAST_BETWEEN = 32  # events between two snapshots


class EventCounts:
    """Decayed counts of all items.

    Between snapshots stand few events, which are added one by one, so counts
    are exact whatever moment is asked.

    Args:
        timestamps: [events] int64 unix seconds, in any order.
        items: [events] int32 codes.
        num_items: N.
        half_lives: H, in hours.
    """

    def __init__(
        self,
        timestamps: np.ndarray,
        items: np.ndarray,
        num_items: int,
        half_lives: Sequence[float],
    ) -> None:
        order = np.argsort(timestamps, kind="stable")
        times, codes = timestamps[order], items[order]
        self.half_lives = half_lives
        most = max(1, _SNAPSHOT_BYTES // (4 * num_items * len(half_lives)))
        self._between = max(_LEAST_BETWEEN, -(-len(times) // most))
        self._snapshots = tf.constant(
            _snapshots(times, codes, num_items, half_lives, self._between)
        )
        padding = self._between  # a stretch may be read past the last event
        padded = np.pad(times, (0, padding))
        # Of the last event in each snapshot; the first has none.
        ends = np.arange(0, len(times) + 1, self._between) - 1
        self._ends = tf.constant(padded[np.maximum(ends, 0)])
        self._times = tf.constant(padded)
        self._items = tf.constant(np.pad(codes, (0, padding)))
        self._num_events = len(times)

    @classmethod
    def known(
        cls,
        sequences: Sequences,
        num_items: int,
        half_lives: Sequence[float],
        split: str,
    ) -> EventCounts:
        """Of the events that held-out queries may know.

        Those that are earlier than a query's moment; by `leave_one_out`, whose
        held-out events lie at no common time, the train events among them.
        """
        is_known = np.ones(len(sequences.item), bool)
        if split == "leave_one_out":
            is_known = sequences.split == TRAIN
        return cls(
            sequences.timestamp[is_known],
            sequences.item[is_known],
            num_items,
            half_lives,
        )

    def at(self, moments: tf.Tensor) -> tf.Tensor:
        """Counts of the events that are earlier than each moment.

        Args:
            moments: [P] int64 unix seconds.

        Returns:
            [H, P, N] float32.
        """
        before = tf.searchsorted(
            self._times[: self._num_events], moments, side="left"
        )
        number = before // self._between
        rows = number[:, None] * self._between + tf.range(self._between)
        where = tf.where(rows < before[:, None])
        rows, query = tf.gather_nd(rows, where), tf.cast(where[:, 0], tf.int32)
        since = tf.gather(moments, query) - tf.gather(self._times, rows)
        # A moment may lie before all events, where nothing can fade.
        since_end = tf.maximum(moments - tf.gather(self._ends, number), 0)
        left = decay(since_end, self.half_lives)[..., None]
        counts = tf.gather(self._snapshots, number, axis=1) * left
        cells = tf.stack([query, tf.gather(self._items, rows)], axis=1)
        added = decay(since, self.half_lives)
        return tf.stack([
            tf.tensor_scatter_nd_add(counts[h], cells, added[h])
            for h in range(len(self.half_lives))
        ])


def _snapshots(
    times: np.ndarray,
    codes: np.ndarray,
    num_items: int,
    half_lives: Sequence[float],
    between: int,
) -> np.ndarray:
    """[H, snapshots, N] float32, the first empty, `between` events apart."""
    number_of_all = 1 + len(times) // between
    table = np.zeros((len(half_lives), number_of_all, num_items), np.float32)
    for number in range(1, number_of_all):
        part = slice((number - 1) * between, number * between)
        end = times[part.stop - 1]
        past = end - times[max(0, part.start - 1)]
        since = np.array([past, *(end - times[part])])
        for h, left in enumerate(decay(since, half_lives).numpy()):
            table[h, number] = table[h, number - 1] * left[0]
            np.add.at(table[h, number], codes[part], left[1:])
    return table
