"""A saved model with every signature, small enough to check by hand.

query = mean of (known history vectors, the item that the profile names)
        + the scenario's vector.  state = (sum of those vectors, their number).
`Oracle` says the same in NumPy, one request at a time.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from serving import bundle, signatures, versions, warmup
from serving.admission import Shelf
from serving.lists import Lists
from serving.manifest import NO_JOURNAL, Manifest
from serving.search import ExactSearch
from serving.stock import Stock, growing, is_offered

DIM = 8


class Content:
    """Catalogue of the toy: ids, titles, unit vectors, scenario vectors."""

    def __init__(self, num_items: int, seed: int) -> None:
        generator = np.random.default_rng(seed)
        vectors = generator.normal(size=(num_items, DIM))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        self.vectors = vectors.astype(np.float32)
        self.ids = [f"i{row}" for row in range(num_items)]
        self.titles = [f"Title {row} ☕" for row in range(num_items)]
        self.scenario_names = ["night"]
        self.categories = [row % 7 - 1 for row in range(num_items)]  # -1: none
        self.available_from = [100 * (row % 5) for row in range(num_items)]
        self.scenarios = np.zeros((2, DIM), np.float32)  # 0 is the default
        self.scenarios[1, 3] = 2.0


class Oracle:
    """The toy's answers for one user, by plain loops."""

    def __init__(self, content: Content, exclude_seen: bool) -> None:
        self.content, self.exclude_seen = content, exclude_seen
        self.row = {item: row for row, item in enumerate(content.ids)}

    def query(
        self, history: list[str], scenario: str = "", profile: str = ""
    ) -> np.ndarray:
        known = [self.row[i] for i in [*history, profile] if i in self.row]
        total = np.zeros(DIM)
        for row in known:
            total += self.content.vectors[row]
        at = 1 if scenario in self.content.scenario_names else 0
        return total / max(1, len(known)) + self.content.scenarios[at]

    def scores(self, query: np.ndarray) -> dict[str, float]:
        products = self.content.vectors.astype(np.float64) @ query
        return dict(zip(self.content.ids, products.tolist(), strict=True))

    def recommend(
        self,
        history: list[str],
        k: int,
        exclude: list[str] | None = None,
        **context: str,
    ) -> list[tuple[str, float]]:
        banned = {*(exclude or []), *(history if self.exclude_seen else [])}
        scores = self.scores(self.query(history, **context))
        ranked = sorted(scores.items(), key=lambda pair: -pair[1])
        return [pair for pair in ranked if pair[0] not in banned][:k]


def rule_out(
    content: Content,
    scores: dict[str, float],
    *,
    exclude: list[str],
    allow: list[str],
    now: int = 0,
    min_available_from: int = 0,
    max_per_category: int = 0,
) -> list[str]:
    """Ids that the rules leave, best first, by plain loops."""
    number: dict[int, int] = {}
    left = []
    for item in sorted(scores, key=lambda name: -scores[name]):
        row = content.ids.index(item)
        opened = content.available_from[row]
        if item in exclude or (allow and item not in allow):
            continue
        if (now and opened > now) or opened < min_available_from:
            continue
        category = content.categories[row]
        number[category] = number.get(category, 0) + 1
        is_counted = max_per_category and category >= 0
        if not is_counted or number[category] <= max_per_category:
            left.append(item)
    return left


# It reads no recent popularity.
NAMES = [each.name for each in signatures.offered(False)]


def _specs(name: str) -> dict[str, tf.TensorSpec]:
    fields = signatures.known(signatures.SIGNATURES[name].inputs, False)
    return signatures.tensor_specs(fields, {"s": DIM + 1})


