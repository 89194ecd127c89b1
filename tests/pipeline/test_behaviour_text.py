"""Texts of events through the pipeline's way in, and the local one."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from local_path import read_locally, sample_data
from same_arrays import differences
from sequence_artifacts import Built, build, ingested, outputs_of
from transform_graphs import analyze

from pipeline import preprocessing
from pipeline.data_nodes import catalogue_settings
from pipeline.parity_questions import Trained, user_inputs
from pipeline.prepared import files_of
from pipeline.raw_rows import columns_of, transform, write_transformed
from pipeline.sequence_builder import CATALOGUE, SEQUENCES
from schema import features
from trainer.config import DataConfig, ModelConfig, RunConfig
from trainer.evaluation import build_queries
from trainer.prepare import Prepared, prepare
from trainer.records import Records, load_prepared
from trainer.restored import make_variables
from trainer.run import Run
from trainer.scoring import ModelScorer
from trainer.strategies import open_strategy
from trainer.text_config import TextConfig

# Of all kinds: words around a text, another column, an unknown type's title.
TEMPLATES = (
    "{search: '{brand}: {text}!', click: '{text}', view: '{description}',"
    " cart: '{title}. {brand}. {categories}'}"
)
SPOKEN = RunConfig(
    data=DataConfig(max_history=8),
    text=TextConfig(
        text_encoder="tiny", max_tokens=16, behaviour_text=TEMPLATES
    ),
    model=ModelConfig(embedding_dim=16, lstm_units=12),
)
SILENT = dataclasses.replace(SPOKEN, text=TextConfig())


@dataclasses.dataclass(frozen=True)
class Piped:
    """What both ways in make of one folder of tables."""

    built: Built
    records: Records
    local: Prepared

    def raw(self, name: str) -> list[bytes]:
        found = tf.data.TFRecordDataset(
            files_of(self.built.artifacts[name]), "GZIP"
        )
        return list(found.as_numpy_iterator())


def piped(config: RunConfig, data: Path, folder: Path) -> Piped:
    inputs = ingested(data, folder / "tables")
    built = build(inputs, outputs_of(folder / "built"), config=config)
    functions: dict[str, Any] = {
        SEQUENCES: preprocessing.sequences_fn,
        CATALOGUE: functools.partial(
            preprocessing.catalogue_fn,
            custom_config=catalogue_settings(config.text),
        ),
    }
    for name, fn in functions.items():
        graph = str(folder / f"{name}_graph")
        raw = built.artifacts[name]
        raw.split_names = '["all"]'
        analyze(raw, name, fn, graph)
        records = tf.data.TFRecordDataset(files_of(raw), "GZIP")
        write_transformed(
            transform(graph, list(records.as_numpy_iterator())),
            folder / f"{name}.gz",
        )
    found = Records(
        *(str(folder / f"{name}.gz") for name in functions),
        *(str(folder / f"{name}_graph") for name in functions),
    )
    dataset = read_locally(
        data, config.data, folder / "rejects",
        reads_text=config.text.reads_behaviour,
    )
    return Piped(built, found, prepare(dataset, config))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample_data(
        tmp_path_factory.mktemp("data"), "--users", "60", "--items", "50",
        "--search-share", "0.5",
    )


@pytest.fixture(scope="module")
def spoken(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Piped:
    return piped(SPOKEN, data, tmp_path_factory.mktemp("spoken"))


def test_both_ways_in_give_the_model_the_same_texts(spoken: Piped) -> None:
    local = spoken.local
    assert differences(load_prepared(spoken.records, SPOKEN.text), local) == []
    # What is compared is there: queries, and texts with words around them.
    assert len(local.event_texts.own) > 20
    said = local.event_texts.spoken
    codes = set(said.code.tolist())
    assert any(said.texts[code].endswith("!") for code in codes)


def test_an_evaluation_has_the_events_own_texts_and_no_others(
    spoken: Piped,
) -> None:
    found = load_prepared(spoken.records).event_texts
    assert found.spoken is None
    assert found.own == spoken.local.event_texts.own
    np.testing.assert_array_equal(
        found.own_code, spoken.local.event_texts.own_code
    )


def test_without_the_setting_no_text_leaves_the_tables(
    data: Path, tmp_path: Path
) -> None:
    silent = piped(SILENT, data, tmp_path)
    for row in silent.raw(SEQUENCES):
        example = tf.train.Example.FromString(row)
        assert features.TEXT not in example.features.feature
    assert differences(load_prepared(silent.records), silent.local) == []
    assert silent.local.event_texts.own == [""]
    with pytest.raises(ValueError, match="run the pipeline again"):
        load_prepared(silent.records, SPOKEN.text)


def test_raw_rows_ask_what_the_trained_model_is_asked(
    spoken: Piped, tmp_path: Path
) -> None:
    run = Run(spoken.local, SPOKEN, tmp_path / "job")
    model, encoder = run.build(open_strategy("none"))
    make_variables(model)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    trained = Trained(model, encoder, spoken.local, spoken.records, scratch)
    users = spoken.raw(SEQUENCES)[::7]
    asked = trained.questions(users, spoken.raw(CATALOGUE)[:2])[0]

    raw = columns_of(users)
    order = np.argsort([row[0] for row in raw["first_row"]])
    width = max(map(len, raw[features.TEXT])) - 1
    wanted = [
        (raw[features.TEXT][row][:-1] + [""] * width)[:width] for row in order
    ]
    assert asked.inputs["history_texts"] == wanted
    assert any(map(any, wanted))
    # The same users among all others, whose texts have other rows.
    first = sorted(row[0] for row in columns_of(spoken.raw(SEQUENCES))[
        "first_row"])
    places = [first.index(raw["first_row"][row][0]) for row in order]
    sequences = spoken.local.sequences
    queries = build_queries(
        sequences, sequences.starts[1:][places] - 1,
        num_items=len(spoken.local.catalogue), exclude_seen=False,
    )
    scorer = ModelScorer(model, spoken.local, queries)
    np.testing.assert_allclose(
        asked.expected, scorer.embed(np.arange(len(places))), atol=1e-5
    )


def test_users_without_texts_ask_without_them() -> None:
    raw = {
        "item_id": [["a", "b"]], "event_type": [["", ""]],
        "timestamp": [[1, 2]], "scenario": [["", ""]], "profile": [[""]],
    }
    assert "history_texts" not in user_inputs(raw)
    assert user_inputs({**raw, "text": [["x", "y"]]})["history_texts"] == [
        ["x"]
    ]
