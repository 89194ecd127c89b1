"""The exported signatures against the model that was trained."""

from __future__ import annotations

import csv
import re

import numpy as np
import pytest
import tensorflow as tf

from serving.checks import RequestError
from serving.recommender import Recommender
from serving.signatures import SIGNATURES, blank
from trainer import behaviour, evaluation
from trainer.run import Run
from trainer.scoring import ModelScorer

Answer = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def bundle(small_run: Run) -> Recommender:
    return Recommender(small_run.job_dir / "export" / "recommender" / "1")


@pytest.fixture(scope="module")
def twin(small_run: Run) -> Recommender:
    pytest.importorskip("scann")
    folder = small_run.job_dir / "export" / "recommender_scann" / "1"
    return Recommender(folder)


def ask(bundle: Recommender, signature: str, **given: object) -> Answer:
    """Fills in what is not given with blanks, as a client does."""
    arrays = {name: np.asarray(value) for name, value in given.items()}
    arrays = {
        k: v.astype(object) if v.dtype.kind in "US" else v
        for k, v in arrays.items()
    }
    rows = len(next(iter(arrays.values())))
    length = 0
    if "history_item_ids" in arrays:
        length = arrays["history_item_ids"].shape[1]
    fields = SIGNATURES[signature].inputs
    inputs = blank(fields, {"b": rows, "L": length, "X": 0, "C": 0, "s": 0})
    return bundle.predict(signature, {**inputs, **arrays})


def decoded(ids: np.ndarray) -> list[list[str]]:
    return [[i.decode() for i in row] for row in ids]


def history_of(run: Run, user: int, count: int) -> Answer:
    """The first events of a user, as a request's columns."""
    prepared = run.prepared
    start = prepared.sequences.starts[user]
    rows = np.arange(start, start + count)
    sequences, ids = prepared.sequences, prepared.catalogue.item_ids
    # Times that give the gaps back: the middle of each bucket.
    gap = sequences.gap[rows]
    bounds = np.concatenate([[0, 0], behaviour.GAP_BOUNDS])
    times = 1_700_000_000 + np.cumsum(np.where(gap > 0, bounds[gap], 0))
    names = ["", *prepared.scenarios]
    types = ["", *prepared.event_types]
    asked = names[sequences.scenario[start + count]]
    return {
        "history_item_ids": np.array(
            [[ids[i] for i in sequences.item[rows]]], object
        ),
        "history_event_types": np.array(
            [[types[i] for i in sequences.event_type[rows]]], object
        ),
        "history_timestamps": times[None].astype(np.int64),
        "history_scenarios": np.array(
            [[names[i] for i in sequences.scenario[rows]]], object
        ),
        "scenario": np.array([asked], object),
        "profile_text": np.array(
            [prepared.profile_texts[prepared.profile_of[user]]], object
        ),
    }


def long_users(run: Run) -> np.ndarray:
    return np.flatnonzero(np.diff(run.prepared.sequences.starts) > 12)


@pytest.mark.parametrize("count", [0, 1, 5, 8])
def test_a_request_gives_the_query_that_evaluation_uses(
    small_run, bundle, count
):
    user = int(long_users(small_run)[0])
    sequences = small_run.prepared.sequences
    target = np.array([sequences.starts[user] + count])
    queries = evaluation.build_queries(
        sequences, target, num_items=130, exclude_seen=True
    )
    scorer = ModelScorer(small_run.model, small_run.prepared, queries)
    expected = scorer.embed(np.array([0]))
    answer = ask(bundle, "embed_user", **history_of(small_run, user, count))
    np.testing.assert_allclose(answer["query"], expected, atol=1e-5)


def test_recommend_ranks_the_catalogue_by_query_and_leaves_out_the_seen(
    small_run, bundle
):
    request = history_of(small_run, int(long_users(small_run)[1]), 6)
    answer = ask(bundle, "recommend", **request, k=np.array([130], np.int32))
    query = ask(bundle, "embed_user", **request)["query"][0]
    vectors = small_run.model.catalogue_vectors().numpy()
    seen = set(request["history_item_ids"][0])
    scores = {
        item: float(vector @ query)
        for item, vector in zip(
            small_run.prepared.catalogue.item_ids, vectors, strict=True
        )
        if item not in seen
    }
    expected = sorted(scores, key=scores.get, reverse=True)
    found = [i for i in decoded(answer["item_ids"])[0] if i]
    assert sorted(found) == sorted(expected)
    np.testing.assert_allclose(
        answer["scores"][0, : len(found)],
        [scores[item] for item in expected],
        atol=1e-5,
    )


