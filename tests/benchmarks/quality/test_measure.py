"""What a run saves of its test targets."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest

from benchmarks.quality import measure, slices
from trainer import behaviour
from trainer.job import Clock
from trainer.metrics import recall
from trainer.run import Run


@pytest.fixture(scope="module", autouse=True)
def own_clock(small_run: Run) -> Iterator[None]:
    """The run's own times stay as its metrics tell them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small_run, "clock", Clock())
        yield


@pytest.fixture(scope="module")
def user_ids(small_run: Run) -> list[str]:
    return [f"u{n}" for n in range(small_run.prepared.sequences.num_users)]


@pytest.fixture(scope="module")
def asked(small_run: Run, user_ids: list[str]) -> measure.Asked:
    return measure.ask(small_run, user_ids, {})


@pytest.fixture(scope="module")
def measured(
    small_run: Run, asked: measure.Asked
) -> tuple[dict, dict[str, np.ndarray]]:
    return measure.measure(
        small_run, asked, has_baselines=True, both_ways=False
    )


def test_the_figures_are_those_of_the_trainers_own_report(
    small_run: Run, measured
) -> None:
    report, _ = measured
    own = json.loads((small_run.job_dir / "metrics.json").read_text())
    for name, row in (("model", own["test"]), *own["baselines"].items()):
        for metric, value in report["rows"][name].items():
            assert value == pytest.approx(row[metric], abs=1e-12)
    assert report["validation"]["ndcg@10"] == pytest.approx(
        own["validation"]["ndcg@10"], abs=1e-12
    )


def test_text_neighbours_stand_beside_the_trainers_baselines(measured) -> None:
    report, _ = measured
    assert list(report["rows"]) == [
        "model", "random", "popularity", "markov", "text-knn-last",
        "text-knn-mean10",
    ]


def test_ranks_are_saved_for_every_row(measured) -> None:
    report, arrays = measured
    for name, row in report["rows"].items():
        hits = recall(arrays[f"ranks:{name}"], 10)
        assert hits.mean() == pytest.approx(row["recall@10"])


def test_targets_are_named_and_counted(
    small_run: Run, asked: measure.Asked, user_ids: list[str]
) -> None:
    """By a walk through all events."""
    sequences = small_run.prepared.sequences
    names = small_run.prepared.catalogue.item_ids
    item_events = {name: 0 for name in names}
    user_events = {name: 0 for name in user_ids}
    targets = []
    for user, name in enumerate(user_ids):
        for row in range(sequences.starts[user], sequences.starts[user + 1]):
            item = names[sequences.item[row]]
            if sequences.split[row] == behaviour.TRAIN:
                item_events[item] += 1
                user_events[name] += 1
            elif sequences.split[row] == behaviour.TEST:
                targets.append((name, item))
    found = asked.targets
    users, items = found["user_id"].tolist(), found["item_id"].tolist()
    assert list(zip(users, items, strict=True)) == targets
    assert found["item_train_events"].tolist() == [
        item_events[item] for _, item in targets
    ]
    assert found["user_train_events"].tolist() == [
        user_events[user] for user, _ in targets
    ]
    assert not found["made_cold"].any()


def test_targets_on_drawn_items_are_marked(
    small_run: Run, user_ids: list[str], asked: measure.Asked
) -> None:
    drawn = sorted(set(asked.targets["item_id"].tolist()))[:3]
    asked = measure.ask(small_run, user_ids, {"items": drawn})
    marked = asked.targets["made_cold"]
    expected = [item in drawn for item in asked.targets["item_id"].tolist()]
    assert marked.tolist() == expected
    assert 0 < sum(expected) < len(expected)


def test_slices_are_of_the_saved_ranks(measured) -> None:
    report, arrays = measured
    for row, by_name in report["slices"].items():
        for name, found in by_name.items():
            ranks = arrays[f"ranks:{row}"][slices.chosen(arrays, name)]
            assert found["queries"] == len(ranks)
            if len(ranks):
                assert found["recall@10"] == pytest.approx(np.mean(ranks <= 10))


def test_without_baselines_only_the_model_is_ranked(
    small_run: Run, asked: measure.Asked
) -> None:
    report, _ = measure.measure(
        small_run, asked, has_baselines=False, both_ways=True
    )
    assert list(report["rows"]) == ["model", "model, seen removed"]


def test_seen_items_are_removed_in_the_second_view(
    small_run: Run, asked: measure.Asked
) -> None:
    """Fewer rivals: a target that was not seen can only rise."""
    import dataclasses

    left_in = dataclasses.replace(
        asked,
        queries=dataclasses.replace(asked.queries, exclude_seen=False),
    )
    _, arrays = measure.measure(
        small_run, left_in, has_baselines=False, both_ways=True
    )
    removed = arrays["ranks:model, seen removed"]
    is_new = removed < np.iinfo(np.int64).max
    assert (removed <= arrays["ranks:model"])[is_new].all()
    assert (removed < arrays["ranks:model"])[is_new].any()