class ToyModel(tf.Module):
    def __init__(self, content: Content, exclude_seen: bool) -> None:
        super().__init__()
        self.item_vectors = growing(content.vectors)
        self.shelf = Shelf(
            self.item_vectors,
            growing(tf.constant(content.categories, tf.int32)),
            growing(tf.constant(content.available_from, tf.int64)),
        )
        self.stock = Stock(
            content.ids,
            content.titles,
            self.shelf,
            ["Title"] * len(content.ids),
            [f"c{code}" for code in range(6)],
        )
        self.temperature = tf.Variable(0.5)
        self.label_range = tf.Variable([0.0, 0.0])  # no ranking head
        self.exclude_seen = tf.Variable(exclude_seen)
        self.scenarios = tf.Variable(content.scenarios)
        self.rows = self.stock
        self.scenario_rows = _table(content.scenario_names, 1, default=0)

    def vectors_of(self, ids: tf.Tensor) -> tf.Tensor:
        """Vectors with a one appended; zeros where the id is unknown."""
        rows = self.rows.lookup(ids)
        found = tf.gather(self.item_vectors, tf.maximum(rows, 0))
        ones = tf.ones_like(found[..., :1])
        known = tf.cast(rows >= 0, tf.float32)[..., tf.newaxis]
        return tf.concat([found, ones], axis=-1) * known

    def head(self, state: tf.Tensor, scenario: tf.Tensor) -> tf.Tensor:
        mean = state[:, :DIM] / tf.maximum(state[:, DIM:], 1.0)
        rows = self.scenario_rows.lookup(scenario)
        return mean + tf.gather(self.scenarios, rows)

    def state(self, user: dict[str, tf.Tensor]) -> tf.Tensor:
        events = self.vectors_of(user["history_item_ids"])
        profile = self.vectors_of(user["profile_text"])
        return tf.reduce_sum(events, axis=1) + profile

    def embed_user(self, **user: tf.Tensor) -> dict[str, tf.Tensor]:
        state = self.state(user)
        return {"state": state, "query": self.head(state, user["scenario"])}

    @property
    def lists(self) -> Lists:
        return Lists(
            self.stock,
            ExactSearch(self.shelf),
            self.temperature,
            self.exclude_seen,
        )

    def recommend(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return self.lists.recommend(self.embed_user(**inputs)["query"], inputs)

    def recommend_next(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return self.lists.recommend_next(self.advance(**inputs), inputs)

    def rank(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        query = self.embed_user(**inputs)["query"]
        candidates = self.vectors_of(inputs["candidate_item_ids"])
        scores = tf.einsum("bd,bcd->bc", query, candidates[..., :DIM])
        rows = self.rows.lookup(inputs["candidate_item_ids"])
        is_item = is_offered(self.stock, rows)
        return {"scores": tf.where(is_item, scores, -np.inf)}

    def embed_item(self, **item: tf.Tensor) -> dict[str, tf.Tensor]:
        length = tf.strings.length(item["title"]) % DIM
        return {"vector": tf.one_hot(length, DIM)}

    def similar_items(
        self, item_ids: tf.Tensor, k: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        return self.lists.similar_items(item_ids, k)

    def advance(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        state = inputs["state"] + self.vectors_of(inputs["item_id"])
        return {"state": state, "query": self.head(state, inputs["scenario"])}

    def explain(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        state = self.state(inputs)
        target = self.vectors_of(inputs["item_id"])[:, :DIM]
        events = self.vectors_of(inputs["history_item_ids"])[..., :DIM]
        query = self.head(state, inputs["scenario"])
        count = tf.maximum(state[:, DIM:], 1.0)
        return {
            "contributions": tf.einsum("bld,bd->bl", events, target) / count,
            "matched_words": tf.fill(tf.shape(events)[:2], "Title"),
            "score": tf.reduce_sum(query * target, axis=1),
        }


def _table(
    keys: list[str], first: int, default: int
) -> tf.lookup.StaticHashTable:
    values = tf.range(first, first + len(keys), dtype=tf.int32)
    initializer = tf.lookup.KeyValueTensorInitializer(tf.constant(keys), values)
    return tf.lookup.StaticHashTable(initializer, default)


def save(model: ToyModel, folder: Path) -> None:
    concrete = {
        name: tf.function(
            getattr(model, name), autograph=False
        ).get_concrete_function(
            **_specs(name)
        )
        for name in NAMES
    }
    concrete[signatures.DEFAULT_SIGNATURE] = concrete[signatures.RECOMMEND]
    tf.saved_model.save(model, str(folder), signatures=concrete)


def export(
    model_dir: Path,
    num_items: int,
    *,
    version: int = 1,
    seed: int = 0,
    exclude_seen: bool = True,
) -> Path:
    """Writes `model_dir/version` as the trainer's exporter would."""
    content = Content(num_items, seed)
    model = ToyModel(content, exclude_seen)

    def write(folder: Path) -> None:
        save(model, folder)
        bundle.seal(
            folder,
            Manifest(
                model_name=model_dir.name,
                version=version,
                kind=signatures.EXACT,
                created="2026-01-02T03:04:05+00:00",
                num_items=num_items,
                journal=NO_JOURNAL,
            ),
            warmup.default_requests(
                content.ids[:2], np.zeros((1, DIM + 1), np.float32)
            ),
        )

    return versions.write_version(model_dir, version, write)