def test_titles_belong_to_the_items_of_the_answer(small_run, bundle):
    answer = ask(bundle, "recommend", k=np.array([7], np.int32))
    catalogue = small_run.prepared.catalogue
    title = dict(zip(catalogue.item_ids, catalogue.titles, strict=True))
    for item, shown in zip(
        decoded(answer["item_ids"])[0], decoded(answer["titles"])[0],
        strict=True,
    ):
        assert shown == title[item] != ""


def test_events_one_at_a_time_give_the_state_of_all_at_once(
    small_run, bundle
):
    request = history_of(small_run, int(long_users(small_run)[2]), 7)
    whole = ask(bundle, "embed_user", **request)
    first = {
        k: v[:, :1] if k.startswith("history") else v
        for k, v in request.items()
    }
    state = ask(bundle, "embed_user", **first)["state"]
    for at in range(1, 7):
        step = ask(
            bundle,
            "advance",
            state=state,
            item_id=request["history_item_ids"][:, at],
            event_type=request["history_event_types"][:, at],
            timestamp=request["history_timestamps"][:, at],
            scenario=request["history_scenarios"][:, at],
        )
        state = step["state"]
    np.testing.assert_allclose(state, whole["state"], atol=1e-5)


def test_an_unknown_item_changes_neither_state_nor_query(small_run, bundle):
    request = history_of(small_run, int(long_users(small_run)[0]), 4)
    plain = ask(bundle, "embed_user", **request)
    padded = {
        k: np.concatenate(
            [v[:, :2], np.array([["no such item"]], object)
             if k == "history_item_ids" else v[:, :1], v[:, 2:]],
            axis=1,
        )
        if k.startswith("history") else v
        for k, v in request.items()
    }
    answer = ask(bundle, "embed_user", **padded)
    np.testing.assert_allclose(answer["query"], plain["query"], atol=1e-6)


def test_a_very_long_history_counts_by_its_latest_events(small_run, bundle):
    ids = small_run.prepared.catalogue.item_ids
    history = np.array([[ids[i % 130] for i in range(10_000)]], object)
    long = ask(bundle, "embed_user", history_item_ids=history)
    short = ask(bundle, "embed_user", history_item_ids=history[:, -8:])
    np.testing.assert_allclose(long["query"], short["query"], atol=1e-6)


def test_a_catalogue_item_without_events_embeds_as_its_raw_columns(
    small_run, bundle
):
    prepared, folder = small_run.prepared, small_run.job_dir.parent / "data"
    code = int(np.flatnonzero(prepared.catalogue.counts == 0)[0])
    wanted = prepared.catalogue.item_ids[code]
    with (folder / "items.csv").open(newline="") as file:
        row = next(r for r in csv.DictReader(file) if r["item_id"] == wanted)
    fields = ("title", "description", "keywords", "brand", "categories")
    answer = ask(bundle, "embed_item", **{f: [row[f]] for f in fields})
    expected = small_run.model.catalogue_vectors().numpy()[code]
    np.testing.assert_allclose(answer["vector"][0], expected, atol=1e-4)


def test_similar_items_are_nearest_by_cosine_without_itself(
    small_run, bundle
):
    vectors = small_run.model.catalogue_vectors().numpy()
    ids = small_run.prepared.catalogue.item_ids
    answer = ask(
        bundle, "similar_items", item_ids=[ids[3]], k=np.array([4], np.int32)
    )
    scores = vectors @ vectors[3]
    scores[3] = -np.inf
    expected = [ids[i] for i in np.argsort(-scores)[:4]]
    assert decoded(answer["item_ids"])[0] == expected


