"""The user tower: an LSTM over events, experts by scenario, interests.

Axes: B users, L events, D embedding_dim, K width of the text part, T width of a
text vector, U lstm_units, E experts.
"""

from __future__ import annotations

import tensorflow as tf

from trainer.behaviour import NUM_GAPS
from trainer.config import ModelConfig
from trainer.interests import Interests
from trainer.text_part import TextPart

_SIDE_DIM = 16  # width of the event type, gap and scenario embeddings
_SPOKEN_DIM = 64  # width of what an event says, as the LSTM reads it


class UserTower(tf.keras.layers.Layer):
    """LSTM over a user's events, from a state that text and scenario set.

    query = unit(sum_e gate[scenario, e] * expert_e(h) + interests(h, items)),
    with a gate per scenario over shared experts (multi-gate mixture of
    experts, Ma et al., KDD 2018). Scenario 0 is the unknown one.

    Args:
        config: sizes and rates.
        num_scenarios, num_event_types: vocabulary sizes, unknown included.
        reads_behaviour: whether the LSTM reads what events say.
    """

    def __init__(
        self,
        config: ModelConfig,
        *,
        num_scenarios: int,
        num_event_types: int,
        reads_behaviour: bool = False,
    ) -> None:
        super().__init__(name="user_tower")
        layers = tf.keras.layers
        self.units, self.dim = config.lstm_units, config.embedding_dim
        self.reads_text = config.reads_text
        self.num_experts = config.num_experts if num_scenarios > 1 else 1
        self.event_type = layers.Embedding(num_event_types, _SIDE_DIM)
        self.gap = layers.Embedding(NUM_GAPS, _SIDE_DIM)
        self.scenario = layers.Embedding(num_scenarios, _SIDE_DIM)
        self.start = layers.Dense(2 * self.units, name="start")
        # Nothing until profiles have been seen in training.
        self.profile = layers.Dense(
            2 * self.units,
            use_bias=False,
            kernel_initializer="zeros",
            name="profile",
        )
        self.input_dropout = layers.Dropout(config.dropout)
        self.lstm = layers.LSTM(self.units, return_sequences=True)
        self.output_dropout = layers.Dropout(config.dropout)
        self.experts = layers.Dense(self.num_experts * self.dim)
        self.gate = layers.Embedding(num_scenarios, self.num_experts)
        self.interests = Interests(config)
        # Without bias, so that an event which says nothing adds nothing.
        self.behaviour = (
            layers.Dense(_SPOKEN_DIM, use_bias=False, name="behaviour")
            if reads_behaviour
            else None
        )

    def initial_state(
        self, profile_vectors: tf.Tensor, scenario: tf.Tensor
    ) -> list[tf.Tensor]:
        """What is known before any event.

        Args:
            profile_vectors: [B, T] text vectors, zeros where there is none.
            scenario: [B] int32.

        Returns:
            [hidden, cell], each [B, U].
        """
        known = self.start(self.scenario(scenario))
        if self.reads_text:
            known += self.profile(profile_vectors)
        return tf.split(known, 2, axis=-1)

    def spoken(self, text_vectors: tf.Tensor) -> tf.Tensor:
        """[..., T] vectors of what events say -> [..., S] what is read of it.

        Raises:
            ValueError: if the tower does not read behaviour.
        """
        if self.behaviour is None:
            raise ValueError(
                "this tower reads no behaviour; build it from a run with "
                "behaviour_text."
            )
        # As large as an item's part: a unit vector's elements are 1 / sqrt(T).
        scale = float(text_vectors.shape[-1]) ** 0.5
        vectors: tf.Tensor = self.behaviour(text_vectors * scale)
        return vectors

    def event_inputs(
        self,
        item_vectors: tf.Tensor,
        event_type: tf.Tensor,
        gap: tf.Tensor,
        scenario: tf.Tensor,
        spoken: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Joins what the LSTM reads of each event.

        Args:
            item_vectors: [B, L, D or D + K]; the learnt part is read.
            event_type, gap, scenario: [B, L] codes.
            spoken: [B, L, S] of `spoken`; None where behaviour is not read.

        Returns:
            [B, L, inputs].
        """
        sides = [
            self.event_type(event_type), self.gap(gap), self.scenario(scenario)
        ]
        if spoken is not None:
            sides.append(tf.cast(spoken, self.compute_dtype))
        learnt = item_vectors[..., : self.dim]
        item_vectors = tf.cast(learnt, self.compute_dtype)
        return tf.concat([item_vectors * self.dim**0.5, *sides], axis=-1)

    def read(
        self,
        inputs: tf.Tensor,
        state: list[tf.Tensor],
        training: bool = False,
    ) -> tf.Tensor:
        """Runs the LSTM over events that at most padding follows.

        Args:
            inputs: [B, L, inputs] from `event_inputs`.
            state: [hidden, cell] before the first event, each [B, U].
            training: whether dropout is on.

        Returns:
            [B, L, U] hidden state after each event.
        """
        return self.lstm(
            self.input_dropout(inputs, training=training),
            initial_state=[tf.cast(p, self.compute_dtype) for p in state],
            training=training,
        )

    @property
    def recurrence(self) -> tf.Tensor:
        """[inputs + U, 4 U] float32: what `last_state` multiplies by."""
        cell = self.lstm.cell
        return tf.concat([cell.kernel, cell.recurrent_kernel], axis=0)

    def last_state(
        self,
        inputs: tf.Tensor,
        state: list[tf.Tensor],
        number: tf.Tensor,
        recurrence: tf.Tensor,
    ) -> list[tf.Tensor]:
        """The end of `read`, by one operation for all events.

        In float32 whatever the layers compute in, so that a state that is
        kept loses nothing.

        Args:
            inputs: [B, L, inputs] from `event_inputs`.
            state: [hidden, cell] before the first event, each [B, U].
            number: [B] int32 of events on the left that are read; padding
                follows.
            recurrence: the property, or a copy: joining takes its time.

        Returns:
            [hidden, cell] after the last of them, each [B, U] float32.
        """
        hidden, kept = (tf.cast(part, tf.float32) for part in state)
        no_peephole = tf.zeros([self.units])
        after = tf.raw_ops.BlockLSTMV2(
            seq_len_max=tf.shape(inputs, tf.int64)[1],
            x=tf.transpose(tf.cast(inputs, tf.float32), [1, 0, 2]),
            h_prev=hidden,
            cs_prev=kept,
            w=recurrence,
            wci=no_peephole,
            wcf=no_peephole,
            wco=no_peephole,
            b=self.lstm.cell.bias,
        )
        last = tf.stack([number, tf.range(tf.shape(number)[0])], axis=1)
        return [
            tf.gather_nd(tf.concat([before[None], each], axis=0), last)
            for before, each in ((hidden, after.h), (kept, after.cs))
        ]

    def head(
        self,
        hidden: tf.Tensor,
        parts: tf.Tensor,
        scenario: tf.Tensor,
        training: bool = False,
    ) -> tf.Tensor:
        """Turns states into the learnt part of queries.

        Args:
            hidden: [N, U].
            parts: [N, P, D] of `Interests.read`.
            scenario: [N] int32, the scenario that is asked.

        Returns:
            [N, D] float32, unit length.
        """
        hidden = self.output_dropout(hidden, training=training)
        experts = tf.reshape(
            self.experts(hidden), [-1, self.num_experts, self.dim]
        )
        gate = tf.nn.softmax(self.gate(scenario))  # [N, E]
        mixed = tf.einsum("ne,ned->nd", gate, experts)
        wanted = tf.cast(mixed, tf.float32) + self.interests(hidden, parts)
        return tf.math.l2_normalize(wanted, axis=-1)

    def query(
        self,
        hidden: tf.Tensor,
        parts: tf.Tensor,
        scenario: tf.Tensor,
        text_part: TextPart,
    ) -> tf.Tensor:
        """What items are searched by.

        Args:
            hidden, scenario: as of `head`.
            parts: [N, P, D + K] of `Interests.read`.
            text_part: of the items.

        Returns:
            [N, D + K] float32, unit length.
        """
        learnt = self.head(hidden, parts[..., : self.dim], scenario)
        texts = self.interests.recent(parts)[..., self.dim :]
        return text_part.join(learnt, texts)
