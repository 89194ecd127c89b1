"""A bundle that reads what events say, against the model that was trained."""

from __future__ import annotations

import dataclasses
import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from serving import signatures, warmup
from serving.live import items
from serving.live.journal import Journal
from serving.manifest import Manifest
from serving.recommender import Recommender
from trainer import evaluation
from trainer.bundle_scorer import BundleScorer, ExactBundle, Requests
from trainer.config import (
    DataConfig,
    ExportConfig,
    ModelConfig,
    RunConfig,
    TrainingConfig,
)
from trainer.evaluation import Queries
from trainer.prepare import prepare
from trainer.restored import make_variables, restore
from trainer.run import Run
from trainer.sample.__main__ import main
from trainer.scoring import ModelScorer
from trainer.strategies import open_strategy
from trainer.tables import load_dataset
from trainer.text_config import TextConfig
from trainer.warm_start import EarlierRun

MAX_HISTORY = 8
# Of all kinds: words around a text, another column, an unknown type's title.
TEMPLATES = (
    "{search: '{brand}: {text}!', click: '{text}', cart: '{title}. {brand}',"
    " view: '{description}'}"
)
CONFIG = RunConfig(
    text=TextConfig(
        text_encoder="tiny", max_tokens=16, behaviour_text=TEMPLATES
    ),
    model=ModelConfig(embedding_dim=16, lstm_units=12),
    training=TrainingConfig(epochs=2),
    data=DataConfig(max_history=MAX_HISTORY),
    export=ExportConfig(scann_min_items=16),
)
Answer = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("spoken")
    main([str(folder / "data"), "--users", "120", "--items", "60",
          "--search-share", "0.5"])
    dataset = load_dataset(
        str(folder / "data"), CONFIG.data, rejects_dir=folder / "rejects",
        now=1_800_000_000, reads_text=True,
    )
    run = Run(prepare(dataset, CONFIG), CONFIG, folder / "job")
    run.execute()
    return run


def version_of(run: Run, name: str = "recommender") -> Path:
    return run.job_dir / "export" / name / "1"


@pytest.fixture(scope="module")
def bundle(run: Run) -> Recommender:
    return Recommender(version_of(run))


@pytest.fixture(scope="module")
def queries(run: Run) -> Queries:
    """Some whose history has each kind of template, and texts."""
    sequences = run.prepared.sequences
    lengths = np.diff(sequences.starts)
    starts = sequences.starts[:-1][lengths > 14][:9]
    targets = starts + np.arange(9) % 14
    return evaluation.build_queries(
        sequences, targets, num_items=60, exclude_seen=True
    )


@pytest.fixture(scope="module")
def request_of_all(run: Run, queries: Queries) -> Answer:
    return Requests(run.prepared, queries, MAX_HISTORY)(np.arange(9))


def test_a_request_gives_the_query_that_evaluation_uses(
    run: Run, bundle: Recommender, queries: Queries, request_of_all: Answer
) -> None:
    types = set(request_of_all["history_event_types"].ravel())
    assert {"search", "view", "click", "cart"} <= types
    assert len(set(request_of_all["history_texts"].ravel())) > 3
    wanted = ModelScorer(run.model, run.prepared, queries).embed(np.arange(9))
    asked = Requests(run.prepared, queries, MAX_HISTORY + 1)(np.arange(9))
    found = bundle.predict("embed_user", asked)["query"]
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_an_evaluated_bundle_scores_as_the_model(
    run: Run, queries: Queries
) -> None:
    scorer = BundleScorer(
        ExactBundle(version_of(run)), run.prepared, queries
    )
    wanted = ModelScorer(run.model, run.prepared, queries)(np.arange(9))
    np.testing.assert_allclose(scorer(np.arange(9)), wanted, atol=1e-5)


def one(request: Answer, row: int, **changes: list[str]) -> Answer:
    """One row of a request, with columns of its history in place."""
    found = {name: value[row : row + 1] for name, value in request.items()}
    given = {k: np.array([v], object) for k, v in changes.items()}
    return {**found, **given}


def user(run: Run, types: list[str], texts: list[str] | None) -> Answer:
    ids = run.prepared.catalogue.item_ids[: len(types)]
    said = {} if texts is None else {"history_texts": [texts]}
    columns = {
        "history_item_ids": [ids],
        "history_event_types": [types],
        "history_scenarios": [[""] * len(ids)],
        "scenario": [""],
        "profile_text": [""],
        **said,
    }
    return {
        **{k: np.array(v, object) for k, v in columns.items()},
        "history_timestamps": np.zeros([1, len(ids)], np.int64),
    }