def test_an_unknown_item_has_no_similar_items(bundle):
    answer = ask(
        bundle, "similar_items", item_ids=["nothing"], k=np.array([3], np.int32)
    )
    assert decoded(answer["item_ids"]) == [["", "", ""]]


def test_rank_gives_the_ranking_heads_prediction_in_its_own_unit(
    small_run, bundle
):
    request = history_of(small_run, int(long_users(small_run)[0]), 5)
    ids = small_run.prepared.catalogue.item_ids
    answer = ask(
        bundle, "rank", **request,
        candidate_item_ids=np.array([[ids[4], "unknown", ids[9]]], object),
    )
    query = ask(bundle, "embed_user", **request)["query"]
    vectors = tf.gather(small_run.model.catalogue_vectors(), [4, 9])
    scenarios = ["", *small_run.prepared.scenarios]
    asked = scenarios.index(str(request["scenario"][0]))
    assert asked > 0
    scaled = small_run.model.predicted(
        tf.repeat(query, 2, 0), vectors, tf.constant([asked] * 2)
    )
    scale = small_run.prepared.label_scale
    assert (scale.kind, scale.low, scale.high) == ("rating", 1.0, 5.0)
    expected = 1.0 + 4.0 * scaled.numpy()
    np.testing.assert_allclose(answer["scores"][0, [0, 2]], expected, atol=1e-4)
    assert answer["scores"][0, 1] == -np.inf


def test_contributions_are_the_score_lost_without_each_event(
    small_run, bundle
):
    request = history_of(small_run, int(long_users(small_run)[3]), 5)
    request["scenario"][:] = request["history_scenarios"][0, 0]
    request["history_scenarios"][:] = request["history_scenarios"][0, 0]
    item = small_run.prepared.catalogue.item_ids[20]
    vector = small_run.model.catalogue_vectors().numpy()[20]

    def score(columns: list[int]) -> float:
        part = {
            k: v[:, columns] if k.startswith("history") else v
            for k, v in request.items()
        }
        return float(ask(bundle, "embed_user", **part)["query"][0] @ vector)

    answer = ask(bundle, "explain", **request, item_id=[item])
    whole = score([0, 1, 2, 3, 4])
    expected = [
        whole - score([c for c in range(5) if c != left_out])
        for left_out in range(5)
    ]
    assert answer["score"][0] == pytest.approx(whole, abs=1e-5)
    np.testing.assert_allclose(answer["contributions"][0], expected, atol=1e-5)


def test_a_profile_alone_changes_the_answer(bundle):
    # ids would be equal for both if the text were not read
    texts = ["I love coffee and baking", "Camping and hiking gear"]
    answer = ask(bundle, "embed_user", profile_text=texts)
    assert np.abs(answer["query"][0] - answer["query"][1]).max() > 1e-3


def test_a_state_of_another_model_is_refused_politely(small_run, bundle):
    state = ask(bundle, "embed_user", profile_text=["tea"])["state"]
    item = small_run.prepared.catalogue.item_ids[3]
    ask(bundle, "advance", state=state, item_id=[item])
    other = state.copy()
    other[0, 0] += 1
    with pytest.raises(RequestError) as refusal:
        ask(bundle, "advance", state=other, item_id=[item])
    assert str(refusal.value) == (
        "advance cannot compute on these inputs: state was made by another "
        "model or was changed on the way; make it anew with embed_user from "
        "the history of the user"
    )
    with pytest.raises(RequestError, match="shape.*anew with embed_user"):
        ask(bundle, "advance", state=state[:, 1:], item_id=[item])


def test_a_list_after_an_event_is_that_of_the_longer_history(
    small_run, bundle, twin
):
    longer = history_of(small_run, int(long_users(small_run)[1]), 4)
    longer["scenario"] = longer["history_scenarios"][:, -1]  # as events ask
    before = {
        name: values[:, :-1] if name.startswith("history") else values
        for name, values in longer.items()
    }
    event = {
        "item_id": longer["history_item_ids"][:, -1],
        "event_type": longer["history_event_types"][:, -1],
        "timestamp": longer["history_timestamps"][:, -1],
        "scenario": longer["scenario"],
    }
    rules = {
        "k": np.array([7], np.int32),
        "exclude_item_ids": longer["history_item_ids"],
    }
    wanted = ask(bundle, "recommend", **longer, **rules)
    for each in (bundle, twin):
        state = ask(each, "embed_user", **before)["state"]
        found = ask(each, "recommend_next", state=state, **event, **rules)
        assert found["item_ids"].tolist() == wanted["item_ids"].tolist()
        np.testing.assert_allclose(
            found["scores"], wanted["scores"], atol=1e-5
        )


