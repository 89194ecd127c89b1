"""Scores of an exported exact bundle: what is evaluated is what is served.

The bundle is asked by raw ids, as a client asks it, so a bundle of another
run, with other vocabularies, can be measured on the same targets.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from schema import features
from serving import manifest, signatures
from serving.checks import with_optional
from serving.manifest import BundleError, Manifest
from serving.recency import RecentPopularity
from serving.signatures import EXACT, NO_ITEM
from trainer.behaviour import query_windows
from trainer.evaluation import Queries
from trainer.event_counts import EventCounts
from trainer.prepare import Prepared

Request = dict[str, np.ndarray]
# A name that no vocabulary has, for codes that mean "unknown": "" would mean
# the default type.
UNKNOWN_NAME = "\x00unknown"


class ExactBundle:
    """A version of an exact bundle, checked and loaded.

    Args:
        version_dir: e.g. `export/recommender/1`.

    Attributes:
        item_ids: its catalogue, in the order of its vectors.
        vectors: [items, D] float32.
        max_history: events that it reads at most.
        split: by which its model was trained.
        live_counts: a `serving.recency.LiveCounts` as loaded; None where
            recent popularity is not read.

    Raises:
        BundleError: if it is damaged or no exact bundle.
    """

    def __init__(self, version_dir: Path) -> None:
        described = Manifest.read(version_dir)
        manifest.check_files(version_dir, described)
        if described.kind != EXACT:
            raise BundleError(
                f"{version_dir} is a {described.kind} bundle; pass the exact "
                "one, whose search misses nothing."
            )
        self._model = tf.saved_model.load(str(version_dir))
        self.item_ids = [i.decode() for i in self._model.item_ids.numpy()]
        self.vectors: np.ndarray = self._model.item_vectors.numpy()
        self.max_history = int(described.config["data"]["max_history"])
        self.split = str(described.config["data"]["split"])
        stock = getattr(self._model, "stock", None)
        self.live_counts = getattr(stock, "live_counts", None)

    def ask(self, signature: str, inputs: Request) -> dict[str, np.ndarray]:
        """Answers of one of `serving.signatures`, by name."""
        function = self._model.signatures[signature]
        specs = function.structured_input_signature[1]
        inputs = dict(with_optional(signature, specs, inputs))
        answers = function(
            **{k: tf.constant(v, specs[k].dtype) for k, v in inputs.items()}
        )
        return {name: value.numpy() for name, value in answers.items()}


class Requests:
    """Queries of an evaluation as requests of raw ids.

    Args:
        prepared: the data.
        queries: what is asked.
        max_history: events that the bundle reads; one more is sent, which
            tells the gap of the oldest that is read.
    """

    def __init__(
        self, prepared: Prepared, queries: Queries, max_history: int
    ) -> None:
        self._prepared, self._queries = prepared, queries
        self._windows = query_windows(
            queries.sequences, queries.targets, max_history + 1
        )
        self._items = np.array(prepared.catalogue.item_ids, object)
        self._types = _names(prepared.event_types)
        self._scenarios = _names(prepared.scenarios)
        self._profiles = np.array(prepared.profile_texts, object)
        self._texts = np.array(prepared.event_texts.own, object)

    def __call__(self, numbers: np.ndarray) -> Request:
        """[b] query numbers -> the user inputs of `serving.signatures`."""
        sequences, windows = self._queries.sequences, self._windows
        start, stop = windows.start[numbers], windows.stop[numbers]
        at = start[:, None] + np.arange((stop - start).max(initial=0))
        is_event = at < stop[:, None]
        at = np.where(is_event, at, 0)

        def column(names: np.ndarray, codes: np.ndarray) -> np.ndarray:
            return np.where(is_event, names[codes[at]], NO_ITEM)

        times = np.where(is_event, sequences.timestamp[at], 0)
        target = self._queries.targets[numbers]
        profile = self._prepared.profile_of[windows.user[numbers]]
        return {
            "history_item_ids": column(self._items, sequences.item),
            "history_event_types": column(self._types, sequences.event_type),
            "history_timestamps": times,
            "history_scenarios": column(self._scenarios, sequences.scenario),
            "history_texts": column(
                self._texts, self._prepared.event_texts.own_code
            ),
            features.SCENARIO: self._scenarios[sequences.scenario[target]],
            "profile_text": self._profiles[profile],
        }


def _names(vocabulary: Sequence[str]) -> np.ndarray:
    return np.array([UNKNOWN_NAME, *vocabulary], object)


class _Timely:
    """Scores of a bundle at the moments of queries, not at its export's.

    Args:
        live_counts: of the bundle.
        split: by which its model was trained.
        queries: what is asked.
        rows: [items] of the bundle.
    """

    def __init__(
        self, live_counts: Any, split: str, queries: Queries, rows: np.ndarray
    ) -> None:
        self._queries = queries
        self._trust = tf.gather(live_counts.trust, rows)
        self._popularity = RecentPopularity.of(live_counts.popularity)
        self._temperature = live_counts.temperature
        self._events = EventCounts.known(
            queries.sequences,
            queries.num_items,
            self._popularity.half_lives,
            split,
        )

    def __call__(
        self, products: np.ndarray, numbers: np.ndarray
    ) -> np.ndarray:
        """[b, items] products of [b] query numbers -> [b, items] scores."""
        counts = self._events.at(self._queries.moments[numbers])
        return np.asarray(
            self._popularity.scores(
                products, counts, self._trust, self._temperature
            )
        )


class BundleScorer:
    """A `trainer.evaluation.Scorer` over an exported bundle.

    Args:
        bundle: the exact bundle.
        prepared: the data.
        queries: what is asked.
    """

    def __init__(
        self, bundle: ExactBundle, prepared: Prepared, queries: Queries
    ) -> None:
        self._bundle = bundle
        self.requests = Requests(prepared, queries, bundle.max_history)
        row = {name: i for i, name in enumerate(bundle.item_ids)}
        rows = [row.get(name, -1) for name in prepared.catalogue.item_ids]
        self.is_known = np.array(rows) >= 0
        self._items = bundle.vectors[np.maximum(rows, 0)].T  # [D, items]
        self._queries = queries
        self._timely: _Timely | None = None
        if bundle.live_counts is not None:
            self._timely = _Timely(
                bundle.live_counts, bundle.split, queries, np.maximum(rows, 0)
            )

    def embed(self, numbers: np.ndarray) -> np.ndarray:
        """[b] query numbers -> [b, D] queries, as the bundle sees users."""
        inputs = self.requests(numbers)
        return self._bundle.ask(signatures.EMBED_USER, inputs)["query"]

    def __call__(self, numbers: np.ndarray) -> np.ndarray:
        """[b] query numbers -> [b, items] scores.

        Minus infinity for items that the bundle does not have: it cannot
        recommend them.
        """
        scores = self.embed(numbers) @ self._items
        if self._timely is not None:
            scores = self._timely(scores, numbers)
        return np.where(self.is_known, scores, -np.inf)
