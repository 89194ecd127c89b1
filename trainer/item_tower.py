"""The item tower: what is known of an item, and a residual of its id.

Axes: C items, B users, D embedding_dim, K width of the text part, T width of a
text vector.
"""

from __future__ import annotations

import tensorflow as tf

from trainer.config import ModelConfig
from trainer.text_part import TextPart


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