def test_twin_and_exact_bundle_take_each_others_states(
    small_run, bundle, twin
):
    item = small_run.prepared.catalogue.item_ids[3]
    state = ask(bundle, "embed_user", profile_text=["tea"])["state"]
    exact, scann = (
        ask(each, "advance", state=state, item_id=[item])["state"]
        for each in (bundle, twin)
    )
    np.testing.assert_allclose(exact, scann, atol=1e-6)


def test_matched_words_stand_in_both_texts(small_run, bundle):
    catalogue = small_run.prepared.catalogue
    request = history_of(small_run, int(long_users(small_run)[3]), 8)
    history = request["history_item_ids"][0].tolist()
    text = dict(zip(catalogue.item_ids, catalogue.texts, strict=True))
    answer = ask(bundle, "explain", **request, item_id=history[:1])
    found = [words.decode().split() for words in answer["matched_words"][0]]
    # An item shares with itself every word that is not in a tenth of all.
    own = set(found[0])
    assert own and own <= set(re.findall(r"\w+", text[history[0]].lower()))
    for item, words in zip(history, found, strict=True):
        wanted = own & set(re.findall(r"\w+", text[item].lower()))
        assert set(words) == wanted


@pytest.mark.parametrize("kind", ["exact", "scann"])
def test_the_ranking_head_orders_the_list_where_it_is_asked(
    small_run, bundle, twin, kind
):
    model = {"exact": bundle, "scann": twin}[kind]
    request = history_of(small_run, int(long_users(small_run)[0]), 5)
    k = np.array([100], np.int32)
    plain = ask(model, "recommend", **request, k=k)
    candidates = plain["item_ids"]
    rated = ask(bundle, "rank", **request, candidate_item_ids=candidates)
    scaled = (rated["scores"][0] - 1.0) / 4.0  # ratings are 1 to 5
    blend = plain["scores"][0] + 0.5 * scaled
    answer = ask(
        model, "recommend", **request, k=np.array([10], np.int32),
        rerank=np.array([0.5], np.float32),
    )
    # Of a k of 10, the first 100 items are ordered anew.
    order = np.argsort(-blend, kind="stable")[:10]
    np.testing.assert_allclose(answer["scores"][0], blend[order], atol=1e-4)
    assert decoded(answer["item_ids"]) == decoded(candidates[:, order])
    assert order.tolist() != list(range(10))


def test_items_open_when_the_table_says(small_run, bundle):
    folder = small_run.job_dir.parent / "data"
    with (folder / "items.csv").open(newline="") as file:
        opens = {
            row["item_id"]: int(row["available_from"])
            for row in csv.DictReader(file)
        }
    now = int(np.median(list(opens.values())))
    k = np.array([130], np.int32)
    answer = ask(bundle, "recommend", k=k, now=np.array([now], np.int64))
    found = {item for item in decoded(answer["item_ids"])[0] if item}
    assert found == {item for item, time in opens.items() if time <= now}
    assert 0 < len(found) < len(opens)


def test_one_item_of_each_first_category(small_run, bundle):
    folder = small_run.job_dir.parent / "data"
    with (folder / "items.csv").open(newline="") as file:
        first = {
            row["item_id"]: row["categories"].split("|")[0].split(">")[0]
            for row in csv.DictReader(file)
        }
    answer = ask(
        bundle, "recommend", k=np.array([130], np.int32),
        max_per_category=np.array([1], np.int32),
    )
    found = [first[item] for item in decoded(answer["item_ids"])[0] if item]
    named = [name.strip() for name in found if name.strip()]
    assert len(named) == len(set(named)) > 1
    assert set(named) == {n.strip() for n in first.values() if n.strip()}
