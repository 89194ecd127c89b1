"""Which items a training step scores, and how likely each was among them."""

from __future__ import annotations

import tensorflow as tf

from trainer.config import TrainingConfig
from trainer.losses import log_inclusion_probability
from trainer.replicas import gathered, over_replicas


def candidates(
    batch: dict[str, tf.Tensor],
    config: TrainingConfig,
    event_share: tf.Tensor,
    *,
    draw: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor | None]:
    """The distinct items that are scored, each to be encoded once.

    An item without train events is never among them: it would be wrong each
    time, and the model would learn to push new items down by their text.

    Args:
        batch: tensors of `trainer.batches.SIGNATURE`.
        config: which negatives there are.
        event_share: [N] float32 share of the train events of each item that
            has any; items of the batch are among these.
        draw: [2] int32 seed of the uniform draw.

    Returns:
        [C] int32 item codes, [B, L] int32 column of each event's item, and
        [C] log inclusion probabilities, or None for the full softmax.
    """
    uniform, num_items = config.num_negatives, int(event_share.shape[0])
    if num_items <= config.full_softmax_items:
        return tf.range(num_items), batch["item"], None
    is_event = _is_event(batch)
    # Padding repeats the window's first item: it adds no candidate.
    own = tf.where(is_event, batch["item"], batch["item"][:, :1])
    own = tf.reshape(own, [-1])
    drawn = tf.random.stateless_uniform(
        [uniform], draw, maxval=num_items, dtype=tf.int32
    )
    events = events_of(batch)
    # Own items come first, so that their columns are the first indices.
    everything = tf.concat([own, gathered(events), drawn], axis=0)
    codes, columns = tf.unique(everything)
    columns = tf.reshape(columns[: tf.size(own)], tf.shape(batch["item"]))
    log_inclusion = log_inclusion_probability(
        tf.gather(event_share, codes),
        uniform,
        num_items,
        over_replicas(tf.size(events)),
    )
    return codes, columns, log_inclusion


def events_of(batch: dict[str, tf.Tensor]) -> tf.Tensor:
    """[events] int32 items of a batch's events, padding left out."""
    return tf.boolean_mask(batch["item"], _is_event(batch))


def _is_event(batch: dict[str, tf.Tensor]) -> tf.Tensor:
    """[B, L] bool."""
    return tf.sequence_mask(batch["length"], tf.shape(batch["item"])[1])
