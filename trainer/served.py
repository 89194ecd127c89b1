"""The model as it is served: requests in, answers out, core ops only.

Each public method is one signature of `serving.signatures`: it takes and
returns the tensors that are named there.
"""

from __future__ import annotations

import math

import tensorflow as tf

from serving import policy, signatures
from trainer.behaviour_reader import BehaviourReader, BehaviourTables
from trainer.encoder import TextEncoder
from trainer.model import TwoTower
from trainer.prepare import Prepared
from trainer.readers import NO_ITEM, ItemReader, Tables, Tensors, UserReader


class ServedModel(tf.Module):
    """A trained model with its vocabularies.

    Args:
        model: with the weights to serve.
        encoder: the text encoder.
        prepared: vocabularies and titles.
    """

    def __init__(
        self, model: TwoTower, encoder: TextEncoder, prepared: Prepared
    ) -> None:
        super().__init__(name="recommender")
        data, catalogue = model.config.data, prepared.catalogue
        self.item_ids = tf.Variable(catalogue.item_ids, trainable=False)
        self.titles = tf.Variable(catalogue.titles, trainable=False)
        self.item_vectors = tf.Variable(
            model.catalogue_vectors(), trainable=False
        )
        self.exclude_seen = tf.Variable(data.exclude_seen, trainable=False)
        self.tables = Tables(prepared)
        self.tokenizer = encoder.tokenize
        ids = model.item_tower.id_residual.embeddings  # in the vectors already
        self.weights = [
            variable
            for variable in (*model.variables, *encoder.bert.variables)
            if variable is not ids
        ]
        spoken, reader = prepared.event_texts.spoken, None
        if spoken:
            self.behaviour = BehaviourTables(spoken, model.spoken_vectors())
            reader = BehaviourReader(
                model.user_tower, encoder, self.behaviour
            )
        # Set past tf.Module, which would save each Keras layer that it sees a
        # second time, with functions of its own.
        self.__dict__.update(
            _users=UserReader(
                model.user_tower,
                model.item_tower,
                encoder,
                self.tables,
                item_vectors=self.item_vectors,
                max_history=data.max_history,
                behaviour=reader,
            ),
            reads_text=reader is not None,
            _items=ItemReader(
                model.item_tower,
                encoder,
                self.tables,
                model.config.text.column_names,
            ),
            _ranking_head=model.ranking_head if model.has_labels else None,
            _label_scale=prepared.label_scale,
        )

    @property
    def state_width(self) -> int:
        """Width of a packed user state."""
        width: int = self._users.state_width
        return width

    def recommend(self, **inputs: tf.Tensor) -> Tensors:
        """The k best admissible items of the whole catalogue."""
        state, scenario = self._users.user(inputs)
        excluded = self.tables.items.lookup(inputs["exclude_item_ids"])
        seen = self.tables.items.lookup(inputs["history_item_ids"])
        seen = tf.where(self.exclude_seen, seen, NO_ITEM)
        rows, scores = policy.exact_search(
            self._users.query(state, scenario),
            self.item_vectors,
            tf.concat([excluded, seen], axis=1),
            inputs["k"],
        )
        source = tf.where(rows >= 0, signatures.EXACT, signatures.NO_ITEM)
        return {**self._answers(rows, scores), "source": source}

    def rank(self, **inputs: tf.Tensor) -> Tensors:
        """Ranking-head scores of candidates; retrieval's without a head."""
        state, scenario = self._users.user(inputs)
        query = self._users.query(state, scenario)  # [b, D]
        items = self.tables.items.lookup(inputs["candidate_item_ids"])
        vectors = tf.gather(self.item_vectors, tf.maximum(items, 0))
        if self._ranking_head is None:
            scores = tf.einsum("bd,bcd->bc", query, vectors)
        else:
            queries, asked = (
                tf.repeat(each[:, None], tf.shape(items)[1], axis=1)
                for each in (query, scenario)
            )
            scaled = self._ranking_head(queries, vectors, asked)
            scores = self._label_scale.unscale(scaled)
        return {"scores": tf.where(items >= 0, scores, -math.inf)}

    def embed_user(self, **inputs: tf.Tensor) -> Tensors:
        """A user's query and state."""
        state, scenario = self._users.user(inputs)
        query = self._users.query(state, scenario)
        return {"query": query, "state": state.pack()}

    def embed_item(self, **inputs: tf.Tensor) -> Tensors:
        """The vector of an item that need not be in the catalogue."""
        return {"vector": self._items.vectors(inputs)}

    def similar_items(self, item_ids: tf.Tensor, k: tf.Tensor) -> Tensors:
        """The nearest items of each item, itself left out."""
        items = self.tables.items.lookup(item_ids)
        rows, scores = policy.exact_search(
            tf.gather(self.item_vectors, tf.maximum(items, 0)),
            self.item_vectors,
            items[:, None],
            k,
        )
        known = items[:, None] >= 0
        return self._answers(
            tf.where(known, rows, NO_ITEM), tf.where(known, scores, -math.inf)
        )

    def advance(self, **inputs: tf.Tensor) -> Tensors:
        """One event on top of a state; an unknown item changes nothing."""
        state, scenario = self._users.advance(inputs)
        query = self._users.query(state, scenario)
        return {"state": state.pack(), "query": query}

    def explain(self, **inputs: tf.Tensor) -> Tensors:
        """What each event adds to an item's score: the loss without it.

        The events that the model reads are left out one at a time, and the
        score is computed anew from the same start.
        """
        queries, columns = self._users.leave_one_out(inputs)
        items = self.tables.items.lookup(inputs["item_id"])
        vectors = tf.gather(self.item_vectors, tf.maximum(items, 0))
        scores = tf.einsum("bwd,bd->bw", queries, vectors)
        is_event = tf.where(columns >= 0)  # [events, 2] request, place
        gains = tf.gather_nd(scores[:, :1] - scores[:, 1:], is_event)
        column = tf.gather_nd(columns, is_event)
        at = tf.stack(
            [tf.cast(is_event[:, 0], tf.int32), column], axis=1
        )
        shape = tf.shape(inputs["history_item_ids"])
        return {
            "contributions": tf.scatter_nd(at, gains, shape),
            "score": tf.where(items >= 0, scores[:, 0], -math.inf),
        }

    def _answers(self, rows: tf.Tensor, scores: tf.Tensor) -> Tensors:
        return {
            "item_ids": policy.gather_or_empty(self.item_ids, rows),
            "scores": scores,
            "titles": policy.gather_or_empty(self.titles, rows),
        }
