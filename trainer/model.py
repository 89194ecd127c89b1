"""The two-tower model: what one training step and one query compute."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from serving.recency import RecentPopularity
from trainer.batches import SIGNATURE
from trainer.candidates import candidates
from trainer.config import RunConfig
from trainer.encoder import TextEncoder
from trainer.item_tower import ItemTower
from trainer.losses import retrieval_loss
from trainer.model_inputs import ModelInputs
from trainer.ranking_head import RankingHead
from trainer.replicas import over_replicas
from trainer.text_table import TextTable
from trainer.user_tower import UserTower

_ENCODE_ITEMS = 4096  # items of the catalogue that are encoded at a time


class TwoTower(tfrs.Model):
    """User tower, item tower, retrieval and ranking tasks.

    Args:
        config: of the run.
        inputs: tables and sizes.
        encoder: the text encoder; of its weights those that are tuned are
            the model's own.

    Attributes:
        config, tables: the configuration and inputs as given.
        popularity: what recent events add to scores; None where they are not
            read.
        events: of which it is counted.
        id_trust: [items] float32, how much an item's id counts:
            n / (n + id_shrinkage) of n train events, as a mean shrinks to
            what is known without it (James and Stein 1961), or what
            `keep_id_trust` says.
    """

    def __init__(
        self, config: RunConfig, inputs: ModelInputs, encoder: TextEncoder
    ) -> None:
        super().__init__()
        self.config, self.tables = config, inputs
        self.num_items = len(inputs.counts)
        # Codes go by train events: the items without any come last.
        self.num_train_items = int(np.count_nonzero(inputs.counts))
        settings = config.training
        self.has_labels = inputs.has_labels and settings.ranking_weight > 0
        # Half floats overflow where bfloat16 only rounds.
        is_coarse = settings.precision == "mixed_bfloat16"
        self._precision = tf.bfloat16 if is_coarse else tf.float32
        self.item_tower = ItemTower(
            config.model,
            num_items=self.num_items,
            num_categories=inputs.num_categories,
            num_brands=inputs.num_brands,
            text_dim=(
                encoder.dim
                if config.text.tunes_encoder
                else inputs.text.shape[1]
            ),
        )
        self.user_tower = UserTower(
            config.model,
            num_scenarios=inputs.num_scenarios,
            num_event_types=inputs.num_event_types,
            reads_behaviour=inputs.behaviour is not None,
        )
        self.ranking_head = RankingHead(
            config.model,
            num_scenarios=inputs.num_scenarios,
            loss=settings.ranking_loss,
        )
        half_lives = config.model.half_lives
        self.popularity = RecentPopularity(half_lives) if half_lives else None
        self.events = inputs.events
        self._set_tables(inputs, encoder)
        if config.text.tunes_encoder:
            self.tuned_weights = encoder.tuned_weights

    def _set_tables(self, inputs: ModelInputs, encoder: TextEncoder) -> None:
        """What is looked up of items, users and events."""
        text = self.config.text
        self._texts, self._profiles = (
            TextTable(
                rows, encoder, text.texts_per_step, recompute=text.recompute
            )
            for rows in (inputs.text, inputs.profiles)
        )
        self._behaviour = (
            None
            if inputs.behaviour is None
            else tf.constant(inputs.behaviour)
        )
        self._categories = tf.constant(inputs.category_codes)
        self._brands = tf.constant(inputs.brand_codes)
        counts = inputs.counts.astype(np.float32)
        shrinkage = self.config.model.id_shrinkage
        shrunk = counts / np.maximum(counts + shrinkage, 1.0)
        self.id_trust = tf.constant(shrunk)
        share = inputs.counts / max(1, inputs.counts.sum())
        self._event_share = tf.constant(share.astype(np.float32))

    def keep_id_trust(self, earlier: np.ndarray) -> None:
        """Lets ids count that were learnt before the present train events.

        Args:
            earlier: [items] float32, how much they counted.
        """
        self.id_trust = tf.maximum(self.id_trust, earlier)

    @property
    def _draw(self) -> tf.Tensor:
        """[2] int32 seed of what a step draws."""
        step = tf.cast(self.optimizer.iterations, tf.int32)
        return tf.stack([self.config.training.seed, step])

    def refresh_texts(self) -> float:
        """Reads all texts with a tuned encoder as it is now.

        Whoever changes its weights does so before vectors are asked for.

        Returns:
            How far texts of items had moved since the last time, of
            `TextTable.refresh`.
        """
        self._profiles.refresh()
        return self._texts.refresh()

    def texts_moved(self) -> float:
        """How far texts of items have moved since, of `TextTable.moved`."""
        return self._texts.moved()

    def _read(
        self, table: TextTable, rows: tf.Tensor, training: bool
    ) -> tf.Tensor:
        """[n, T] vectors of texts, in training those of `in_training`."""
        if training:
            return table.in_training(rows, self._draw)
        return table.at(rows)

    def item_vectors(
        self, codes: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        """[C] int32 item codes -> [C, D] float32 unit vectors, as is learnt."""
        return self._learnt(codes, self._texts.at(codes), training)

    def _learnt(
        self, codes: tf.Tensor, text_vectors: tf.Tensor, training: bool
    ) -> tf.Tensor:
        content = self.item_tower.content(
            text_vectors,
            tf.gather(self._categories, codes),
            tf.gather(self._brands, codes),
        )
        return self.item_tower(
            content, codes, tf.gather(self.id_trust, codes),
            training=training,
        )

    def states(
        self,
        batch: dict[str, tf.Tensor],
        event_vectors: tf.Tensor,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """States before the first event and after each one.

        Args:
            batch: tensors of `trainer.batches.SIGNATURE`.
            event_vectors: [B, L, D] item vectors of the events, or [B, L,
                D + K] with their texts.
            training: whether dropout is on.

        Returns:
            [B, 1 + L, U] hidden states and interests, [B, 1 + L, P, D] or
            [.., D + K].
        """
        tower = self.user_tower
        profiles = self._read(self._profiles, batch["profile"], training)
        first_scenario = tf.where(
            batch["length"] > 0, batch["scenario"][:, 0],
            batch["asked_scenario"],
        )
        state = tower.initial_state(profiles, first_scenario)
        spoken = None
        if self._behaviour is not None:
            spoken = tower.spoken(tf.gather(self._behaviour, batch["text"]))
        inputs = tower.event_inputs(
            event_vectors, batch["event_type"], batch["gap"],
            batch["scenario"], spoken,
        )
        hidden = tower.read(inputs, state, training=training)
        hidden = tf.concat([state[0][:, None], hidden], axis=1)
        imagined = self.item_tower.imagined(profiles)
        width = event_vectors.shape[-1]
        first = tower.interests.start(imagined[:, :width])
        return hidden, tower.interests.read(event_vectors, batch["gap"], first)

    def compute_loss(
        self, inputs: dict[str, tf.Tensor], training: bool = False
    ) -> tf.Tensor:
        """The weighted sum of both losses, averaged over all target events.

        Under a distribution strategy this is one replica's share: shares sum
        to the loss that one device has on the joined batch, because targets
        are counted, and candidates gathered, over all replicas.

        Args:
            inputs: tensors of `trainer.batches.SIGNATURE`.
            training: whether dropout is on.

        Returns:
            Scalar float32.
        """
        targets = tf.where(inputs["is_target"])  # [P, 2] window, position
        codes, columns, log_inclusion = candidates(
            inputs,
            self.config.training,
            self._event_share[: self.num_train_items],
            draw=self._draw,
        )
        texts = self._read(self._texts, codes, training)
        vectors = self._learnt(codes, texts, training)
        event_vectors = tf.gather(vectors, columns)
        hidden, interests = self.states(inputs, event_vectors, training)
        queries = self.user_tower.head(
            tf.gather_nd(hidden, targets),
            tf.gather_nd(interests, targets),
            tf.gather_nd(inputs["scenario"], targets),
            training=training,
        )
        losses = self.config.training.retrieval_weight * retrieval_loss(
            queries,
            vectors,
            tf.gather_nd(columns, targets),
            temperature=self.config.model.temperature,
            log_inclusion=log_inclusion,
            precision=self._precision,
        )
        loss = tf.reduce_sum(losses) / over_replicas(tf.shape(losses)[0])
        if self.has_labels:
            chosen = tf.gather_nd(event_vectors, targets)
            ranking = self.ranking_head.loss(queries, chosen, targets, inputs)
            # Of a head that learns later this has only made the variables.
            if self.config.training.ranking_training == "joint":
                loss += self.config.training.ranking_weight * ranking
        return loss

    def catalogue_vectors(self) -> tf.Tensor:
        """[items, D + K] float32 vectors of the whole catalogue."""
        parts = [
            self._vectors_of(
                tf.range(at, min(at + _ENCODE_ITEMS, self.num_items))
            )
            for at in range(0, self.num_items, _ENCODE_ITEMS)
        ]
        return tf.concat(parts, axis=0)

    def spoken_vectors(self) -> np.ndarray:
        """[texts, S] float32 of the table of what events say.

        Raises:
            ValueError: if the model does not read behaviour.
        """
        if self._behaviour is None:
            raise ValueError("this model has no table of what events say.")
        parts = [
            self.user_tower.spoken(self._behaviour[at : at + _ENCODE_ITEMS])
            for at in range(0, len(self._behaviour), _ENCODE_ITEMS)
        ]
        return tf.cast(tf.concat(parts, axis=0), tf.float32).numpy()

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.int32)], autograph=False
    )
    def _vectors_of(self, codes: tf.Tensor) -> tf.Tensor:
        texts = self._texts.at(codes)
        return self.item_tower.with_text(
            self._learnt(codes, texts, training=False),
            texts,
            tf.gather(self.id_trust, codes),
        )

    def text_vectors(self, codes: np.ndarray) -> np.ndarray:
        """[C] item codes -> [C, T] vectors of their texts."""
        return np.asarray(self._texts.at(codes))

    def predicted(
        self, queries: tf.Tensor, vectors: tf.Tensor, scenario: tf.Tensor
    ) -> tf.Tensor:
        """The ranking head's scaled labels.

        Args:
            queries: [..., D + K].
            vectors: [..., D + K] of items.
            scenario: [...] int32 that is asked.

        Returns:
            [...] float32.
        """
        part = self.item_tower.text_part
        learnt = [part.split(each)[0] for each in (queries, vectors)]
        return self.ranking_head(*learnt, scenario)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.float32),
            tf.TensorSpec([None], tf.int64),
        ],
        autograph=False,
    )
    def timely(self, products: tf.Tensor, moments: tf.Tensor) -> tf.Tensor:
        """Scores at a moment, of a model that reads recent popularity.

        Args:
            products: [B, items] queries . vectors.
            moments: [B] int64 unix seconds, when the queries are asked.

        Returns:
            [B, items] float32.
        """
        popularity, events = self.popularity, self.events
        if popularity is None or events is None:
            raise ValueError("this model does not read recent popularity.")
        return popularity.scores(
            products, events.at(moments), self.id_trust,
            self.config.model.temperature,
        )

    @tf.function(
        input_signature=[SIGNATURE, tf.TensorSpec([None, None], tf.float32)],
        autograph=False,
    )
    def queries(
        self, batch: dict[str, tf.Tensor], vectors: tf.Tensor
    ) -> tf.Tensor:
        """Queries after the last event of each window.

        Args:
            batch: tensors of `trainer.batches.SIGNATURE`.
            vectors: [items, D + K] of the whole catalogue.

        Returns:
            [B, D + K] float32, unit length.
        """
        part = self.item_tower.text_part
        chosen = part.split(tf.gather(vectors, batch["item"]))
        hidden, interests = self.states(batch, tf.concat(chosen, axis=-1))
        at = batch["length"][:, None]
        return self.user_tower.query(
            tf.gather(hidden, at, batch_dims=1)[:, 0],
            tf.gather(interests, at, batch_dims=1)[:, 0],
            batch["asked_scenario"],
            part,
        )
