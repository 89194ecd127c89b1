"""The outputs of `recommend`, `recommend_next` and `similar_items`.

An exact model and its ScaNN twin both answer through this, each with a search
of its own.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import tensorflow as tf

from serving import policy, signatures
from serving.admission import NO_ROW, Admission
from serving.answering import Chosen, Head, Policy, Search, Wishes
from serving.reasons import reasons
from serving.rows import at_rows
from serving.stock import rows_of

Tensors = dict[str, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Lists:
    """Lists of a catalogue's items.

    Attributes:
        stock: a `Stock`, or what is loaded of one.
        search: of it.
        temperature: of draws, scalar float32.
        exclude_seen: scalar bool, whether the history may not come back.
    """

    stock: Any
    search: Search
    temperature: tf.Tensor
    exclude_seen: tf.Tensor

    def recommend(
        self, queries: tf.Tensor, inputs: Tensors, head: Head | None = None
    ) -> Tensors:
        """Outputs of `signatures.RECOMMEND`.

        Args:
            queries: [b, d] float32.
            inputs: of the signature; those of the user are not read but for
                the history's ids and whether there is a profile.
            head: the ranking head; None where there is none.
        """
        shelf = self.stock.shelf
        chosen = Policy(shelf, self.search, self.temperature).choose(
            queries,
            Admission.of(inputs, self._rows_of, self.exclude_seen),
            Wishes.of(inputs),
            head,
        )
        return {
            **self._named(chosen.rows, chosen.scores),
            "source": _sources(chosen),
            "propensities": chosen.propensities,
            "reasons": reasons(
                self._rows_of(inputs["history_item_ids"]),
                _without_events(inputs),
                chosen.rows,
                shelf.vectors,
                self.stock.item_ids,
            ),
        }

    def recommend_next(self, after: Tensors, inputs: Tensors) -> Tensors:
        """Outputs of `signatures.RECOMMEND_NEXT`.

        Args:
            after: what `signatures.ADVANCE` gives for the same inputs.
            inputs: of the signature.
        """
        history_of_one = {
            **inputs,
            "history_item_ids": inputs["item_id"][:, tf.newaxis],
            "rerank": tf.zeros_like(inputs["diversity"]),
        }
        listed = self.recommend(after["query"], history_of_one)
        return {"state": after["state"], **listed}

    def similar_items(self, item_ids: tf.Tensor, k: tf.Tensor) -> Tensors:
        """Outputs of `signatures.SIMILAR_ITEMS`: each item itself left out."""
        own = self._rows_of(item_ids)[:, tf.newaxis]
        is_known = own >= 0
        rows, scores, _ = self.search(
            at_rows(self.stock.shelf.vectors, own[:, 0]),
            Admission.excluding(own),
            k,
            by_products=True,
        )
        return self._named(
            tf.where(is_known, rows, NO_ROW),
            tf.where(is_known, scores, -math.inf),
        )

    def _rows_of(self, item_ids: tf.Tensor) -> tf.Tensor:
        return rows_of(self.stock, item_ids)

    def _named(self, rows: tf.Tensor, scores: tf.Tensor) -> Tensors:
        return {
            "item_ids": policy.gather_or_empty(self.stock.item_ids, rows),
            "scores": scores,
            "titles": policy.gather_or_empty(self.stock.titles, rows),
        }


def _sources(chosen: Chosen) -> tf.Tensor:
    """[b, K] string, how each answer was found."""
    found = tf.where(chosen.is_exact, signatures.EXACT, signatures.SCANN)
    source = tf.where(
        chosen.is_drawn, signatures.EXPLORED, found[:, tf.newaxis]
    )
    return tf.where(chosen.rows >= 0, source, signatures.NO_ITEM)


def _without_events(inputs: Tensors) -> tf.Tensor:
    """[b] string, what speaks for an answer where no event is known."""
    if "state" in inputs:
        return tf.fill(tf.shape(inputs["k"]), signatures.BY_STATE)
    has_profile = tf.not_equal(inputs["profile_text"], "")
    return tf.where(has_profile, signatures.BY_PROFILE, signatures.BY_NOTHING)
