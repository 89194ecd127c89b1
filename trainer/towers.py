"""The two towers: layers that hold the weights.

Axes: C items, B users, L events, D embedding_dim, K width of the text part, T
width of a text vector, U lstm_units, E experts.
"""

from __future__ import annotations

import tensorflow as tf

from trainer.behaviour import NUM_GAPS
from trainer.config import ModelConfig
from trainer.interests import Interests
from trainer.text_part import TextPart

_SIDE_DIM = 16  # width of the event type, gap and scenario embeddings
_SPOKEN_DIM = 64  # width of what an event says, as the LSTM reads it


class ItemTower(tf.keras.layers.Layer):
    """item vector = unit(content(text, categories, brand) + id residual).

    The id part is a residual that training may drop, so that an item without
    a single event has a vector of the same kind as all others.

    Args:
        config: sizes and rates.
        num_items, num_categories, num_brands: vocabulary sizes.
        text_dim: T.
    """

    def __init__(
        self,
        config: ModelConfig,
        *,
        num_items: int,
        num_categories: int,
        num_brands: int,
        text_dim: int,
    ) -> None:
        super().__init__(name="item_tower")
        self.dim = dim = config.embedding_dim
        self.id_dropout = config.id_dropout
        self.parts = config.item_part_names
        self.text = tf.keras.layers.Dense(dim, name="text")
        # Row 0 of each table is "none"; codes are moved up by one.
        self.category = tf.keras.layers.Embedding(num_categories + 1, dim)
        self.brand = tf.keras.layers.Embedding(num_brands + 1, dim)
        self.id_residual = tf.keras.layers.Embedding(
            num_items, dim, name="id_residual"
        )
        width = config.text_part_dim if "text" in self.parts else 0
        self.text_part = TextPart(
            dim, text_dim, min(width, text_dim), config.new_item_scale
        )

    def content(
        self,
        text_vectors: tf.Tensor,
        category_codes: tf.Tensor,
        brand_codes: tf.Tensor,
    ) -> tf.Tensor:
        """What is known of an item without any event.

        Args:
            text_vectors: [C, T] float32.
            category_codes: [C, levels] int32, -1 for none.
            brand_codes: [C] int32, -1 for none.

        Returns:
            [C, D], not normalised.
        """
        used = [tf.zeros([tf.shape(text_vectors)[0], self.dim])]
        if "text" in self.parts:
            used.append(self.text(text_vectors))
        if "categories" in self.parts:
            used.append(self._mean_level(category_codes))
        if "brand" in self.parts:
            is_brand = tf.cast(brand_codes >= 0, self.compute_dtype)[:, None]
            used.append(self.brand(brand_codes + 1) * is_brand)
        return tf.add_n([tf.cast(part, self.compute_dtype) for part in used])

    def _mean_level(self, codes: tf.Tensor) -> tf.Tensor:
        """[C, levels] category codes -> [C, D]."""
        is_level = tf.cast(codes >= 0, self.compute_dtype)[..., None]
        levels = self.category(codes + 1) * is_level  # [C, levels, D]
        count = tf.maximum(tf.reduce_sum(is_level, axis=1), 1.0)
        return tf.reduce_sum(levels, axis=1) / count

    def imagined(self, text_vectors: tf.Tensor) -> tf.Tensor:
        """The item that a text alone would be: what a profile asks for.

        Args:
            text_vectors: [B, T] float32, zeros where there is no text.

        Returns:
            [B, D + K] float32, both parts of unit length, zeros where there is
            no text or items are not known by theirs.
        """
        if "text" not in self.parts:
            return tf.zeros([tf.shape(text_vectors)[0], self.dim])
        has_text = tf.reduce_any(text_vectors != 0, axis=-1, keepdims=True)
        vectors = tf.cast(self.text(text_vectors), tf.float32)
        learnt = tf.where(
            has_text, tf.math.l2_normalize(vectors, axis=-1), 0.0
        )
        return tf.concat([learnt, self.text_part.read(text_vectors)], axis=-1)

    def new_vectors(
        self,
        text_vectors: tf.Tensor,
        category_codes: tf.Tensor,
        brand_codes: tf.Tensor,
    ) -> tf.Tensor:
        """Vectors of items without events.

        Args:
            text_vectors, category_codes, brand_codes: as of `content`.

        Returns:
            [C, D + K] float32.
        """
        content = self.content(text_vectors, category_codes, brand_codes)
        learnt = tf.math.l2_normalize(tf.cast(content, tf.float32), axis=-1)
        trust = tf.zeros([tf.shape(learnt)[0]])
        return self.with_text(learnt, text_vectors, trust)

    def with_text(
        self, learnt: tf.Tensor, text_vectors: tf.Tensor, id_trust: tf.Tensor
    ) -> tf.Tensor:
        """The learnt and the text part, as items are found by.

        Args:
            learnt: [C, D] float32, unit length.
            text_vectors: [C, T].
            id_trust: [C] as of `call`.

        Returns:
            [C, D + K] float32, unit length but for new items.
        """
        part = self.text_part
        joined = part.join(learnt, part.read(text_vectors))
        return part.scaled(joined, id_trust)

    def call(
        self,
        content: tf.Tensor,
        codes: tf.Tensor,
        id_trust: tf.Tensor,
        training: bool = False,
    ) -> tf.Tensor:
        """Adds the id residual and normalises.

        Args:
            content: [C, D] from `content`.
            codes: [C] int32 item codes.
            id_trust: [C] float32 share of the residual that counts; 0 of an
                item without train events.
            training: whether ids are dropped.

        Returns:
            [C, D] float32, unit length.
        """
        if "id" not in self.parts:
            id_trust = tf.zeros_like(id_trust)
        keep = tf.cast(id_trust, self.compute_dtype)[:, None]
        if training and self.id_dropout > 0:
            draw = tf.random.uniform([tf.shape(codes)[0], 1])
            keep *= tf.cast(draw >= self.id_dropout, self.compute_dtype)
        vectors = content + keep * self.id_residual(codes)
        return tf.math.l2_normalize(tf.cast(vectors, tf.float32), axis=-1)


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
        self.reads_text = "text" in config.item_part_names
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
            initial_state=self._cast(state),
            training=training,
        )

    def last_state(
        self, inputs: tf.Tensor, state: list[tf.Tensor], mask: tf.Tensor
    ) -> list[tf.Tensor]:
        """The end of `read`, as a graph that is small to trace and to load.

        Keras' own call writes a second variant for cuDNN and the gradients of
        both.

        Args:
            inputs: [B, L, inputs] from `event_inputs`.
            state: [hidden, cell] before the first event, each [B, U].
            mask: [B, L] bool, False where the state passes through.

        Returns:
            [hidden, cell] after the last event, each [B, U].
        """
        _, _, last = tf.keras.backend.rnn(
            self.lstm.cell,
            tf.cast(inputs, self.compute_dtype),
            self._cast(state),
            mask=mask,
            unroll=inputs.shape[1] == 1,
        )
        return list(last)

    def _cast(self, state: list[tf.Tensor]) -> list[tf.Tensor]:
        return [tf.cast(part, self.compute_dtype) for part in state]

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
