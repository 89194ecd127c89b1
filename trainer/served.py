"""The model as it is served: requests in, answers out, core ops only.

Each public method is one signature of `serving.signatures`: it takes and
returns the tensors that are named there.
"""

from __future__ import annotations

import math

import tensorflow as tf

from serving import answering, policy, signatures
from serving.admission import Shelf, adjusted
from serving.lists import Lists
from serving.recency import LiveCounts
from serving.rows import at_rows
from serving.search import ExactSearch
from serving.stock import Stock, growing, is_offered
from trainer import state_tag
from trainer.behaviour_reader import BehaviourReader, BehaviourTables
from trainer.catalogue import Catalogue
from trainer.encoder import TextEncoder
from trainer.keywords import shared_words, telling_words
from trainer.model import TwoTower
from trainer.prepare import Prepared
from trainer.readers import ItemReader, Tables, Tensors, UserReader, UserState


def _constant(value: object) -> tf.Variable:
    return tf.Variable(value, trainable=False)


def _stock(vectors: tf.Tensor, catalogue: Catalogue) -> Stock:
    """All that is known of an item by its row."""
    shelf = Shelf(
        growing(vectors),
        growing(catalogue.category_codes[:, 0]),
        growing(catalogue.available_from),
    )
    return Stock(
        catalogue.item_ids,
        catalogue.titles,
        shelf,
        telling_words(catalogue.texts),
        catalogue.categories,
    )


def _live_counts(
    model: TwoTower,
    prepared: Prepared,
    shelf: Shelf,
    temperature: tf.Variable,
) -> LiveCounts | None:
    """Counts after the last event; None where they are not read."""
    if model.popularity is None or model.events is None:
        return None
    as_of = int(prepared.sequences.timestamp.max())
    after = tf.constant([as_of + 1], tf.int64)
    return LiveCounts(
        model.popularity,
        shelf,
        counts=tf.transpose(model.events.at(after)[:, 0]),
        trust=model.id_trust,
        as_of=as_of + 1,
        temperature=temperature,
    )


def _places(columns: tf.Tensor, shape: tf.Tensor) -> tf.Tensor:
    """Where the events of a request stand among those that are read.

    Args:
        columns: [b, W] int32 column of each event that is read, -1 for none.
        shape: b and L.

    Returns:
        [b, L] int32 places in W, -1 for events that are not read.
    """
    is_event = tf.where(columns >= 0)  # [events, 2] request, place
    request, place = tf.unstack(tf.cast(is_event, tf.int32), axis=1)
    at = tf.stack([request, tf.gather_nd(columns, is_event)], axis=1)
    return tf.scatter_nd(at, place + 1, shape) - 1


