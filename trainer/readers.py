"""What a request says of users and items, as vectors.

Plain objects on purpose: TensorFlow saves a Keras layer that it can see a
second time, with functions of its own, so layers stay out of the served
module's attributes and only their variables are in it.
"""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from schema import features
from serving.rows import at_rows
from serving.stock import Stock
from trainer import requests
from trainer.behaviour_reader import BehaviourReader
from trainer.encoder import TextEncoder
from trainer.item_tower import ItemTower
from trainer.prepare import Prepared
from trainer.text_part import TextPart
from trainer.user_tower import UserTower

Tensors = dict[str, tf.Tensor]
NO_ITEM = -1  # the code of an item that the catalogue does not have
# Inputs of a history -> those of a single event.
_HISTORY_OF_ONE = {
    "history_item_ids": features.ITEM_ID,
    "history_event_types": features.EVENT_TYPE,
    "history_timestamps": features.TIMESTAMP,
    "history_scenarios": features.SCENARIO,
    "history_texts": features.TEXT,
}


@dataclasses.dataclass(frozen=True)
class UserState:
    """What is known of b users.

    Attributes:
        hidden, cell: [b, U] LSTM state.
        interests: [b, P, D + K] of `Interests.read`.
        last_time: [b] int64 unix seconds of the last event, 0 unknown.
    """

    hidden: tf.Tensor
    cell: tf.Tensor
    interests: tf.Tensor
    last_time: tf.Tensor

    def repeat(self, times: tf.Tensor) -> UserState:
        """[b * times] states, each `times` times in a row."""
        parts = (self.hidden, self.cell, self.interests, self.last_time)
        return UserState(*(tf.repeat(part, times, axis=0) for part in parts))

    def pack(self) -> tf.Tensor:
        """A plain tensor that callers may keep.

        Returns:
            [b, 2 U + P (D + K) + 2] float32.
        """
        width = self.interests.shape[1] * self.interests.shape[2]
        interests = tf.reshape(self.interests, [-1, width])
        parts = [self.hidden, self.cell, interests]
        return tf.concat(
            [
                *(tf.cast(part, tf.float32) for part in parts),
                requests.split_time(self.last_time),
            ],
            axis=1,
        )


class Tables(tf.Module):
    """Lookup tables from the names of a run's vocabularies to their codes.

    Args:
        prepared: the vocabularies.
        stock: the items, which may become more.
    """

    def __init__(self, prepared: Prepared, stock: Stock) -> None:
        super().__init__(name="tables")
        catalogue, table = prepared.catalogue, requests.lookup_table
        self.items = stock
        self.categories = table(catalogue.categories, first_code=0, default=-1)
        self.brands = table(catalogue.brands, first_code=0, default=-1)
        # Code 0 is the unknown one.
        self.event_types = table(prepared.event_types, first_code=1, default=0)
        self.scenarios = table(prepared.scenarios, first_code=1, default=0)


class ItemReader:
    """Vectors of items from their raw columns.

    Args:
        tower: the item tower.
        encoder: the text encoder.
        tables: of names.
        text_columns: item columns that make the text, in this order.
    """

    def __init__(
        self,
        tower: ItemTower,
        encoder: TextEncoder,
        tables: Tables,
        text_columns: list[str],
    ) -> None:
        self._tower, self._encoder = tower, encoder
        self._tables, self._text_columns = tables, text_columns

    def vectors(self, columns: Tensors) -> tf.Tensor:
        """[b] string columns -> [b, D + K] vectors of new items."""
        text = requests.join_columns(
            [columns[name] for name in self._text_columns]
        )
        return self._tower.new_vectors(
            self._encoder.encode_strings(text),
            requests.category_codes(
                columns[features.CATEGORIES], self._tables.categories
            ),
            self._tables.brands.lookup(columns[features.BRAND]),
        )


