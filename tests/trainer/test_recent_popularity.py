"""Recent popularity from training to service, on news that live for hours."""

from __future__ import annotations

import dataclasses
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from serving import model_config
from serving.asking import User
from serving.gate import Gate
from serving.grpc_server import GrpcOptions, GrpcServer
from serving.live import items
from serving.live.compaction import compact
from serving.live.journal import Journal
from serving.models import Models
from serving.recommender import Recommender, UnknownSignatureError
from serving.remote import Client
from serving.service import Service
from serving.signatures import OBSERVE, SIGNATURES, blank
from trainer import behaviour
from trainer.baselines import recent_scorers
from trainer.bundle_scorer import BundleScorer, ExactBundle
from trainer.calibration import calibrate
from trainer.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from trainer.evaluation import Queries, rank_targets
from trainer.prepare import prepare
from trainer.restored import restore
from trainer.run import Run
from trainer.scoring import ModelScorer
from trainer.tables import load_dataset
from trainer.text_config import TextConfig

HOUR, START = 3600, 1_700_000_000
ITEMS, USERS, EVENTS = 130, 60, 1_500
NOW = START + ITEMS * HOUR


def write_news(folder: Path) -> None:
    """Each hour brings an item, and half of all events are of the last two.

    A user reads at random moments, so no history tells what is new.
    """
    rng = np.random.default_rng(3)
    folder.mkdir()
    lines = ["item_id,title"]
    lines += [f"n{item:03},news number {item}" for item in range(ITEMS)]
    (folder / "items.csv").write_text("\n".join(lines) + "\n")
    lines = ["user_id,item_id,timestamp"]
    for time in np.sort(rng.integers(START + 2 * HOUR, NOW, EVENTS)).tolist():
        newest = (time - START) // HOUR
        is_new = rng.random() < 0.5
        item = newest - rng.integers(0, 2) if is_new else rng.integers(newest)
        lines.append(f"u{rng.integers(USERS)},n{item:03},{time}")
    (folder / "events.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def news(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("news")
    write_news(folder / "data")
    config = RunConfig(
        text=TextConfig(text_encoder="tiny", max_tokens=16),
        model=ModelConfig(
            embedding_dim=16, lstm_units=12, recent_popularity="1,5,50",
            new_item_scale=1.0,  # what else would put new items first
        ),
        training=TrainingConfig(epochs=2),
        data=DataConfig(max_history=8, split="time", validation_share=0.2),
    )
    dataset = load_dataset(
        str(folder / "data"), config.data,
        rejects_dir=folder / "rejects", now=NOW,
    )
    run = Run(prepare(dataset, config), config, folder / "job")
    run.execute()
    return run


@pytest.fixture(scope="module")
def queries(news: Run) -> Queries:
    return news.queries(behaviour.TEST)


def recall(queries: Queries, scorer) -> float:
    return rank_targets(queries, scorer, "").summary()["recall@10"]


def test_what_is_new_is_found_by_what_is_read(
    news: Run, queries: Queries
) -> None:
    counts = news.prepared.catalogue.counts
    assert (counts[queries.items] == 0).mean() > 0.4
    scorer = ModelScorer(news.model, news.prepared, queries)
    timely, alone = recall(queries, scorer), recall(queries, scorer.products)
    assert timely > 0.3
    assert timely > 1.7 * alone
    baselines = recent_scorers(queries, news.model.events)
    assert list(baselines) == [
        f"popularity at {hours} h" for hours in (1, 5, 50)
    ]
    best = max(recall(queries, each) for each in baselines.values())
    assert timely > best - 0.05


def test_a_second_calibration_finds_the_same(news: Run) -> None:
    """A killed run calibrates again, and must not move on from there."""
    popularity = news.model.popularity
    found = [variable.numpy() for variable in popularity.fitted]
    held_out = news.queries(behaviour.VALIDATION)
    scorer = ModelScorer(news.model, news.prepared, held_out)
    quality = recall(held_out, scorer)
    try:
        popularity.exponent.assign(0.5)
        popularity.log_weights.assign([1.0, 1.0, 1.0])
        calibrate(news.model, news.prepared, held_out)
        assert recall(held_out, scorer) == pytest.approx(quality, abs=0.06)
        for variable, before in zip(popularity.fitted, found, strict=True):
            np.testing.assert_allclose(variable, before, atol=0.05)
    finally:
        for variable, value in zip(popularity.fitted, found, strict=True):
            variable.assign(value)


def test_events_to_weigh_are_asked_for(news: Run, queries: Queries) -> None:
    nothing = dataclasses.replace(
        queries, targets=queries.targets[:0], user=queries.user[:0]
    )
    with pytest.raises(ValueError, match="hold some out"):
        calibrate(news.model, news.prepared, nothing)


def test_a_restored_model_scores_as_before(news: Run, queries: Queries) -> None:
    model, _ = restore(news.prepared, news.config, news.job_dir)
    numbers = np.arange(20)
    before = ModelScorer(news.model, news.prepared, queries)(numbers)
    after = ModelScorer(model, news.prepared, queries)(numbers)
    np.testing.assert_allclose(after, before, atol=1e-5)


def test_the_bundle_scores_as_the_model(news: Run, queries: Queries) -> None:
    bundle = ExactBundle(news.job_dir / "export" / "recommender" / "1")
    numbers = np.arange(0, len(queries), 5)
    served = BundleScorer(bundle, news.prepared, queries)
    model = ModelScorer(news.model, news.prepared, queries)
    np.testing.assert_allclose(served(numbers), model(numbers), atol=1e-4)


@pytest.fixture
def served(news: Run, tmp_path: Path) -> Path:
    shutil.copytree(news.job_dir / "export", tmp_path / "export")
    return tmp_path / "export" / "recommender"


def load(version: Path) -> Recommender:
    return Recommender(version, warm_up=False)


def top(recommender: Recommender, k: int = 5) -> list[str]:
    """Of nobody."""
    sizes = {"b": 1, "L": 0, "X": 0, "A": 0}
    inputs = blank(SIGNATURES["recommend"].inputs, sizes)
    inputs["k"][:] = k
    found = recommender.predict("recommend", inputs)["item_ids"][0]
    return [each.decode() for each in found]


def tell(recommender: Recommender, item: str, times: list[int]) -> list[int]:
    return recommender.predict(
        OBSERVE,
        {
            "item_id": np.array([item.encode()] * len(times), object),
            "timestamp": np.array(times, np.int64),
        },
    )["is_counted"].tolist()


def test_a_server_starts_from_what_the_log_ends_with(
    news: Run, served: Path
) -> None:
    newest = {f"n{item:03}" for item in range(ITEMS - 3, ITEMS)}
    for name in ("recommender", "recommender_scann"):
        assert len(newest & set(top(load(served.parent / name / "1"))))


@pytest.mark.parametrize("name", ["recommender", "recommender_scann"])
def test_what_people_read_now_comes_up_at_once_and_fades(
    served: Path, name: str
) -> None:
    recommender = load(served.parent / name / "1")
    first = top(recommender)
    old = next(f"n{item:03}" for item in range(9) if f"n{item:03}" not in first)
    assert tell(recommender, old, [NOW + 60] * 200) == [1] * 200
    assert top(recommender)[0] == old
    assert tell(recommender, "unknown", [NOW + 61]) == [0]
    later = [NOW + 60 + 90 * HOUR] * 200
    assert all(tell(recommender, "n020", later))
    assert top(recommender)[0] == "n020"


def test_an_added_item_is_found_by_its_first_readers(served: Path) -> None:
    recommender = load(served / "1")
    record = {"item_id": "added", "title": "wholly new"}
    Journal(served).append(items.added([record], "the test"))
    assert "added" not in top(recommender)
    tell(recommender, "added", [NOW + 60] * 150)
    assert top(recommender)[0] == "added"
    compacted = load(compact(served).version)
    tell(compacted, "added", [NOW + 60] * 150)
    assert top(compacted)[0] == "added"


def test_clients_that_tell_at_once_are_all_counted(served: Path) -> None:
    models = Models(
        [model_config.ModelConfig("recommender", served)]
    )
    server = GrpcServer(
        Service(models, Gate(8, 100)), "127.0.0.1:0", GrpcOptions(threads=8)
    )
    server.start()
    counts = models.hosts[0].find(None).model.stock.live_counts.counts
    before = counts.numpy()

    def tell_twenty(item: int) -> list[bool]:
        with Client(f"127.0.0.1:{server.port}") as client:
            told = [f"n{item:03}", "unknown"]
            found = [client.observe(told, [NOW, NOW]) for _ in range(20)]
            client.recommend(User(), k=3)
        return sum(found, [])

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(tell_twenty, range(6)))
    server.stop(0)
    assert answers == [[True, False] * 20] * 6
    # NOW is the last moment of the log: nothing has faded since.
    ids = models.hosts[0].find(None).model.item_ids.numpy().tolist()
    rows = [ids.index(f"n{item:03}".encode()) for item in range(6)]
    added = (counts.numpy() - before)[rows]
    np.testing.assert_allclose(added, 20, rtol=0.05)


def test_a_model_without_it_says_so(small_run: Run) -> None:
    version = small_run.job_dir / "export" / "recommender" / "1"
    with pytest.raises(UnknownSignatureError, match="The model has"):
        tell(load(version), "i0001", [NOW])