def query(bundle: Recommender, request: Answer) -> np.ndarray:
    return bundle.predict("embed_user", request)["query"]


def test_a_text_is_read_where_the_template_names_it(
    run: Run, bundle: Recommender
) -> None:
    for types, is_read in (
        (["search", "view"], True), (["click", "view"], True),
        (["cart", "view"], False), (["gaze", "view"], False),
    ):
        texts = [["running shoes", ""], ["coffee", ""], [" coffee\n", ""]]
        shoes, coffee, spaced = (
            query(bundle, user(run, types, text)) for text in texts
        )
        assert (np.abs(shoes - coffee).max() > 1e-4) == is_read, types
        np.testing.assert_allclose(spaced, coffee, atol=1e-6)


def test_a_client_that_sends_no_texts_is_answered_as_if_all_were_empty(
    run: Run, bundle: Recommender
) -> None:
    types = ["search", "click", "view"]
    left_out = query(bundle, user(run, types, None))
    empty = query(bundle, user(run, types, ["", "", ""]))
    np.testing.assert_array_equal(left_out, empty)


def test_a_bundle_that_reads_no_texts_takes_and_ignores_them(
    small_run: Run,
) -> None:
    silent = Recommender(version_of(small_run))
    types = ["search", "view"]
    found, wanted = (
        query(silent, user(small_run, types, texts))
        for texts in (["shoes", ""], None)
    )
    np.testing.assert_array_equal(found, wanted)
    names = {"history_texts", "text"}
    for signature in Manifest.read(version_of(small_run)).signatures.values():
        assert not names & set(signature["inputs"])


def test_events_one_at_a_time_give_the_state_of_all_at_once(
    bundle: Recommender, request_of_all: Answer
) -> None:
    row = 8
    request = one(request_of_all, row)
    length = int((request["history_item_ids"] != "").sum())
    assert length == MAX_HISTORY
    assert any(request["history_texts"][0])
    whole = bundle.predict("embed_user", request)
    first = {
        k: v[:, :1] if k.startswith("history") else v
        for k, v in request.items()
    }
    state = bundle.predict("embed_user", first)["state"]
    for at in range(1, length):
        event = {
            name: request[f"history_{plural}"][:, at]
            for name, plural in (
                ("item_id", "item_ids"), ("event_type", "event_types"),
                ("timestamp", "timestamps"), ("scenario", "scenarios"),
                ("text", "texts"),
            )
        }
        state = bundle.predict("advance", {"state": state, **event})["state"]
    np.testing.assert_allclose(state, whole["state"], atol=1e-5)


def test_contributions_are_the_score_lost_without_each_event(
    run: Run, bundle: Recommender
) -> None:
    types, texts = ["search", "click", "view"], ["shoes", "a red one", "no"]
    request = user(run, types, texts)
    item, vector = run.prepared.catalogue.item_ids[20], None
    vector = run.model.catalogue_vectors().numpy()[20]

    def score(columns: list[int]) -> float:
        part = {
            k: v[:, columns] if k.startswith("history") else v
            for k, v in request.items()
        }
        return float(query(bundle, part)[0] @ vector)

    asked = {**request, "item_id": np.array([item], object)}
    answer = bundle.predict("explain", asked)
    wanted = [
        score([0, 1, 2]) - score([c for c in range(3) if c != out])
        for out in range(3)
    ]
    np.testing.assert_allclose(answer["contributions"][0], wanted, atol=1e-5)


def test_the_twin_recommends_by_the_same_texts(
    run: Run, bundle: Recommender
) -> None:
    twin = Recommender(version_of(run, "recommender_scann"))
    assert twin.manifest.kind == signatures.SCANN
    more = {
        "exclude_item_ids": np.empty([1, 0], object),
        "k": np.array([5], np.int32),
    }
    for texts in (["running shoes"], None):
        asked = {**user(run, ["search"], texts), **more}
        exact, found = (
            each.predict("recommend", asked)["scores"]
            for each in (bundle, twin)
        )
        np.testing.assert_allclose(found, exact, atol=1e-5)


