"""What an earlier run learnt of a name is found under that name again."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from event_tables import make_dataset, make_events

from trainer.behaviour import TEST, target_rows, train_windows
from trainer.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from trainer.evaluation import build_queries
from trainer.model import TwoTower
from trainer.model_inputs import ModelInputs
from trainer.prepare import Prepared, prepare
from trainer.run import Run
from trainer.scoring import ModelScorer
from trainer.strategies import open_strategy
from trainer.tables import Items
from trainer.text_config import TextConfig
from trainer.training import Batches, Fit
from trainer.warm_start import EarlierRun, record

CONFIG = RunConfig(
    data=DataConfig(split="leave_one_out"),
    model=ModelConfig(
        embedding_dim=6, lstm_units=5, num_experts=3, dropout=0, id_dropout=0
    ),
    training=TrainingConfig(epochs=2, batch_size=8, learning_rate=0.05),
)
OLD, GROWN = "abcdef", "gfedcbah"  # names of items, and of their brands
SCENARIOS = ["home", "search page"]


def make_prepared(
    names: str, scenarios: Sequence[str], seed: int = 0
) -> Prepared:
    """30 users with 6 events each over the items but the last one."""
    draw = np.random.default_rng(seed)
    n = 30 * 6
    events = dataclasses.replace(
        make_events(
            user=np.repeat(range(30), 6),
            timestamp=np.tile(range(6), 30),
            item=draw.integers(0, len(names) - 1, n),
            event_type=draw.integers(0, 3, n),
            scenario=draw.integers(0, max(1, len(scenarios)), n),
            rating=draw.integers(1, 6, n),
        ),
        scenarios=list(scenarios) or [""],
    )
    columns = {
        "title": [f"title of {name}" for name in names],
        "brand": [name.upper() for name in names],
        "categories": [f"{'AB'[ord(name) % 2]} > {name}" for name in names],
    }
    dataset = make_dataset(events, Items(list(names), columns))
    return prepare(dataset, CONFIG)


def text_of(name: str) -> np.ndarray:
    """[3] a text vector that an item has in every run."""
    return np.random.default_rng(ord(name)).normal(size=3).astype(np.float32)


def make_model(prepared: Prepared, seed: int) -> TwoTower:
    catalogue = prepared.catalogue
    tf.keras.utils.set_random_seed(seed)
    inputs = ModelInputs(
        text=np.stack([text_of(name) for name in catalogue.item_ids]),
        category_codes=catalogue.category_codes,
        brand_codes=catalogue.brand_codes,
        counts=catalogue.counts,
        profiles=np.zeros((1, 3), np.float32),
        num_categories=len(catalogue.categories),
        num_brands=len(catalogue.brands),
        num_scenarios=len(prepared.scenarios) + 1,
        num_event_types=len(prepared.event_types) + 1,
        has_labels=True,
    )
    return TwoTower(CONFIG, inputs, encoder=None)


def make_fit(model: TwoTower, prepared: Prepared, job_dir: Path) -> Fit:
    windows = train_windows(prepared.sequences, max_history=10)
    return Fit(
        model, Batches(prepared, windows, CONFIG.training), CONFIG.training,
        strategy=open_strategy("none"), job_dir=job_dir,
    )


class Earlier:
    """A model that was trained, and its folder."""

    def __init__(
        self, job_dir: Path, names: str, scenarios: Sequence[str]
    ) -> None:
        job_dir.mkdir()
        self.job_dir = job_dir
        self.prepared = make_prepared(names, scenarios)
        self.model = make_model(self.prepared, seed=1)
        fit = make_fit(self.model, self.prepared, job_dir)
        record(job_dir, self.prepared, self.model, CONFIG)
        fit.run(iter([0.1, 0.2]).__next__)


def go_on(earlier: Earlier, prepared: Prepared, job_dir: Path) -> TwoTower:
    """A new model over new data, with what the earlier run had learnt."""
    model = make_model(prepared, seed=2)
    run = EarlierRun.read(earlier.job_dir)
    model.keep_id_trust(run.id_trust(prepared.catalogue.item_ids))
    make_fit(model, prepared, job_dir)
    run.load_into(model, prepared)
    return model


def vectors(model: TwoTower, prepared: Prepared) -> dict[str, np.ndarray]:
    """What is learnt of each item, by its name."""
    rows = model.item_vectors(tf.range(model.num_items)).numpy()
    return dict(zip(prepared.catalogue.item_ids, rows, strict=True))


def scores(model: TwoTower, prepared: Prepared) -> np.ndarray:
    """[queries, items] scores of the test split."""
    queries = build_queries(
        prepared.sequences, target_rows(prepared.sequences, TEST),
        num_items=len(prepared.catalogue), exclude_seen=False,
    )
    scorer = ModelScorer(model, prepared, queries)
    return np.array(scorer(np.arange(len(queries))))


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Earlier:
    folder = tmp_path_factory.mktemp("earlier") / "job"
    return Earlier(folder, OLD, SCENARIOS)


@pytest.fixture(scope="module")
def grown(
    earlier: Earlier, tmp_path_factory: pytest.TempPathFactory
) -> tuple[TwoTower, Prepared]:
    """Two new items, everything in another order, one scenario more."""
    prepared = make_prepared(GROWN, ["new", *SCENARIOS[::-1]], seed=9)
    folder = tmp_path_factory.mktemp("grown")
    return go_on(earlier, prepared, folder), prepared


def test_the_same_vocabularies_give_the_same_scores(earlier, tmp_path):
    model = go_on(earlier, earlier.prepared, tmp_path)
    np.testing.assert_array_equal(
        scores(model, earlier.prepared),
        scores(earlier.model, earlier.prepared),
    )
    # The last item has no event: its residual was never learnt, nor read.
    residual = earlier.model.item_tower.id_residual.embeddings
    variables = zip(
        earlier.model.trainable_variables,
        model.trainable_variables,
        strict=True,
    )
    for old, new in variables:
        rows = slice(-1) if old is residual else slice(None)
        np.testing.assert_array_equal(
            new.numpy()[rows], old.numpy()[rows], err_msg=old.name
        )


def test_the_optimizer_starts_afresh(earlier, tmp_path):
    model = go_on(earlier, earlier.prepared, tmp_path)
    assert int(earlier.model.optimizer.iterations) > 0
    assert int(model.optimizer.iterations) == 0


def test_an_old_item_has_the_vector_it_had(earlier, grown):
    model, prepared = grown
    assert prepared.catalogue.item_ids != earlier.prepared.catalogue.item_ids
    before = vectors(earlier.model, earlier.prepared)
    after = vectors(model, prepared)
    for name in OLD:
        np.testing.assert_allclose(after[name], before[name], atol=1e-6)


def test_a_new_item_is_its_text_and_what_its_brand_starts_with(grown):
    model, prepared = grown
    tower, catalogue = model.item_tower, prepared.catalogue
    code = catalogue.item_ids.index("g")
    assert catalogue.counts[code] > 0
    content = tower.content(
        text_of("g")[None],
        catalogue.category_codes[code][None],
        catalogue.brand_codes[code][None],
    ).numpy()[0]
    found = vectors(model, prepared)["g"]
    expected = content / np.linalg.norm(content)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_scenarios_and_event_types_keep_what_was_learnt_of_them(
    earlier, grown
):
    model, prepared = grown
    old, new = earlier.model.user_tower, model.user_tower
    pairs = [
        (old.scenario, new.scenario, "scenarios"),
        (old.gate, new.gate, "scenarios"),
        (old.event_type, new.event_type, "event_types"),
        (
            earlier.model.ranking_head.scenario, model.ranking_head.scenario,
            "scenarios",
        ),
    ]
    for before, after, vocabulary in pairs:
        was, now = (
            getattr(each, vocabulary) for each in (earlier.prepared, prepared)
        )
        rows_before, rows_after = (
            table.embeddings.numpy() for table in (before, after)
        )
        np.testing.assert_array_equal(rows_after[0], rows_before[0])
        for name in was:
            np.testing.assert_array_equal(
                rows_after[1 + now.index(name)],
                rows_before[1 + was.index(name)],
            )


def test_an_item_whose_events_have_aged_out_keeps_its_vector(
    earlier, tmp_path
):
    # The last name of a data set has no event; here that is an old one.
    prepared = make_prepared("bcdefa", SCENARIOS)
    code = prepared.catalogue.item_ids.index("a")
    assert prepared.catalogue.counts[code] == 0
    model = go_on(earlier, prepared, tmp_path)
    np.testing.assert_allclose(
        vectors(model, prepared)["a"],
        vectors(earlier.model, earlier.prepared)["a"],
        atol=1e-6,
    )


def test_first_scenarios_start_from_the_only_expert_there_was(tmp_path):
    before = Earlier(tmp_path / "one", OLD, [])
    prepared = make_prepared(OLD, SCENARIOS)
    model = go_on(before, prepared, tmp_path / "many")
    old, new = before.model.user_tower, model.user_tower
    assert (old.num_experts, new.num_experts) == (1, 3)
    hidden, last = tf.ones([1, 5]), tf.zeros([1, 3, 6])
    expected = old.head(hidden, last, tf.constant([0]))
    for scenario in range(3):
        np.testing.assert_allclose(
            new.head(hidden, last, tf.constant([scenario])), expected,
            atol=1e-6,
        )


def test_where_no_scenario_is_left_the_unknown_one_answers(earlier, tmp_path):
    model = go_on(earlier, make_prepared(OLD, []), tmp_path)
    hidden, last = tf.ones([1, 5]), tf.zeros([1, 3, 6])
    nobody = tf.constant([0])
    np.testing.assert_allclose(
        model.user_tower.head(hidden, last, nobody),
        earlier.model.user_tower.head(hidden, last, nobody),
        atol=1e-6,
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"model": ModelConfig(embedding_dim=8, lstm_units=5,
                                  num_experts=3)},
            r"embedding_dim is 8, .* has 6; give --embedding-dim 6, or",
        ),
        (
            {"model": ModelConfig(embedding_dim=6, lstm_units=50,
                                  num_experts=3)},
            r"lstm_units is 50, .* has 5; give --lstm-units 5, or",
        ),
        (
            {"text": TextConfig(text_encoder="tiny")},
            "text_encoder is 'tiny', .* has 'minilm'; give "
            "--text-encoder minilm",
        ),
        (
            {"text": TextConfig(behaviour_text="shop")},
            "behaviour_text is 'shop', .* has 'none'; give "
            "--behaviour-text none",
        ),
    ],
    ids=["embedding_dim", "lstm_units", "text_encoder", "behaviour_text"],
)
def test_weights_of_another_size_are_refused(earlier, change, message):
    config = dataclasses.replace(CONFIG, **change)
    with pytest.raises(ValueError, match=message):
        EarlierRun.read(earlier.job_dir).check(config)


def test_an_encoder_is_tuned_on_as_it_was_tuned_unless_it_was_frozen(earlier):
    frozen = EarlierRun.read(earlier.job_dir)
    lora, adapter = (
        dataclasses.replace(CONFIG, text=TextConfig(tune=tune, tune_size=4))
        for tune in ("lora", "adapter")
    )
    frozen.check(lora)
    settings = {**frozen.settings, "tune": "lora", "tune_size": 4}
    tuned = dataclasses.replace(frozen, settings=settings)
    tuned.check(lora)
    with pytest.raises(
        ValueError, match="tune is 'adapter', .* give --tune lora, or train"
    ):
        tuned.check(adapter)
    with pytest.raises(ValueError, match="tune is 'frozen', .* --tune lora"):
        tuned.check(CONFIG)


def test_a_run_of_a_release_before_behaviour_text_read_none(earlier, tmp_path):
    file = "vocabularies.json"
    told = json.loads((earlier.job_dir / file).read_text())
    del told["settings"]["behaviour_text"]
    (tmp_path / file).write_text(json.dumps(told))
    before = EarlierRun.read(tmp_path)
    before.check(CONFIG)
    text = dataclasses.replace(CONFIG.text, behaviour_text="shop")
    with pytest.raises(ValueError, match="behaviour_text is 'shop'"):
        before.check(dataclasses.replace(CONFIG, text=text))


def test_a_run_of_a_release_before_id_shrinkage_trusted_every_id(
    earlier, tmp_path
):
    file = "vocabularies.json"
    told = json.loads((earlier.job_dir / file).read_text())
    assert {"c", "d"} <= set(told["items"])
    del told["id_trust"]
    told["items_without_residual"] = ["d"]
    told["settings"]["train_encoder"] = False
    (tmp_path / file).write_text(json.dumps(told))
    before = EarlierRun.read(tmp_path)
    before.check(CONFIG)
    assert before.id_trust(["d", "c", "new"]).tolist() == [0.0, 1.0, 0.0]
    told["settings"]["train_encoder"] = True
    (tmp_path / file).write_text(json.dumps(told))
    with pytest.raises(ValueError, match="earlier release has trained"):
        EarlierRun.read(tmp_path)


def test_other_training_settings_are_no_hindrance(earlier):
    training = TrainingConfig(epochs=1, warm_start=str(earlier.job_dir))
    config = dataclasses.replace(CONFIG, training=training)
    EarlierRun.read(earlier.job_dir).check(config)


def test_a_folder_without_a_run_or_without_an_epoch_is_named(
    earlier, tmp_path
):
    with pytest.raises(ValueError, match="holds no vocabularies.json"):
        EarlierRun.read(tmp_path)
    record(tmp_path, earlier.prepared, earlier.model, CONFIG)
    unfinished = EarlierRun.read(tmp_path)
    with pytest.raises(ValueError, match="let that run finish an epoch"):
        unfinished.load_into(earlier.model, earlier.prepared)


def test_a_run_goes_on_from_a_run_and_then_from_itself(
    small_run, tmp_path, capsys
):
    training = dataclasses.replace(
        small_run.config.training, epochs=1, warm_start=str(small_run.job_dir)
    )
    config = dataclasses.replace(small_run.config, training=training)
    run = Run(small_run.prepared, config, tmp_path)
    run.fit()
    assert (tmp_path / "text_encoder").is_dir()
    assert f"starting from the weights of {small_run.job_dir}" in (
        capsys.readouterr().out
    )
    kept = json.loads((tmp_path / "vocabularies.json").read_text())
    assert kept["items"] == small_run.prepared.catalogue.item_ids
    Run(small_run.prepared, config, tmp_path).fit()
    assert "resuming after epoch 1" in capsys.readouterr().out
