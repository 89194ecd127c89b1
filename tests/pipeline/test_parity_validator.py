"""ParityValidator on a trained run, its raw rows and a real Transform."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from model_artifacts import artifact, exact_dir, model_of, worsened
from tfx.types import Channel, standard_artifacts
from transform_graphs import analyze

from pipeline import parity, preprocessing
from pipeline.parity_validator import Executor, ParityValidator
from pipeline.raw_rows import transform, write_transformed
from schema import features
from trainer.run import Run
from trainer.tables import load_dataset

SPLITS = '["all"]'


def example(columns: dict[str, list[Any]]) -> bytes:
    def feature(values: list[Any]) -> tf.train.Feature:
        if values and isinstance(values[0], str):
            encoded = [value.encode() for value in values]
            return tf.train.Feature(
                bytes_list=tf.train.BytesList(value=encoded)
            )
        if values and isinstance(values[0], float):
            return tf.train.Feature(
                float_list=tf.train.FloatList(value=values)
            )
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    made = {name: feature(values) for name, values in columns.items()}
    features_ = tf.train.Features(feature=made)
    return tf.train.Example(features=features_).SerializeToString()


def raw_users(run: Run) -> list[bytes]:
    """Every user as SequenceBuilder writes it, names in place of codes."""
    prepared, s = run.prepared, run.prepared.sequences
    types = ["an unknown type", *prepared.event_types]
    scenarios = ["an unknown scenario", *prepared.scenarios]
    rows = []
    for user in range(s.num_users):
        part = slice(s.starts[user], s.starts[user + 1])
        n = int(s.starts[user + 1] - s.starts[user])
        if not n:
            continue
        profile = prepared.profile_texts[prepared.profile_of[user]]
        ids = prepared.catalogue.item_ids
        rows.append(
            example(
                {
                    "user_id": [f"u{user}"],
                    "first_row": [user],
                    "profile": [profile],
                    "item_id": [ids[i] for i in s.item[part]],
                    "timestamp": s.timestamp[part].tolist(),
                    "event_type": [types[i] for i in s.event_type[part]],
                    "scenario": [scenarios[i] for i in s.scenario[part]],
                    "rating": s.rating[part].astype(float).tolist(),
                    "position": [0] * n,
                    "session": [0] * n,
                    "split": s.split[part].tolist(),
                }
            )
        )
    return rows


def raw_items(run: Run, folder: Path) -> list[bytes]:
    items = load_dataset(
        str(run.job_dir.parent / "data"), run.config.data,
        rejects_dir=folder / "rejects", now=1_800_000_000,
    ).items
    catalogue = run.prepared.catalogue
    counts = dict(zip(catalogue.item_ids, catalogue.counts, strict=True))
    rows = []
    for row, name in enumerate(items.ids):
        texts = {
            column: [(items.columns.get(column) or [""] * len(items.ids))[row]]
            for column in features.ITEM_TEXT_COLUMNS
        }
        rows.append(
            example(
                {
                    **texts, "item_id": [name], "row": [row],
                    "train_events": [int(counts[name])],
                    "available_from": [int(items.times[row])],
                }
            )
        )
    return rows


def write(records: list[bytes], folder: Path) -> Any:
    examples = artifact(standard_artifacts.Examples, folder)
    examples.split_names = SPLITS
    (folder / "Split-all").mkdir()
    file = str(folder / "Split-all" / "rows-0-of-1.gz")
    with tf.io.TFRecordWriter(file, "GZIP") as writer:
        for record in records:
            writer.write(record)
    return examples


@pytest.fixture(scope="module")
def inputs(
    small_run: Run, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[Any]]:
    folder = tmp_path_factory.mktemp("parity")
    functions = {
        "sequences": preprocessing.sequences_fn,
        "catalogue": functools.partial(
            preprocessing.catalogue_fn,
            custom_config={
                "text_columns": small_run.config.text.column_names
            },
        ),
    }
    rows = {
        "sequences": raw_users(small_run),
        "catalogue": raw_items(small_run, folder),
    }
    made = {"model_run": artifact(standard_artifacts.ModelRun, folder / "run")}
    shutil.copytree(small_run.job_dir, folder / "run", dirs_exist_ok=True)
    for table, kind in (("sequences", "sequence"), ("catalogue", "catalogue")):
        made[f"raw_{table}"] = write(rows[table], folder / f"raw_{table}")
        graph = artifact(
            standard_artifacts.TransformGraph, folder / f"{kind}_graph"
        )
        analyze(made[f"raw_{table}"], table, functions[table], graph.uri)
        made[f"{kind}_graph"] = graph
        done = artifact(standard_artifacts.Examples, folder / table)
        done.split_names = SPLITS
        (folder / table / "Split-all").mkdir()
        write_transformed(
            transform(graph.uri, rows[table]),
            folder / table / "Split-all" / "rows-0-of-1.gz",
        )
        made[table] = done
    return {name: [one] for name, one in made.items()}


def validate(
    inputs: dict[str, list[Any]], model: Any, folder: Path
) -> Any:
    blessing = artifact(standard_artifacts.InfraBlessing, folder / "blessing")
    properties = {"num_users": 24, "num_items": 24, "tolerance": 1e-5}
    try:
        Executor().Do(
            {**inputs, "model": [model]}, {"blessing": [blessing]}, properties
        )
    finally:
        assert len(list((folder / "blessing").iterdir())) == 1
    return blessing


def test_a_sound_export_is_blessed(
    small_run: Run, inputs: dict[str, list[Any]], tmp_path: Path
) -> None:
    model = model_of(exact_dir(small_run), tmp_path / "model")
    blessing = validate(inputs, model, tmp_path)
    assert blessing.get_int_custom_property("blessed") == 1
    assert (tmp_path / "blessing" / "INFRA_BLESSED").is_file()


def test_an_export_with_other_vectors_fails_and_says_where(
    small_run: Run, inputs: dict[str, list[Any]], tmp_path: Path
) -> None:
    bad = worsened(exact_dir(small_run), tmp_path / "bundle")
    model = model_of(bad, tmp_path / "model")
    with pytest.raises(
        parity.ParityError,
        match=r"embed_user.query differs by up to .* first at user 'u\d+'",
    ) as raised:
        validate(inputs, model, tmp_path)
    assert "embed_item" not in str(raised.value)  # made of text alone
    assert (tmp_path / "blessing" / "INFRA_NOT_BLESSED").is_file()


def question(expected: np.ndarray, low: float, high: float) -> parity.Question:
    return parity.Question(
        "rank", "scores", {}, expected, ["user 'a'", "user 'b'"], low, high
    )


def test_a_difference_is_told_with_its_signature_size_and_first_row() -> None:
    asked = question(np.array([[1.0, 2.0], [3.0, 4.0]]), 1.0, 5.0)
    answer = np.array([[1.0, 2.0], [3.0, 4.4]])
    assert parity.differences([asked], [answer], 0.05) == [
        "rank.scores differs by up to 0.1, allowed is 0.05; first at user "
        "'b', 1 of 2 rows"
    ]
    assert parity.differences([asked], [answer], 0.11) == []


def test_an_answer_that_is_no_number_differs() -> None:
    asked = question(np.zeros((2, 1)), 0.0, 1.0)
    answer = np.array([[0.0], [np.nan]])
    assert len(parity.differences([asked], [answer], 1e9)) == 1


def test_a_process_that_fails_tells_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(parity.ParityError, match="cannot ask .*nowhere"):
        parity.ask_in_new_process(tmp_path / "nowhere", [], tmp_path)


def test_the_component_is_wired() -> None:
    examples = Channel(type=standard_artifacts.Examples)
    graph = Channel(type=standard_artifacts.TransformGraph)
    made = ParityValidator(
        Channel(type=standard_artifacts.Model),
        Channel(type=standard_artifacts.ModelRun),
        examples,
        examples,
        {
            "sequences": examples, "catalogue": examples,
            "sequence_graph": graph, "catalogue_graph": graph,
        },
    )
    assert list(made.outputs) == ["blessing"]