class UserReader:
    """States and queries of users from their history and profile.

    Args:
        tower: the user tower.
        item_tower: imagines an item from a profile.
        encoder: the text encoder.
        tables: of names.
        item_vectors: [items, D + K] of the catalogue.
        recurrence: of the user tower.
        max_history: events that are read, the latest.
        behaviour: reads what events say; None where the model does not.
    """

    def __init__(
        self,
        tower: UserTower,
        item_tower: ItemTower,
        encoder: TextEncoder,
        tables: Tables,
        *,
        item_vectors: tf.Variable,
        recurrence: tf.Variable,
        max_history: int,
        behaviour: BehaviourReader | None,
    ) -> None:
        self._tower, self._item_tower = tower, item_tower
        self._encoder, self._tables = encoder, tables
        self._item_vectors, self._recurrence = item_vectors, recurrence
        self._max_history = max_history
        self._behaviour = behaviour

    @property
    def state_width(self) -> int:
        """Width of a packed user state."""
        return 2 * self._tower.units + self._interests_width + 2

    @property
    def _interests_width(self) -> int:
        return len(self._tower.interests.parts) * self._width

    @property
    def _text_part(self) -> TextPart:
        return self._item_tower.text_part

    @property
    def _width(self) -> int:
        return self._tower.dim + self._text_part.dim

    def user(self, inputs: Tensors) -> tuple[UserState, tf.Tensor]:
        """State and asked scenario of a request's users."""
        history = requests.keep_latest(self._code(inputs), self._max_history)
        start, asked = self._start(inputs, history)
        return self._read(history, start), asked

    def query(self, state: UserState, scenario: tf.Tensor) -> tf.Tensor:
        """[b, D + K] queries of states under the scenarios that are asked."""
        return self._tower.query(
            state.hidden, state.interests, scenario, self._text_part
        )

    def advance(self, inputs: Tensors) -> tuple[UserState, tf.Tensor]:
        """The state after one event, and the event's scenario."""
        old = self._unpack(inputs["state"])
        event = self._code(
            {
                name: inputs[column][:, None]
                for name, column in _HISTORY_OF_ONE.items()
                if column in inputs
            }
        )
        gap = requests.gap_since(old.last_time, inputs["timestamp"])
        new = self._read({**event, "gap": gap[:, None]}, old)
        return new, self._tables.scenarios.lookup(inputs["scenario"])

    def leave_one_out(self, inputs: Tensors) -> tuple[tf.Tensor, tf.Tensor]:
        """Queries of the whole history, and without each of its events.

        Returns:
            [b, 1 + W, D + K] queries, the whole history first, then without
            event 0, 1, ... of those that are read; and [b, W] int32 column of
            each event in the request, -1 where there is none.
        """
        history = requests.keep_latest(self._code(inputs), self._max_history)
        start, asked = self._start(inputs, history)
        number, width = tf.unstack(tf.shape(history["mask"]))
        variants = {
            name: tf.repeat(values, 1 + width, axis=0)
            for name, values in history.items()
            if name != "gap"  # told anew from the times that are left
        }
        left_out = tf.tile(tf.range(-1, width), [number])[:, None]
        variants["mask"] &= tf.range(width)[None, :] != left_out
        state = self._read(
            requests.keep_latest(variants, self._max_history),
            start.repeat(1 + width),
        )
        queries = self.query(state, tf.repeat(asked, 1 + width))
        columns = tf.where(history["mask"], history["column"], -1)
        shape = [number, 1 + width, self._width]
        return tf.reshape(queries, shape), columns

    def _code(self, inputs: Tensors) -> requests.History:
        return requests.code_history(
            inputs,
            items=self._tables.items,
            event_types=self._tables.event_types,
            scenarios=self._tables.scenarios,
        )

    def _start(
        self, inputs: Tensors, history: requests.History
    ) -> tuple[UserState, tf.Tensor]:
        """The state before any event, and the scenario that is asked.

        The start is set by the scenario of the first event that is read, or
        of the request where there is none, as in training.
        """
        asked = self._tables.scenarios.lookup(inputs["scenario"])
        first = tf.where(
            history["mask"][:, 0], history["scenario"][:, 0], asked
        )
        profiles = self._encoder.encode_strings(inputs["profile_text"])
        hidden, cell = self._tower.initial_state(profiles, first)
        interests = self._tower.interests.start(
            self._item_tower.imagined(profiles)
        )
        no_time = tf.zeros_like(asked, tf.int64)
        return UserState(hidden, cell, interests, no_time), asked

    def _read(
        self, history: requests.History, start: UserState
    ) -> UserState:
        """Runs the events of `requests.keep_latest` from a start state."""
        joined = at_rows(self._item_vectors, history["item"])
        vectors = tf.concat(self._text_part.split(joined), axis=-1)
        inputs = self._tower.event_inputs(
            vectors,
            history["event_type"],
            history["gap"],
            history["scenario"],
            self._behaviour(history) if self._behaviour else None,
        )
        # Events lie on the left, so their number is the place of the last.
        number = tf.reduce_sum(tf.cast(history["mask"], tf.int32), axis=1)
        hidden, cell = self._tower.last_state(
            inputs, [start.hidden, start.cell], number, self._recurrence
        )
        interests = self._tower.interests.read(
            vectors, history["gap"], start.interests
        )
        times = tf.concat(
            [start.last_time[:, None], history["timestamp"]], axis=1
        )
        return UserState(
            hidden,
            cell,
            tf.gather(interests, number, batch_dims=1),
            tf.gather(times, number, batch_dims=1),
        )

    def _unpack(self, state: tf.Tensor) -> UserState:
        units, width = self._tower.units, self._interests_width
        hidden, cell, flat, time = tf.split(state, [units, units, width, 2], 1)
        shape = [-1, len(self._tower.interests.parts), self._width]
        interests = tf.reshape(flat, shape)
        return UserState(hidden, cell, interests, requests.join_time(time))
