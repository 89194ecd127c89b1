"""The ScaNN twin of an exact model: the same signatures over another search."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import tensorflow as tf

from serving import policy, signatures
from serving.search import ScannSearch
from serving.signatures import SIGNATURES

_SEARCHING = (signatures.RECOMMEND, signatures.SIMILAR_ITEMS)


class ScannModel(tf.Module):
    """Answers `recommend` and `similar_items` from `search`, all else as is.

    Args:
        exact: a loaded exact bundle.
        search: over `exact.item_vectors`.
    """

    def __init__(self, exact: Any, search: ScannSearch) -> None:
        super().__init__()
        self.exact = exact
        self.search = search
        # As an exact bundle, so that a twin can be the source of another.
        self.item_ids = exact.item_ids
        self.item_vectors = exact.item_vectors
        self.titles = exact.titles
        self.exclude_seen = exact.exclude_seen
        ids = tf.constant(exact.item_ids.numpy())
        rows = tf.range(tf.size(ids), dtype=tf.int32)
        initializer = tf.lookup.KeyValueTensorInitializer(ids, rows)
        self.rows = tf.lookup.StaticHashTable(initializer, -1)

    @property
    def reads_text(self) -> bool:
        """Whether the exact model reads the texts of events."""
        embed_user = self.exact.signatures[signatures.EMBED_USER]
        inputs = embed_user.structured_input_signature[1]
        texts = [f for f in signatures.USER_INPUTS if f.is_text]
        return any(field.name in inputs for field in texts)

    def recommend(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        embed_user = self.exact.signatures[signatures.EMBED_USER]
        fields = signatures.known(signatures.USER_INPUTS, self.reads_text)
        queries = embed_user(**{f.name: inputs[f.name] for f in fields})[
            "query"
        ]
        seen = tf.where(
            self.exclude_seen, inputs["history_item_ids"], signatures.NO_ITEM
        )
        excluded = tf.concat([seen, inputs["exclude_item_ids"]], axis=1)
        rows, scores, is_exact = self.search(
            queries, self.rows.lookup(excluded), inputs["k"]
        )
        source = tf.where(is_exact, signatures.EXACT, signatures.SCANN)
        return {
            **self._answers(rows, scores),
            "source": tf.where(
                rows >= 0, source[:, tf.newaxis], signatures.NO_ITEM
            ),
        }

    def similar_items(
        self, item_ids: tf.Tensor, k: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        own = self.rows.lookup(item_ids)
        is_known = (own >= 0)[:, tf.newaxis]
        queries = tf.gather(self.item_vectors, tf.maximum(own, 0))
        rows, scores, _ = self.search(queries, own[:, tf.newaxis], k)
        return self._answers(
            tf.where(is_known, rows, -1),
            tf.where(is_known, scores, -math.inf),
        )

    def _answers(
        self, rows: tf.Tensor, scores: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        return {
            "item_ids": policy.gather_or_empty(self.item_ids, rows),
            "scores": scores,
            "titles": policy.gather_or_empty(self.titles, rows),
        }

    def save(self, folder: Path) -> None:
        """Writes the saved model with all signatures of the exact one."""
        functions = {
            name: function
            for name, function in self.exact.signatures.items()
            if name not in (*_SEARCHING, signatures.DEFAULT_SIGNATURE)
        }
        for name in _SEARCHING:
            fields = signatures.known(SIGNATURES[name].inputs, self.reads_text)
            specs = signatures.tensor_specs(fields)
            function = tf.function(getattr(self, name), autograph=False)
            functions[name] = function.get_concrete_function(**specs)
        functions[signatures.DEFAULT_SIGNATURE] = functions[
            signatures.RECOMMEND
        ]
        tf.saved_model.save(
            self,
            str(folder),
            signatures=functions,
            options=tf.saved_model.SaveOptions(namespace_whitelist=["Scann"]),
        )
