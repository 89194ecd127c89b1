"""Which items a training step scores, and how likely each was among them."""

from __future__ import annotations

import tensorflow as tf

from trainer.config import RunConfig
from trainer.losses import log_inclusion_probability
from trainer.replicas import gathered, over_replicas


def candidates(
    batch: dict[str, tf.Tensor],
    config: RunConfig,
    event_share: tf.Tensor,
    *,
    step: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor | None]:
    """The distinct items that are scored, each to be encoded once.

    An item without train events is never among them: it would be wrong each
    time, and the model would learn to push new items down by their text.

    Args:
        batch: tensors of `trainer.batches.SIGNATURE`.
        config: of the run.
        event_share: [N] float32 share of the train events of each item that
            has any; items of the batch are among these.
        step: number of the step, for the draw.

    Returns:
        [C] int32 item codes, [B, L] int32 column of each event's item, and
        [C] log inclusion probabilities, or None for the full softmax.
    """
    settings, trains_text = config.training, config.text.tunes_encoder
    num_items = int(event_share.shape[0])
    if num_items <= settings.full_softmax_items and not trains_text:
        return tf.range(num_items), batch["item"], None
    # Text that is being tuned is affordable for the batch's items alone.
    uniform = 0 if trains_text else settings.num_negatives
    is_event = tf.sequence_mask(batch["length"], tf.shape(batch["item"])[1])
    # Padding repeats the window's first item: it adds no candidate.
    own = tf.where(is_event, batch["item"], batch["item"][:, :1])
    own = tf.reshape(own, [-1])
    drawn = tf.random.stateless_uniform(
        [uniform],
        tf.stack([settings.seed, tf.cast(step, tf.int32)]),
        maxval=num_items,
        dtype=tf.int32,
    )
    events = tf.boolean_mask(batch["item"], is_event)
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
