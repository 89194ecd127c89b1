"""A trained model whose catalogue changes after the training."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from serving.live import items
from serving.live.compaction import compact
from serving.live.journal import Journal
from serving.recommender import Recommender
from serving.signatures import SIGNATURES, blank
from trainer.run import Run

NEW = [
    {"item_id": "new 1", "title": "Red tent", "categories": "Camping > Tents",
     "brand": "Hill", "description": "for two"},
    {"item_id": "new 2", "keywords": "quiet stove", "available_from": "50"},
]


@pytest.fixture(scope="module")
def base(small_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("live") / "export"
    shutil.copytree(small_run.job_dir / "export", folder)
    return folder / "recommender"


@pytest.fixture(scope="module")
def gone(small_run: Run) -> list[str]:
    return small_run.prepared.catalogue.item_ids[3:5]


@pytest.fixture(scope="module")
def vectors(merged, small_run) -> dict[str, np.ndarray]:
    """What a full rebuild scores: trained vectors, and those of the words."""
    known = dict(
        zip(
            small_run.prepared.catalogue.item_ids,
            small_run.model.catalogue_vectors().numpy(),
            strict=True,
        )
    )
    for item in NEW:
        columns = blank(SIGNATURES["embed_item"].inputs, {"b": 1})
        for name in columns:
            columns[name][0] = item.get(name, "")
        made = merged["exact"].predict("embed_item", columns)["vector"]
        known[item["item_id"]] = made[0]
    return known


@pytest.fixture(scope="module")
def merged(base, gone) -> dict[str, Recommender]:
    """Bundle and journal; and a twin that was written anew with both."""
    pytest.importorskip("scann")
    twins = base.with_name("recommender_scann")
    Journal(base).append(items.added(NEW, "the test"))
    Journal(base).append(items.removed(gone))
    loaded = {
        "exact": Recommender(base / "1"), "twin": Recommender(twins / "1")
    }
    done = compact(base, twins)
    return {**loaded, "compacted": Recommender(done.twin)}


def ask(recommender: Recommender, signature: str, **given: object):
    arrays = {
        name: np.array(value, object if isinstance(value[0], list) else None)
        for name, value in given.items()
    }
    fields = SIGNATURES[signature].inputs
    length = arrays["history_item_ids"].shape[1]
    inputs = blank(fields, {"b": 2, "L": length, "X": 0, "A": 0, "C": 0})
    return recommender.predict(signature, {**inputs, **arrays})


def history(small_run: Run) -> list[list[str]]:
    ids = small_run.prepared.catalogue.item_ids
    return [[ids[9], "new 1", ids[4]], ["new 2", "", ""]]


@pytest.mark.parametrize("kind", ["exact", "twin", "compacted"])
def test_lists_are_those_of_all_vectors(
    merged, vectors, gone, small_run, kind
):
    model, events = merged[kind], history(small_run)
    queries = ask(model, "embed_user", history_item_ids=events)["query"]
    found = ask(
        model, "recommend", history_item_ids=events,
        k=np.array([200, 7], np.int32),
    )
    for row, k in enumerate((200, 7)):
        scores = {
            item: float(vectors[item] @ queries[row])
            for item in vectors
            if item not in gone and item not in events[row]
        }
        best = sorted(scores, key=lambda item: -scores[item])[:k]
        answered = [i.decode() for i in found["item_ids"][row] if i]
        assert len(answered) == len(best)
        np.testing.assert_allclose(
            [scores[item] for item in answered],
            [scores[item] for item in best],
            atol=1e-5,
        )
    titles = {i.decode(): t.decode() for i, t in zip(
        found["item_ids"].flat, found["titles"].flat, strict=True)}
    assert titles["new 2"] == "quiet stove"


@pytest.mark.parametrize("signature", ["similar_items", "rank", "explain"])
def test_the_merge_is_the_full_rebuild(merged, small_run, gone, signature):
    events = history(small_run)
    ids = small_run.prepared.catalogue.item_ids
    if signature == "similar_items":
        inputs = {
            "item_ids": np.array(["new 1", gone[0], "new 2"], object),
            "k": np.array([5, 200, 9], np.int32),
        }
        answers = {n: m.predict(signature, inputs) for n, m in merged.items()}
    elif signature == "rank":
        asked = [["new 1", gone[0], ids[0], "new 2"]] * 2
        answers = {
            name: ask(model, signature, history_item_ids=events,
                      candidate_item_ids=asked)
            for name, model in merged.items()
        }
        is_item = np.isfinite(answers["exact"]["scores"])
        assert is_item.tolist() == [[True, False, True, True]] * 2
    else:
        asked = np.array(["new 1", ids[0]], object)
        answers = {
            name: ask(model, signature, history_item_ids=events, item_id=asked)
            for name, model in merged.items()
        }
    for name, answer in answers.items():
        for key, wanted in answers["exact"].items():
            if wanted.dtype == object:
                assert answer[key].tolist() == wanted.tolist(), (name, key)
            else:
                np.testing.assert_allclose(answer[key], wanted, atol=1e-5)


def test_an_added_item_is_read_in_a_history(merged):
    query = ask(
        merged["exact"], "embed_user", history_item_ids=[["new 1"], ["none"]]
    )["query"]
    assert np.abs(query[0] - query[1]).max() > 1e-3