def _at(values: tf.Tensor, place: tf.Tensor, nothing: object) -> tf.Tensor:
    """[b, W] values at [b, L] places, `nothing` where the place is -1."""
    found = tf.gather(values, tf.maximum(place, 0), batch_dims=1)
    return tf.where(place >= 0, found, nothing)


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
        self.stock = _stock(model.catalogue_vectors(), prepared.catalogue)
        self.item_ids = self.stock.item_ids
        self.item_vectors = self.stock.shelf.vectors
        self.temperature = _constant(model.config.model.temperature)
        self.stock.live_counts = _live_counts(
            model, prepared, self.stock.shelf, self.temperature
        )
        scale = prepared.label_scale
        # Of the ranking head, for the twin.
        self.label_range = _constant(
            [scale.low, scale.high] if model.has_labels else [0.0, 0.0]
        )
        self.exclude_seen = _constant(model.config.data.exclude_seen)
        self.tables = Tables(prepared, self.stock)
        # Of its parts those that hold tables; itself it is a function.
        self.tokenizer = list(encoder.tokenize.submodules)
        # What these say is in the vectors and in the recurrence already.
        cell = model.user_tower.lstm.cell
        ids = model.item_tower.id_residual.embeddings
        said = {id(v) for v in (ids, cell.kernel, cell.recurrent_kernel)}
        self.recurrence = _constant(model.user_tower.recurrence)
        self.weights = [
            variable
            for variable in (*model.variables, *encoder.served_variables)
            if id(variable) not in said
        ]
        self._set_readers(model, encoder, prepared)
        self._set_graphs()

    def _set_readers(
        self, model: TwoTower, encoder: TextEncoder, prepared: Prepared
    ) -> None:
        """What turns requests into tensors and tensors into answers."""
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
                recurrence=self.recurrence,
                max_history=model.config.data.max_history,
                behaviour=reader,
            ),
            _lists=Lists(
                self.stock,
                ExactSearch(self.stock.shelf),
                self.temperature,
                self.exclude_seen,
            ),
            reads_text=reader is not None,
            _items=ItemReader(
                model.item_tower,
                encoder,
                self.tables,
                model.config.text.column_names,
            ),
            _predicted=model.predicted if model.has_labels else None,
            _label_scale=prepared.label_scale,
            _tag=state_tag.tag_of(
                [*self.weights, self.recurrence, self.item_vectors],
                [*prepared.event_types, "", *prepared.scenarios],
            ),
        )

    def _set_graphs(self) -> None:
        """What several signatures share, traced once.

        In a plain mapping, out of TensorFlow's sight: it would trace and save
        a function that it finds once more.
        """
        self.__dict__["_graphs"] = {
            name: tf.function(
                read, input_signature=[self.specs(name)], autograph=False
            )
            for name, read in (
                (signatures.EMBED_USER, self._read_user),
                (signatures.ADVANCE, self._read_next),
            )
        }

    @property
    def counts_events(self) -> bool:
        """Whether recent popularity is read."""
        return self.stock.live_counts is not None

    @property
    def state_width(self) -> int:
        """Width of a packed user state."""
        width: int = state_tag.WIDTH + self._users.state_width
        return width

    def recommend(self, **inputs: tf.Tensor) -> Tensors:
        """The k best admissible items of the whole catalogue."""
        query = self._known_of(signatures.EMBED_USER, inputs)["query"]
        head = self._head(query, inputs)
        return self._lists.recommend(query, inputs, head)

    def recommend_next(self, **inputs: tf.Tensor) -> Tensors:
        """`advance` by one event, and the list from there."""
        return self._lists.recommend_next(self.advance(**inputs), inputs)

    def rank(self, **inputs: tf.Tensor) -> Tensors:
        """Ranking-head scores of candidates; retrieval's without a head."""
        query = self._known_of(signatures.EMBED_USER, inputs)["query"]
        items = self.tables.items.lookup(inputs["candidate_item_ids"])
        head = self._head(query, inputs)
        if head is None:
            vectors = at_rows(self.item_vectors, items)
            products = tf.einsum("bd,bcd->bc", query, vectors)
            scores = adjusted(products, self.stock.shelf, items)
        else:
            scores = self._label_scale.unscale(head(items))
        is_item = is_offered(self.stock, items)
        return {"scores": tf.where(is_item, scores, -math.inf)}

    def embed_user(self, **inputs: tf.Tensor) -> Tensors:
        """A user's query and state."""
        return self._known_of(signatures.EMBED_USER, inputs)

    def embed_item(self, **inputs: tf.Tensor) -> Tensors:
        """The vector of an item that need not be in the catalogue."""
        return {"vector": self._items.vectors(inputs)}

    def similar_items(self, item_ids: tf.Tensor, k: tf.Tensor) -> Tensors:
        """The nearest items of each item, itself left out."""
        return self._lists.similar_items(item_ids, k)

    def advance(self, **inputs: tf.Tensor) -> Tensors:
        """One event on top of a state; an unknown item changes nothing."""
        return self._known_of(signatures.ADVANCE, inputs)

    def explain(self, **inputs: tf.Tensor) -> Tensors:
        """What each event adds to an item's score: the loss without it.

        The events that the model reads are left out one at a time, and the
        score is computed anew from the same start.
        """
        queries, columns = self._users.leave_one_out(inputs)
        items = self.tables.items.lookup(inputs["item_id"])
        vectors = at_rows(self.item_vectors, items)
        products = tf.einsum("bwd,bd->bw", queries, vectors)
        scores = adjusted(products, self.stock.shelf, items[:, tf.newaxis])
        history = self.tables.items.lookup(inputs["history_item_ids"])
        matched = shared_words(
            policy.gather_or_empty(self.stock.words, items),
            policy.gather_or_empty(
                self.stock.words, policy.rows_at(history, columns)
            ),
        )
        place = _places(columns, tf.shape(history))  # [b, L]
        return {
            "contributions": _at(scores[:, :1] - scores[:, 1:], place, 0.0),
            "matched_words": _at(matched, place, ""),
            "score": tf.where(items >= 0, scores[:, 0], -math.inf),
        }

    def observe(self, item_id: tf.Tensor, timestamp: tf.Tensor) -> Tensors:
        """Counts events for recent popularity."""
        if self.stock.live_counts is None:
            raise ValueError("this model does not read recent popularity.")
        rows = self.stock.lookup(item_id)
        is_counted = self.stock.live_counts.observe(rows, timestamp)
        return {"is_counted": tf.cast(is_counted, tf.int32)}

    def specs(self, name: str) -> dict[str, tf.TensorSpec]:
        """Of the inputs of a signature."""
        fields = signatures.known(
            signatures.SIGNATURES[name].inputs, self.reads_text
        )
        return signatures.tensor_specs(fields, {"s": self.state_width})

    def _known_of(self, name: str, inputs: Tensors) -> Tensors:
        """Outputs of a signature, for those of `inputs` that it takes.

        Its graph is traced, saved and loaded once, however many call it.
        """
        known: Tensors = self._graphs[name](
            {field: inputs[field] for field in self.specs(name)}
        )
        return known

    def _read_user(self, inputs: Tensors) -> Tensors:
        state, scenario = self._users.user(inputs)
        return self._known(state, scenario)

    def _read_next(self, inputs: Tensors) -> Tensors:
        known = state_tag.take(self._tag, inputs["state"])
        state, scenario = self._users.advance({**inputs, "state": known})
        return self._known(state, scenario)

    def _known(self, state: UserState, scenario: tf.Tensor) -> Tensors:
        """A state as callers get it, and its query."""
        return {
            "state": state_tag.put(self._tag, state.pack()),
            "query": self._users.query(state, scenario),
        }

    def _head(
        self, query: tf.Tensor, inputs: Tensors
    ) -> answering.Head | None:
        """What the ranking head says of [b, C] items; None without a head."""
        if self._predicted is None:
            return None
        scenario = self.tables.scenarios.lookup(inputs["scenario"])

        def predict(items: tf.Tensor) -> tf.Tensor:
            vectors = at_rows(self.item_vectors, items)
            queries, asked = (
                tf.repeat(each[:, None], tf.shape(items)[1], axis=1)
                for each in (query, scenario)
            )
            return self._predicted(queries, vectors, asked)

        return predict
