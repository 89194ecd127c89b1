"""Reads what the pipeline's Transform wrote: the second way in.

What comes out is what `trainer.prepare.prepare` makes of the same rows; a
parity test of the pipeline compares the two.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf

from schema import features
from trainer.behaviour import Sequences
from trainer.catalogue import MAX_CATEGORIES, Catalogue, shown_titles
from trainer.event_texts import EventTexts
from trainer.prepare import Prepared, assemble, put_in_words
from trainer.template_setting import read_templates
from trainer.text_config import TextConfig

FIRST_ROW, GAP = "first_row", "gap"
ITEM_CODE, ITEM_TEXT, TRAIN_EVENTS = "item_code", "item_text", "train_events"
_BATCH = 4096
# What TensorFlow Transform writes for a vocabulary without names.
_NO_NAMES = "49d0cd50-04bb-48c0-bc6f-5b575dce351a"

_SEQUENCE_LISTS = {
    features.ITEM_ID: tf.string,
    features.EVENT_TYPE: tf.int64,
    features.SCENARIO: tf.int64,
    GAP: tf.int64,
    features.TIMESTAMP: tf.int64,
    features.RATING: tf.float32,
    features.SPLIT: tf.int64,
    features.TEXT: tf.string,
}
_SEQUENCE_VALUES = {
    FIRST_ROW: tf.int64, features.PROFILE: tf.string
}
_ITEM_VALUES = {
    features.ITEM_ID: tf.string,
    features.TITLE: tf.string,
    ITEM_TEXT: tf.string,
    ITEM_CODE: tf.int64,
    features.BRAND: tf.int64,
    features.AVAILABLE_FROM: tf.int64,
    TRAIN_EVENTS: tf.int64,
}


@dataclasses.dataclass(frozen=True)
class Records:
    """Where Transform's outputs are.

    Attributes:
        sequences, catalogue: patterns of gzipped TFRecord files.
        sequence_graph, catalogue_graph: folders of the transform graphs,
            which hold the vocabularies.
    """

    sequences: str
    catalogue: str
    sequence_graph: str
    catalogue_graph: str


def raw_column(name: str) -> str:
    """What an item column is called that Transform hands on as it is.

    Categories and brands are codes under their own names.
    """
    return name if name == features.TITLE else f"raw_{name}"


def load_prepared(
    records: Records, text: TextConfig | None = None
) -> Prepared:
    """Reads everything that training, evaluation and export need.

    Args:
        records: where it is.
        text: how events are put in words; None where nothing reads them, as
            in the evaluation of a bundle, which puts them in words itself.

    Raises:
        ValueError: if there are no files, or if they do not fit together.
    """
    text = text or TextConfig()
    templates = read_templates(text.behaviour_text)
    names = templates.item_columns if templates else []
    catalogue, item_columns = _read_catalogue(records, names)
    columns, lists = _read(
        records.sequences, _SEQUENCE_VALUES, _SEQUENCE_LISTS
    )
    order = np.argsort(columns[FIRST_ROW], kind="stable")
    lengths = lists[features.ITEM_ID][1]
    starts = np.concatenate([[0], np.cumsum(lengths[order])])
    rows = _rows_in_order(lengths, order)
    said, said_lengths = lists.pop(features.TEXT)
    values = {name: found[rows] for name, (found, _) in lists.items()}
    sequences = Sequences(
        starts=starts,
        item=_codes(values[features.ITEM_ID], catalogue.item_ids),
        event_type=values[features.EVENT_TYPE].astype(np.int32),
        scenario=values[features.SCENARIO].astype(np.int32),
        gap=values[GAP].astype(np.int32),
        timestamp=values[features.TIMESTAMP],
        rating=values[features.RATING],
        split=values[features.SPLIT].astype(np.int8),
    )
    prepared = assemble(
        sequences,
        catalogue,
        event_types=read_vocabulary(
            records.sequence_graph, features.EVENT_TYPE
        ),
        scenarios=read_vocabulary(records.sequence_graph, features.SCENARIO),
        profiles=_texts(columns[features.PROFILE][order]),
    )
    own = EventTexts.silent(len(rows))
    if np.array_equal(said_lengths, lengths):
        own = EventTexts.of(_texts(said), rows)
    elif templates:
        raise ValueError(
            f"behaviour_text is set and {records.sequences} were made without "
            "the texts of the events; run the pipeline again."
        )
    return put_in_words(prepared, own, item_columns, text)


def read_vocabulary(transform_graph: str, name: str) -> list[str]:
    """Names of a vocabulary in the order of their codes."""
    path = f"{transform_graph}/transform_fn/assets/{name}.tfrecord.gz"
    names = [
        record.decode()
        for record in tf.data.TFRecordDataset(
            path, compression_type="GZIP"
        ).as_numpy_iterator()
    ]
    return [] if names == [_NO_NAMES] else names


def _read_catalogue(
    records: Records, names: Sequence[str]
) -> tuple[Catalogue, dict[str, list[str]]]:
    """The catalogue, and these raw columns of it by name, in its order."""
    raw = {name: raw_column(name) for name in names}
    values, lists = _read(
        records.catalogue,
        {**_ITEM_VALUES, **dict.fromkeys(raw.values(), tf.string)},
        {features.CATEGORIES: tf.int64},
    )
    names = read_vocabulary(records.catalogue_graph, features.ITEM_ID)
    order = np.argsort(values[ITEM_CODE], kind="stable")
    ids = _texts(values[features.ITEM_ID][order])
    if ids != names:
        raise ValueError(
            f"the catalogue has {len(ids):,} items and its vocabulary "
            f"{len(names):,}, or others; run Transform on it again."
        )
    levels, lengths = lists[features.CATEGORIES]
    codes = np.full((len(ids), MAX_CATEGORIES), -1, np.int32)
    row = np.repeat(np.arange(len(ids)), lengths)
    starts = np.cumsum(lengths) - lengths
    codes[row, np.arange(len(levels)) - starts[row]] = levels
    texts = _texts(values[ITEM_TEXT][order])
    catalogue = Catalogue(
        item_ids=ids,
        code_of=np.arange(len(ids), dtype=np.int32),
        counts=values[TRAIN_EVENTS][order],
        titles=shown_titles(_texts(values[features.TITLE][order]), texts),
        texts=texts,
        categories=read_vocabulary(
            records.catalogue_graph, features.CATEGORIES
        ),
        category_codes=codes[order],
        brands=read_vocabulary(records.catalogue_graph, features.BRAND),
        brand_codes=values[features.BRAND][order].astype(np.int32),
        available_from=values[features.AVAILABLE_FROM][order],
    )
    columns = {name: _texts(values[key][order]) for name, key in raw.items()}
    return catalogue, columns


def _read(
    pattern: str, values: Mapping[str, Any], lists: Mapping[str, Any]
) -> tuple[dict[str, np.ndarray], dict[str, tuple[np.ndarray, np.ndarray]]]:
    """Reads records.

    Returns:
        [rows] values by name; and, by name, [all] list elements one row after
        the other and [rows] how many each has.
    """
    files = tf.io.gfile.glob(pattern)
    if not files:
        raise ValueError(f"no file {pattern}; run Transform again.")
    spec: dict[str, Any] = {
        name: tf.io.FixedLenFeature([], kind) for name, kind in values.items()
    }
    spec |= {
        name: tf.io.RaggedFeature(kind, row_splits_dtype=tf.int64)
        for name, kind in lists.items()
    }
    stored = tf.data.TFRecordDataset(sorted(files), compression_type="GZIP")
    try:
        batches = [
            tf.io.parse_example(batch, spec) for batch in stored.batch(_BATCH)
        ]
    except tf.errors.InvalidArgumentError as error:  # which names the column
        raise ValueError(
            f"{pattern} was made for other settings ({error.message}); run "
            "the pipeline again."
        ) from error
    if not batches:
        raise ValueError(f"{pattern} holds no record; run Transform again.")
    columns = {
        name: np.concatenate([batch[name].numpy() for batch in batches])
        for name in values
    }
    return columns, {
        name: (
            np.concatenate([b[name].flat_values.numpy() for b in batches]),
            np.concatenate([b[name].row_lengths().numpy() for b in batches]),
        )
        for name in lists
    }


def _rows_in_order(lengths: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Places of the list elements once the rows stand in another order."""
    starts = (np.cumsum(lengths) - lengths)[order]
    ordered = lengths[order]
    offset = np.arange(lengths.sum()) - np.repeat(
        np.cumsum(ordered) - ordered, ordered
    )
    return np.repeat(starts, ordered) + offset


def _texts(values: np.ndarray) -> list[str]:
    return [value.decode() for value in values.tolist()]


def _codes(item_ids: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """[events] int32 codes of ids that are all in the catalogue."""
    known = pa.array([name.encode() for name in names], pa.binary())
    codes = pc.index_in(pa.array(item_ids, pa.binary()), value_set=known)
    if codes.null_count:
        raise ValueError(
            f"{codes.null_count:,} events are of items that the catalogue does "
            "not have; sequences and catalogue must come from one run."
        )
    return codes.to_numpy(zero_copy_only=False).astype(np.int32)
