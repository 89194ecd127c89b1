"""Recent popularity: what was chosen lately counts, and fades.

    count_h(i, t) = sum over events e of item i before t of
                    2 ** -((t - time of e) / h)
    logit(u, i, t) = scale_i cosine(u, i) / temperature + newness_i
                     + exponent log(base + sum_h weight_h count_h(i, t))

The sum is the intensity of a self-exciting process with exponential kernels
(Hawkes, Biometrika 1971): each event makes further ones of its item likelier
for a while. Where items live for days, as news do, it tells more than
anything else, and an item that nobody knew when the model was trained is
known by it within minutes.

Axes: n items, H half-lives, b events or queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from serving.admission import Shelf
from serving.stock import growing

if TYPE_CHECKING:
    from serving.fields import Array

_HOUR_S = 3600.0
_CLOCKS_DIFFER_S = 60  # between those who tell of events and the server
# Items of the greatest boost, which a twin looks at beside its index.
_HOT = 1_000


def decay(seconds: tf.Tensor, hours: Sequence[float]) -> tf.Tensor:
    """What is left of an event: [...] int64 seconds -> [H, ...] float32."""
    past = tf.cast(seconds, tf.float32) / _HOUR_S
    return tf.stack([tf.pow(2.0, -past / each) for each in hours])


class RecentPopularity(tf.Module):
    """The parameters above, the same for all users.

    Args:
        half_lives: H, in hours.

    Attributes:
        hours: [H] the half-lives.
        log_weights, log_base, exponent: as above.
        scales: [2] of an item without train events, and of one with many.
        newness: of an item without train events; 0 of one with many.
    """

    def __init__(self, half_lives: Sequence[float]) -> None:
        super().__init__(name="recent_popularity")
        self.half_lives = tuple(half_lives)

        def parameter(value: object, name: str) -> tf.Variable:
            # Not of the towers' training: `trainer.calibration` sets them.
            return tf.Variable(value, trainable=False, name=name)

        self.hours = parameter(list(self.half_lives), "hours")
        self.log_weights = parameter(
            tf.zeros([len(self.half_lives)]), "log_weights"
        )
        self.log_base = parameter(0.0, "log_base")
        self.exponent = parameter(1.0, "exponent")
        self.scales = parameter([0.5, 0.5], "scales")
        self.newness = parameter(0.0, "newness")

    @property
    def fitted(self) -> list[tf.Variable]:
        """All but the half-lives."""
        return [
            self.log_weights, self.log_base, self.exponent, self.scales,
            self.newness,
        ]

    @classmethod
    def of(cls, loaded: Any) -> RecentPopularity:
        """What is loaded of one, to compute with."""
        found = cls(loaded.hours.numpy().tolist())
        for variable, value in zip(
            found.fitted,
            (
                loaded.log_weights, loaded.log_base, loaded.exponent,
                loaded.scales, loaded.newness,
            ),
            strict=True,
        ):
            variable.assign(value)
        return found

    def scale(self, trust: tf.Tensor) -> tf.Tensor:
        """[n] how much the id of each item counts -> [n] scale_i."""
        new, known = tf.unstack(self.scales)
        return new + (known - new) * trust

    def logits(self, counts: tf.Tensor, trust: tf.Tensor) -> tf.Tensor:
        """What is added to a scaled cosine over the temperature.

        Args:
            counts: [H, ..., n] float32.
            trust: [n] float32 in [0, 1], how much an item's id counts.

        Returns:
            [..., n] float32.
        """
        weighted = tf.tensordot(tf.exp(self.log_weights), counts, 1)
        intensity = tf.math.log(tf.exp(self.log_base) + weighted)
        return self.exponent * intensity + self.newness * (1.0 - trust)

    def scores(
        self,
        products: tf.Tensor,
        counts: tf.Tensor,
        trust: tf.Tensor,
        temperature: tf.Tensor | float,
    ) -> tf.Tensor:
        """[b, n] products of queries and vectors -> [b, n] scores.

        Args:
            products: [b, n] float32.
            counts: [H, b, n] float32 at the moments of the queries.
            trust: [n] float32.
            temperature: of the logits.
        """
        boost = temperature * self.logits(counts, trust)
        return self.scale(trust) * products + boost


class LiveCounts(tf.Module):
    """Counts of a served catalogue, which events move on.

    Args:
        popularity: calibrated.
        shelf: its `scale`, `boost` and `hot` are set here.
        counts: [n, H] float32 at `as_of`.
        trust: [n] float32.
        as_of: unix seconds.
        temperature: scalar float32 of the logits.
    """

    def __init__(
        self,
        popularity: RecentPopularity,
        shelf: Shelf,
        *,
        counts: Array,
        trust: tf.Tensor,
        as_of: int,
        temperature: tf.Variable,
    ) -> None:
        super().__init__(name="live_counts")
        self.popularity = popularity
        self.counts, self.trust = growing(counts), growing(trust)
        self.as_of = tf.Variable(as_of, dtype=tf.int64, trainable=False)
        self.temperature = temperature
        self.scale = growing(popularity.scale(trust))
        boost = self._boost(self.counts)
        self.boost, self.hot = growing(boost), growing(_hottest(boost))
        shelf.scale, shelf.boost, shelf.hot = self.scale, self.boost, self.hot

    def observe(self, rows: tf.Tensor, timestamps: tf.Tensor) -> tf.Tensor:
        """Counts events; scores follow at once.

        Between two calls nothing fades. An event that is older than the
        latest one counts for what is left of it. Calls must not overlap.

        Args:
            rows: [b] int32 of the catalogue, -1 for an unknown item.
            timestamps: [b] int64 unix seconds, 0 for an unknown time.

        Returns:
            [b] bool, whether the event was counted: its item and time are
            known, and it is not to come. A single time far ahead would let
            all counts fade.
        """
        now = tf.cast(tf.timestamp(), tf.int64)
        is_past = (timestamps > 0) & (timestamps <= now + _CLOCKS_DIFFER_S)
        is_counted = (rows >= 0) & is_past
        rows = tf.boolean_mask(rows, is_counted)
        times = tf.boolean_mask(timestamps, is_counted)
        latest = tf.reduce_max(tf.concat([times, [self.as_of]], axis=0))
        hours = self.popularity.half_lives
        counts = tf.tensor_scatter_nd_add(
            self.counts * decay(latest - self.as_of, hours),
            rows[:, tf.newaxis],
            tf.transpose(decay(latest - times, hours)),
        )
        boost = self._boost(counts)
        with tf.control_dependencies([
            self.counts.assign(counts),
            self.as_of.assign(latest),
            self.boost.assign(boost),
            self.hot.assign(_hottest(boost)),
        ]):
            return tf.identity(is_counted)

    def _boost(self, counts: tf.Tensor) -> tf.Tensor:
        """[n] in the unit of scores."""
        counts = tf.transpose(counts)
        logits = self.popularity.logits(counts, self.trust)
        return self.temperature * logits


def room(live_counts: Any, number: tf.Tensor) -> dict[str, tf.Tensor]:
    """What its variables get behind the present rows, by name, for items that
    join and that nobody has chosen yet.

    Args:
        live_counts: a `LiveCounts`, or what is loaded of one.
        number: scalar int32, of the items.
    """
    said = live_counts.popularity
    logit = tf.add(said.newness, tf.multiply(said.exponent, said.log_base))
    halves = tf.shape(live_counts.counts)[1]
    return {
        "counts": tf.zeros([number, halves]),
        "trust": tf.zeros([number]),
        "scale": tf.fill([number], tf.gather(said.scales, 0)),
        "boost": tf.fill([number], tf.multiply(live_counts.temperature, logit)),
    }


def _hottest(boost: tf.Tensor) -> tf.Tensor:
    """Rows of the greatest boosts, [n] -> [_HOT or n] int32."""
    return tf.math.top_k(boost, tf.minimum(tf.size(boost), _HOT)).indices