def test_only_texts_of_the_request_are_encoded_when_it_is_asked(
    run: Run,
) -> None:
    """With an encoder that is broken, what was read at export still counts."""
    broken = Recommender(version_of(run))
    types = ["cart", "view", "click"]
    before = query(broken, user(run, types, None))
    of_encoder = len(run.encoder.served_variables)
    weights = broken.model.weights
    names = itertools.takewhile(
        lambda name: hasattr(weights, name), map(str, itertools.count())
    )
    for name in list(names)[-of_encoder:]:  # they come last
        weight = getattr(weights, name)
        with weight.session.graph.as_default():
            broke = weight.assigned(tf.fill(weight.shape, np.float32(np.nan)))
        weight.session.run(broke)
    after = query(broken, user(run, types, None))
    np.testing.assert_array_equal(after, before)
    said = query(broken, user(run, types, ["", "", "shoes"]))
    learnt = run.config.model.embedding_dim
    assert np.isnan(said[:, :learnt]).all()


def test_the_bundle_says_that_it_takes_texts_and_warms_up_with_some(
    run: Run,
) -> None:
    told = Manifest.read(version_of(run))
    assert told.signatures["recommend"]["inputs"]["history_texts"] == (
        "string[b,L]"
    )
    assert told.signatures["advance"]["inputs"]["text"] == "string[b]"
    assert told.config["text"]["behaviour_text"] == TEMPLATES
    replayed = warmup.read(version_of(run))
    assert any(
        (request.inputs.get("history_texts", np.array("")) != b"").any()
        for request in replayed
    )


def test_a_text_of_another_shape_is_refused(
    run: Run, bundle: Recommender
) -> None:
    asked = user(run, ["search", "view"], ["shoes"])
    with pytest.raises(ValueError, match="history_texts has shape"):
        query(bundle, asked)


def test_a_restored_model_reads_as_the_trained_one(
    run: Run, queries: Queries
) -> None:
    model, _ = restore(run.prepared, CONFIG, run.job_dir)
    found, wanted = (
        ModelScorer(each, run.prepared, queries).embed(np.arange(9))
        for each in (model, run.model)
    )
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_a_warm_start_keeps_what_was_learnt_of_behaviours(
    run: Run, queries: Queries, tmp_path: Path
) -> None:
    model, _ = Run(run.prepared, CONFIG, tmp_path, run.job_dir).build(
        open_strategy("none")
    )
    make_variables(model)
    fresh = model.user_tower.behaviour.get_weights()[0]
    EarlierRun.read(run.job_dir).load_into(model, run.prepared)
    kept = model.user_tower.behaviour.get_weights()[0]
    assert np.abs(kept - fresh).max() > 1e-3
    found, wanted = (
        each.item_tower.text_part.split(
            ModelScorer(each, run.prepared, queries).embed(np.arange(9))
        )[0]
        for each in (model, run.model)
    )
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_a_run_without_the_setting_has_no_such_weights(
    run: Run, small_run: Run
) -> None:
    assert run.model.user_tower.behaviour is not None
    assert small_run.model.user_tower.behaviour is None
    sizes = [r.model.user_tower.lstm.cell.kernel.shape[0] for r in
             (run, small_run)]
    assert sizes[0] - sizes[1] == 64
    silent = dataclasses.replace(CONFIG.text, behaviour_text="none")
    assert not silent.reads_behaviour


def test_an_item_that_was_added_later_says_what_its_event_says(
    run, tmp_path_factory
):
    """Nothing was read of it at export: only the event's own text counts."""
    base = tmp_path_factory.mktemp("live") / "recommender"
    shutil.copytree(version_of(run), base / "1")
    new = [{"item_id": "new", "title": "Red tent", "brand": "Hill"}]
    Journal(base).append(items.added(new, "the test"))
    live = Recommender(base / "1")
    texts = ["", "so light", "so light", "too heavy"]
    fields = signatures.SIGNATURES["embed_user"].inputs
    inputs = signatures.blank(fields, {"b": 4, "L": 1})
    inputs["history_item_ids"][:] = "new"
    inputs["history_texts"][:, 0] = texts
    queries = live.predict("embed_user", inputs)["query"]
    distances = np.abs(queries[1] - queries).max(axis=1)
    assert distances[2] < 1e-6 < distances[0]
    assert distances[3] > 1e-6
