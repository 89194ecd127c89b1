"""What is asked of both models, from raw rows.

The trained model is fed through Transform, the saved one gets the rows as
they are.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from pipeline.parity import Question
from pipeline.raw_rows import Columns, columns_of, transform, write_transformed
from schema import features
from trainer import records
from trainer.encoder import TextEncoder
from trainer.evaluation import build_queries
from trainer.model import TwoTower
from trainer.prepare import Prepared
from trainer.scoring import ModelScorer


class Trained:
    """The trained model, fed through Transform.

    Args:
        model: restored, with its encoder.
        encoder: of texts.
        prepared: all data of the run.
        paths: Transform's outputs of all rows.
        scratch: an empty folder.
    """

    def __init__(
        self,
        model: TwoTower,
        encoder: TextEncoder,
        prepared: Prepared,
        paths: records.Records,
        scratch: Path,
    ) -> None:
        self._model, self._encoder = model, encoder
        self._prepared, self._paths = prepared, paths
        self._scratch = scratch

    def questions(
        self, users: list[bytes], items: list[bytes]
    ) -> list[Question]:
        """`embed_user`, `embed_item` and `rank` on raw rows.

        Args:
            users: serialised rows of the sequences.
            items: serialised rows of the catalogue.
        """
        users = _in_order(users)
        raw, content = columns_of(users), columns_of(items)
        inputs = user_inputs(raw)
        names = [f"user {row[0]!r}" for row in raw[features.USER_ID]]
        queries, scenario = self._queries(users)
        found = transform(self._paths.catalogue_graph, items)
        asked = [
            Question("embed_user", "query", inputs, queries, names),
            Question(
                "embed_item",
                "vector",
                item_inputs(content),
                self._vectors(found),
                [f"item {row[0]!r}" for row in content[features.ITEM_ID]],
            ),
        ]
        if self._model.has_labels:
            ids = [row[0] for row in content[features.ITEM_ID]]
            candidates = {"candidate_item_ids": [ids] * len(users)}
            scale = self._prepared.label_scale
            asked.append(
                Question(
                    "rank",
                    "scores",
                    {**inputs, **candidates},
                    scale.unscale(self._ranked(queries, scenario, found)),
                    names,
                    scale.low,
                    scale.high,
                )
            )
        return asked

    def _queries(self, users: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
        """[users, D] queries for the last event, and [users] its scenario."""
        file = self._scratch / "users.gz"
        found = transform(self._paths.sequence_graph, users)
        write_transformed(found, file)
        few = records.load_prepared(
            dataclasses.replace(self._paths, sequences=str(file)),
            self._model.config.text,
        )
        texts = self._prepared.profile_texts
        row = {text: i for i, text in enumerate(texts)}
        own = [row[few.profile_texts[code]] for code in few.profile_of]
        few = dataclasses.replace(
            few,
            profile_texts=texts,
            profile_of=np.array(own, np.int32),
            event_texts=few.event_texts.in_rows_of(self._prepared.event_texts),
        )
        queries = build_queries(
            few.sequences,
            few.sequences.starts[1:] - 1,
            num_items=len(few.catalogue),
            exclude_seen=False,
        )
        scorer = ModelScorer(self._model, few, queries)
        scenario = few.sequences.scenario[queries.targets]
        return scorer.embed(np.arange(len(queries))), scenario

    def _vectors(self, found: dict[str, Any]) -> np.ndarray:
        """[items, D] vectors of items from their content alone."""
        texts = [t.decode() for t in _column(found[records.ITEM_TEXT])]
        levels = tf.sparse.to_dense(found[features.CATEGORIES], -1)
        vectors = self._model.item_tower.new_vectors(
            tf.constant(self._encoder.encode_bulk(texts)),
            tf.cast(levels, tf.int32),
            tf.constant(_column(found[features.BRAND]), tf.int32),
        )
        return np.asarray(vectors)

    def _ranked(
        self, queries: np.ndarray, scenario: np.ndarray, found: dict[str, Any]
    ) -> np.ndarray:
        """[users, items] scaled predictions of the ranking head."""
        codes = tf.constant(_column(found[records.ITEM_CODE]), tf.int32)
        vectors = tf.gather(self._model.catalogue_vectors(), codes).numpy()
        rows = [
            self._model.predicted(
                tf.constant(np.repeat(query[None], len(vectors), axis=0)),
                tf.constant(vectors),
                tf.fill([len(vectors)], asked),
            )
            for query, asked in zip(queries, scenario, strict=True)
        ]
        return np.array(rows, np.float32).reshape(len(queries), len(vectors))


def _column(tensor: tf.Tensor) -> np.ndarray:
    return tensor.numpy().ravel()


def _in_order(users: list[bytes]) -> list[bytes]:
    """As `load_prepared` orders users: by their first row."""
    first = columns_of(users)[records.FIRST_ROW]
    return [users[i] for i in np.argsort([row[0] for row in first])]


def user_inputs(raw: Columns) -> dict[str, Any]:
    """Raw sequences as requests: all events but the last are the history."""
    width = max(len(items) for items in raw[features.ITEM_ID]) - 1

    def padded(name: str, blank: Any) -> list[list[Any]]:
        rows = [row[:-1] for row in raw[name]]
        return [row + [blank] * (width - len(row)) for row in rows]

    # A builder hands texts on where a model is to read them.
    said = any(raw.get(features.TEXT, ()))
    return {
        **({"history_texts": padded(features.TEXT, "")} if said else {}),
        "history_item_ids": padded(features.ITEM_ID, ""),
        "history_event_types": padded(features.EVENT_TYPE, ""),
        "history_timestamps": padded(features.TIMESTAMP, 0),
        "history_scenarios": padded(features.SCENARIO, ""),
        features.SCENARIO: [row[-1] for row in raw[features.SCENARIO]],
        "profile_text": [(*row, "")[0] for row in raw[features.PROFILE]],
    }


def item_inputs(raw: Columns) -> dict[str, Any]:
    """Raw items as requests."""
    return {
        name: [(*row, "")[0] for row in raw[name]]
        for name in features.ITEM_TEXT_COLUMNS
    }
