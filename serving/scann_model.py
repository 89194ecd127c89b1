"""The ScaNN twin of an exact model: the same signatures over another search."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf

from serving import policy, signatures
from serving.lists import Lists
from serving.search import ScannSearch
from serving.signatures import SIGNATURES

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
        self.stock = exact.stock  # what `serving.live` assigns to

    @property
    def _lists(self) -> Lists:
        exact = self.exact
        return Lists(
            self.stock, self.search, exact.temperature, exact.exclude_seen
        )

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
        return self._lists.recommend(
            self.exact.signatures[signatures.EMBED_USER](**user)["query"],
            inputs,
            lambda rows: self._predicted(user, rows),
        )

    def recommend_next(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        advance = self.exact.signatures[signatures.ADVANCE]
        wanted = advance.structured_input_signature[1]
        after = advance(**{name: inputs[name] for name in wanted})
        return self._lists.recommend_next(after, inputs)

    def _predicted(
        self, user: dict[str, tf.Tensor], rows: tf.Tensor
    ) -> tf.Tensor:
        """[b, P] scaled labels by the ranking head, 0 where there is none."""
        rank = self.exact.signatures[signatures.RANK]
        candidates = policy.gather_or_empty(self.stock.item_ids, rows)
        scores = rank(**user, candidate_item_ids=candidates)["scores"]
        low, high = tf.unstack(self.exact.label_range)
        return tf.math.divide_no_nan(scores - low, high - low)

    def similar_items(
        self, item_ids: tf.Tensor, k: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        return self._lists.similar_items(item_ids, k)

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
