"""The model as it is served: requests in, answers out, core ops only.

One class holds the tables and layers; each public method is one signature of
`serving.signatures` and takes and returns the tensors named there.
"""

from __future__ import annotations

import dataclasses
import math

import tensorflow as tf

from schema import features
from serving import policy, signatures
from trainer import requests
from trainer.encoder import TextEncoder
from trainer.model import TwoTower
from trainer.prepare import Prepared

Tensors = dict[str, tf.Tensor]
_NO_ITEM = -1


@dataclasses.dataclass(frozen=True)
class UserState:
    """What is known of b users.

    Attributes:
        hidden, cell: [b, U] LSTM state.
        last_item: [b, D] vector of the last item, zeros before any.
        last_time: [b] int64 unix seconds of the last event, 0 unknown.
    """

    hidden: tf.Tensor
    cell: tf.Tensor
    last_item: tf.Tensor
    last_time: tf.Tensor

    def pack(self) -> tf.Tensor:
        """[b, 2 U + D + 2] float32, a plain tensor that callers may keep."""
        parts = [self.hidden, self.cell, self.last_item]
        return tf.concat(
            [
                *(tf.cast(part, tf.float32) for part in parts),
                requests.split_time(self.last_time),
            ],
            axis=1,
        )


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
        catalogue = prepared.catalogue
        vectors = model.catalogue_vectors()
        self.item_ids = tf.Variable(catalogue.item_ids, trainable=False)
        self.titles = tf.Variable(catalogue.titles, trainable=False)
        self.item_vectors = tf.Variable(vectors, trainable=False)
        self.exclude_seen = tf.Variable(
            model.config.data.exclude_seen, trainable=False
        )
        self.max_history = model.config.data.max_history
        self.text_columns = [
            name.strip() for name in model.config.text.text_columns.split(",")
        ]
        self.label_scale = prepared.label_scale
        self.encoder = encoder
        self.item_tower, self.user_tower = model.item_tower, model.user_tower
        self.ranking_head = model.ranking_head if model.has_labels else None
        table = requests.lookup_table
        self.items = table(
            catalogue.item_ids, first_code=0, default=_NO_ITEM
        )
        self.event_types = table(
            prepared.event_types, first_code=1, default=0
        )
        self.scenarios = table(prepared.scenarios, first_code=1, default=0)
        self.categories = table(catalogue.categories, first_code=0, default=-1)
        self.brands = table(catalogue.brands, first_code=0, default=-1)

    @property
    def state_width(self) -> int:
        """Width of a packed user state."""
        return 2 * self.user_tower.units + self.user_tower.dim + 2

    def _code_history(self, inputs: Tensors) -> requests.History:
        return requests.code_history(
            inputs,
            items=self.items,
            event_types=self.event_types,
            scenarios=self.scenarios,
        )

    def _start(self, inputs: Tensors, first_scenario: tf.Tensor) -> list[tf.Tensor]:
        """The state before any event, from the profile and a scenario."""
        profiles = self.encoder.encode_strings(inputs["profile_text"])
        return self.user_tower.initial_state(profiles, first_scenario)

    def _read(
        self, history: requests.History, start: list[tf.Tensor]
    ) -> UserState:
        """Runs the events of `requests.keep_latest` from a start state."""
        mask = history["mask"]
        vectors = tf.gather(self.item_vectors, history["item"])
        inputs = self.user_tower.event_inputs(
            vectors, history["event_type"], history["gap"], history["scenario"]
        )
        _, (hidden, cell) = self.user_tower.read(inputs, start, mask=mask)
        # Events lie on the left, so their number points behind the last one.
        number = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)
        at = tf.maximum(number - 1, 0)[:, None]
        has_event = number > 0
        last = tf.gather(vectors, at, batch_dims=1)[:, 0]
        time = tf.gather(history["timestamp"], at, batch_dims=1)[:, 0]
        return UserState(
            hidden,
            cell,
            tf.where(has_event[:, None], last, 0.0),
            tf.where(has_event, time, 0),
        )

    def _user(self, inputs: Tensors) -> tuple[UserState, tf.Tensor]:
        """State and asked scenario of a request's users."""
        history = requests.keep_latest(
            self._code_history(inputs), self.max_history
        )
        asked = self.scenarios.lookup(inputs["scenario"])
        first = _first_scenario(history, asked)
        return self._read(history, self._start(inputs, first)), asked

    def _query(self, state: UserState, scenario: tf.Tensor) -> tf.Tensor:
        return self.user_tower.head(state.hidden, state.last_item, scenario)

    def _answers(self, rows: tf.Tensor, scores: tf.Tensor) -> Tensors:
        return {
            "item_ids": policy.gather_or_empty(self.item_ids, rows),
            "scores": scores,
            "titles": policy.gather_or_empty(self.titles, rows),
        }

    def recommend(self, **inputs: tf.Tensor) -> Tensors:
        """The k best admissible items of the whole catalogue."""
        state, scenario = self._user(inputs)
        excluded = self.items.lookup(inputs["exclude_item_ids"])
        seen = self.items.lookup(inputs["history_item_ids"])
        seen = tf.where(self.exclude_seen, seen, _NO_ITEM)
        rows, scores = policy.exact_search(
            self._query(state, scenario),
            self.item_vectors,
            tf.concat([excluded, seen], axis=1),
            inputs["k"],
        )
        source = tf.where(rows >= 0, signatures.EXACT, signatures.NO_ITEM)
        return {**self._answers(rows, scores), "source": source}

    def _scores(self, query: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
        """[b, D] queries, [b, C] item codes -> [b, C] ranking scores."""
        vectors = tf.gather(self.item_vectors, tf.maximum(items, 0))
        if self.ranking_head is None:
            scores = tf.einsum("bd,bcd->bc", query, vectors)
        else:
            width = tf.shape(items)[1]
            queries = tf.repeat(query[:, None], width, axis=1)
            scale = self.label_scale
            scaled = self.ranking_head(queries, vectors)
            scores = scale.low + scaled * (scale.high - scale.low)
        return tf.where(items >= 0, scores, -math.inf)

    def rank(self, **inputs: tf.Tensor) -> Tensors:
        """Ranking-head scores of candidates; retrieval's without a head."""
        state, scenario = self._user(inputs)
        items = self.items.lookup(inputs["candidate_item_ids"])
        return {"scores": self._scores(self._query(state, scenario), items)}

    def embed_user(self, **inputs: tf.Tensor) -> Tensors:
        """A user's query and state."""
        state, scenario = self._user(inputs)
        return {"query": self._query(state, scenario), "state": state.pack()}

    def embed_item(self, **inputs: tf.Tensor) -> Tensors:
        """The vector of an item that need not be in the catalogue."""
        text = requests.join_columns(
            [inputs[name] for name in self.text_columns]
        )
        content = self.item_tower.content(
            self.encoder.encode_strings(text),
            requests.category_codes(
                inputs[features.CATEGORIES], self.categories
            ),
            self.brands.lookup(inputs[features.BRAND]),
        )
        number = tf.shape(text)[0]
        vectors = self.item_tower(
            content, tf.zeros([number], tf.int32), tf.zeros([number], tf.bool)
        )
        return {"vector": vectors}

    def similar_items(self, item_ids: tf.Tensor, k: tf.Tensor) -> Tensors:
        """The nearest items of each item, itself left out."""
        items = self.items.lookup(item_ids)
        rows, scores = policy.exact_search(
            tf.gather(self.item_vectors, tf.maximum(items, 0)),
            self.item_vectors,
            items[:, None],
            tf.where(items >= 0, k, 0),
        )
        return self._answers(rows, scores)

    def advance(self, **inputs: tf.Tensor) -> Tensors:
        """One event on top of a state; an unknown item changes nothing."""
        old = self._unpack(inputs["state"])
        scenario = self.scenarios.lookup(inputs["scenario"])
        history = self._code_history(
            {
                "history_item_ids": inputs["item_id"][:, None],
                "history_event_types": inputs["event_type"][:, None],
                "history_timestamps": inputs["timestamp"][:, None],
                "history_scenarios": inputs["scenario"][:, None],
            }
        )
        gap = requests.gap_since(old.last_time, inputs["timestamp"])
        history["gap"] = gap[:, None]
        new = self._read(history, [old.hidden, old.cell])
        known = history["mask"]
        new = dataclasses.replace(
            new,
            last_item=tf.where(known, new.last_item, old.last_item),
            last_time=tf.where(known[:, 0], new.last_time, old.last_time),
        )
        return {"state": new.pack(), "query": self._query(new, scenario)}

    def _unpack(self, state: tf.Tensor) -> UserState:
        units, dim = self.user_tower.units, self.user_tower.dim
        hidden, cell, last, time = tf.split(state, [units, units, dim, 2], 1)
        return UserState(hidden, cell, last, requests.join_time(time))

    def explain(self, **inputs: tf.Tensor) -> Tensors:
        """What each event adds to an item's score: the score without it.

        The events that the model reads are left out one at a time, and the
        score is computed anew from the same start.
        """
        coded = self._code_history(inputs)
        history = requests.keep_latest(coded, self.max_history)
        asked = self.scenarios.lookup(inputs["scenario"])
        start = self._start(inputs, _first_scenario(history, asked))
        width = tf.shape(history["mask"])[1]
        # [b * (1 + W)] variants: whole, without event 0, without event 1, ...
        variants = {
            name: tf.repeat(values, 1 + width, axis=0)
            for name, values in history.items()
        }
        number = tf.shape(asked)[0]
        left_out = tf.tile(tf.range(-1, width), [number])[:, None]
        variants["mask"] &= tf.range(width)[None, :] != left_out
        del variants["gap"]  # told anew from the times that are left
        state = self._read(
            requests.keep_latest(variants, self.max_history),
            [tf.repeat(part, 1 + width, axis=0) for part in start],
        )
        query = self._query(state, tf.repeat(asked, 1 + width))
        items = tf.repeat(self.items.lookup(inputs["item_id"]), 1 + width)
        scores = tf.reduce_sum(
            query * tf.gather(self.item_vectors, tf.maximum(items, 0)), axis=1
        )
        scores = tf.reshape(scores, [number, 1 + width])
        gains = tf.where(history["mask"], scores[:, :1] - scores[:, 1:], 0.0)
        known = items[:: 1 + width] >= 0
        return {
            "contributions": _scatter_columns(gains, history, coded),
            "score": tf.where(known, scores[:, 0], -math.inf),
        }


def _first_scenario(
    history: requests.History, asked: tf.Tensor
) -> tf.Tensor:
    """[b] scenario of the first event that is read, else the one asked."""
    return tf.where(
        history["mask"][:, 0], history["scenario"][:, 0], asked
    )


def _scatter_columns(
    gains: tf.Tensor, history: requests.History, coded: requests.History
) -> tf.Tensor:
    """[b, W] values of kept events -> [b, L] at their request's columns."""
    at = tf.where(history["mask"])  # [events, 2]
    column = tf.gather_nd(history["column"], at)
    place = tf.stack([at[:, 0], tf.cast(column, tf.int64)], axis=1)
    shape = tf.shape(coded["mask"], out_type=tf.int64)
    return tf.scatter_nd(place, tf.gather_nd(gains, at), shape)
