"""The ScaNN twin of an exact model: the same signatures over another search."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import tensorflow as tf

from serving import answering, policy, signatures
from serving.admission import Admission
from serving.search import ScannSearch
from serving.signatures import SIGNATURES
from serving.stock import rows_of

_SEARCHING = (
    signatures.RECOMMEND, signatures.RECOMMEND_NEXT, signatures.SIMILAR_ITEMS
)


class ScannModel(tf.Module):
    """Answers `recommend` and `similar_items` from `search`, all else as is.

    Args:
        exact: a loaded exact bundle.
        search: over `exact.shelf`.
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
        self.temperature = exact.temperature
        self.stock = exact.stock

    @property
    def reads_text(self) -> bool:
        """Whether the exact model reads the texts of events."""
        embed_user = self.exact.signatures[signatures.EMBED_USER]
        inputs = embed_user.structured_input_signature[1]
        texts = [f for f in signatures.USER_INPUTS if f.is_text]
        return any(field.name in inputs for field in texts)

    @property
    def _widths(self) -> dict[str, int]:
        """Sizes of axes that the exact model fixes."""
        advance = self.exact.signatures[signatures.ADVANCE]
        inputs = advance.structured_input_signature[1]
        return {"s": inputs["state"].shape[1]}

    def recommend(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        fields = signatures.known(signatures.USER_INPUTS, self.reads_text)
        user = {field.name: inputs[field.name] for field in fields}
        return self._list(
            self.exact.signatures[signatures.EMBED_USER](**user)["query"],
            inputs,
            lambda rows: self._predicted(user, rows),
        )

    def recommend_next(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        advance = self.exact.signatures[signatures.ADVANCE]
        wanted = advance.structured_input_signature[1]
        after = advance(**{name: inputs[name] for name in wanted})
        listed = self._list(after["query"], answering.of_one_event(inputs))
        return {"state": after["state"], **listed}

    def _list(
        self,
        query: tf.Tensor,
        inputs: dict[str, tf.Tensor],
        head: answering.Head | None = None,
    ) -> dict[str, tf.Tensor]:
        """The answer to [b, d] queries by the rules of a request's inputs."""
        lists = answering.Policy(
            self.search.exact.shelf, self.search, self.temperature
        )
        chosen = lists.choose(
            query,
            Admission.of(inputs, self._rows_of, self.exclude_seen),
            answering.Wishes.of(inputs),
            head,
        )
        return {
            **self._answers(chosen.rows, chosen.scores),
            **lists.described(chosen, inputs, self._rows_of, self.item_ids),
        }

    def _rows_of(self, item_ids: tf.Tensor) -> tf.Tensor:
        return rows_of(self.stock, item_ids)

    def _predicted(
        self, user: dict[str, tf.Tensor], rows: tf.Tensor
    ) -> tf.Tensor:
        """[b, P] scaled labels by the ranking head, 0 where there is none."""
        rank = self.exact.signatures[signatures.RANK]
        candidates = policy.gather_or_empty(self.item_ids, rows)
        scores = rank(**user, candidate_item_ids=candidates)["scores"]
        low, high = tf.unstack(self.exact.label_range)
        return tf.math.divide_no_nan(scores - low, high - low)

    def similar_items(
        self, item_ids: tf.Tensor, k: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        own = self._rows_of(item_ids)
        is_known = (own >= 0)[:, tf.newaxis]
        queries = tf.gather(self.item_vectors, tf.maximum(own, 0))
        rows, scores, _ = self.search(
            queries, Admission.excluding(own[:, tf.newaxis]), k
        )
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
            specs = signatures.tensor_specs(fields, self._widths)
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
