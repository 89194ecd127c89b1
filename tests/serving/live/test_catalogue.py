"""What a loaded version answers after items have come and gone."""

from __future__ import annotations

import json
import logging
import shutil
import threading
import time

import numpy as np
import pytest
from live_questions import COME, GONE, assert_same, change
from live_shop import answers, asked, rebuilt

from serving.live.journal import Journal
from serving.manifest import BundleError
from serving.recommender import Recommender


def test_the_merge_answers_as_a_full_rebuild(shop, oracle):
    served, twin = shop.load(), shop.load_twin()
    change(shop)
    wanted = rebuilt(oracle.content, COME, GONE)
    # While they serve, and before it loads.
    for recommender in (served, twin, shop.load_twin()):
        assert_same(recommender, wanted)


def test_each_command_counts_at_the_next_request(shop):
    served, twin = shop.load(), shop.load_twin()
    for recommender in (served, twin):
        shop.add(item_id="new", title="12345678")
        for _ in range(2):
            # One-hot: nearest to itself, and to what has the same title.
            shop.add(item_id="like it", title="87654321")
            found = answers(recommender, history_item_ids=[["new"]], k=[1])
            assert found == ["like it"]
            shop.remove("like it")
            found = answers(recommender, history_item_ids=[["new"]], k=[500])
            assert "like it" not in found
            assert len(found) == len(set(found)) == 150


def test_a_removed_item_is_still_known_in_histories(shop):
    served = shop.load()
    inputs = asked("embed_user", history_item_ids=[["i5"]])
    before = served.predict("embed_user", inputs)
    shop.remove("i5")
    after = served.predict("embed_user", inputs)
    assert before["query"].tolist() == after["query"].tolist()


def test_an_added_item_counts_in_every_signature(shop, oracle):
    served = shop.load()
    shop.add(item_id="new", title="123")
    state = served.predict("embed_user", asked("embed_user"))["state"]
    event = {**asked("advance", state=state), "item_id": _text("new")}
    stepped = served.predict("advance", event)["state"]
    wanted = np.eye(8)[3].tolist() + [1.0]
    np.testing.assert_allclose(stepped - state, [wanted], atol=1e-6)
    inputs = asked("explain", history_item_ids=[["i5", "new"]])
    told = served.predict("explain", {**inputs, "item_id": _text("new")})
    between = oracle.vectors[5][3] / 2
    np.testing.assert_allclose(
        told["contributions"], [[between, 0.5]], atol=1e-6
    )
    np.testing.assert_allclose(told["score"], [between + 0.5], atol=1e-6)


def _text(value):
    return np.array([value], object)


def test_a_trained_item_that_comes_back_keeps_its_vector_and_title(
    shop, oracle
):
    served = shop.load()
    shop.remove("i5")
    shop.add(item_id="i5", title="Another")
    assert_same(served, rebuilt(oracle.content))


def test_an_added_item_can_be_told_anew(shop, oracle):
    served, twin = shop.load(), shop.load_twin()
    shop.add(item_id="new tea", title="12", categories="c1")
    answers(served, k=[1])
    answers(twin, k=[1])
    shop.add(item_id="new tea", title="1234", available_from="100")
    wanted = rebuilt(oracle.content, [("new tea", "1234", -1, 100)])
    for recommender in (served, twin):
        assert_same(recommender, wanted)


def test_the_same_words_again_make_no_second_row(shop):
    served = shop.load()
    for _ in range(3):
        shop.add(item_id="new", title="12", categories="c1")
        answers(served, k=[1])
        shop.remove("new")
        answers(served, k=[1])
    assert served.model.stock.item_ids.shape[0] is None
    assert len(served.model.stock.item_ids.numpy()) == 151


def test_many_items_at_once(shop, oracle):
    served, twin = shop.load(), shop.load_twin()
    titles = [f"{'t' * (n % 8)}" or "eight888" for n in range(200)]
    for n, title in enumerate(titles):
        shop.add(item_id=f"n{n}", title=title)
    come = [(f"n{n}", title, -1, 0) for n, title in enumerate(titles)]
    wanted = rebuilt(oracle.content, come)
    inputs = asked("rank", candidate_item_ids=[[c[0] for c in come]],
                   history_item_ids=[["i4"]])
    for recommender in (served, twin):
        found = recommender.predict("rank", inputs)["scores"]
        expected = wanted.predict("rank", inputs)["scores"]
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert set(answers(recommender, k=[999])) == {
            *oracle.ids, *(c[0] for c in come)
        }


def test_requests_never_see_half_of_a_change(shop, monkeypatch):
    """Asked all the time while items come and go, slowly."""

    monkeypatch.setattr("serving.live.catalogue.PATIENCE_S", 0.001)
    served = shop.load()
    stock = served.live._stock
    run = stock._run

    def slowly(tensors, given=None):
        if tensors is not stock._written:
            return run(tensors, given)
        for operation in tensors:
            run(operation, given)
            time.sleep(0.01)

    monkeypatch.setattr(stock, "_run", slowly)
    faults, is_over = [], threading.Event()
    inputs = asked("recommend", history_item_ids=[["i5"]], k=[999])

    def ask():
        while not is_over.is_set():
            try:
                found = served.predict("recommend", inputs)
            except Exception as error:
                faults.append(error)
                return
            items = [item.decode() for item in found["item_ids"][0] if item]
            titles = [title.decode() for title in found["titles"][0]]
            faults.extend(
                (item, title)
                for item, title in zip(items, titles, strict=False)
                if not f"{title} ".startswith(f"Title {item[1:]} ")
            )

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(1000, 1010):
        shop.add(item_id=f"n{number}", title=f"Title {number}")
        shop.remove(f"n{number - 1}", f"i{number - 1000}")
        served.live.catch_up(20)
    is_over.set()
    for thread in threads:
        thread.join()
    assert not faults
    found = answers(served, k=[999])
    assert set(found) == {f"i{n}" for n in range(10, 150)} | {"n1009"}


class TestWhatCannotBeApplied:
    def test_a_damaged_journal_changes_nothing_and_is_logged_once(
        self, shop, caplog
    ):
        served = shop.load()
        shop.remove("i1")
        assert "i1" not in answers(served, k=[999])
        path = Journal(shop.base).path
        shop.remove("i2")
        shop.remove("i3")
        sound = path.read_bytes()
        path.write_bytes(sound.replace(b'"i2"', b'"iX"'))
        with caplog.at_level(logging.ERROR):
            for _ in range(3):
                assert len(answers(served, k=[999])) == 149
        assert caplog.text.count("damaged at byte") == 1
        path.write_bytes(sound)
        assert len(answers(served, k=[999])) == 147

    def test_a_version_is_not_served_without_its_journal(self, shop):
        shop.remove("i1")
        path = Journal(shop.base).path
        path.write_bytes(b"x" * 100)
        with pytest.raises(BundleError, match="no sound header"):
            shop.load()

    def test_a_version_of_an_earlier_release_is_refused(
        self, shop, monkeypatch
    ):
        shop.remove("i1")
        monkeypatch.setattr("serving.live.catalogue._STOCK", "not there")
        with pytest.raises(BundleError, match="earlier release"):
            shop.load()

    def test_an_item_that_cannot_be_read_waits_and_hides_no_other(
        self, shop, monkeypatch, caplog
    ):
        served = shop.load()
        right = served.live._embed

        def fails(columns):
            raise RuntimeError("no encoder")

        monkeypatch.setattr(served.live, "_embed", fails)
        shop.add(item_id="new", title="12")
        shop.remove("i1")
        found = answers(served, k=[999])
        assert "new" not in found and "i1" not in found
        assert "no encoder" in caplog.text
        monkeypatch.setattr(served.live, "_embed", right)
        shop.remove("i2")
        found = answers(served, k=[999])
        assert "new" in found and "i2" not in found


def test_a_request_does_not_wait_for_ever(shop, monkeypatch):
    served = shop.load()
    right, may_end = served.live._embed, threading.Event()

    def slow(columns):
        may_end.wait(20)
        return right(columns)

    monkeypatch.setattr(served.live, "_embed", slow)
    monkeypatch.setattr("serving.live.catalogue.PATIENCE_S", 0.05)
    shop.add(item_id="new", title="12")
    shop.remove("i1")
    found = answers(served, k=[999])
    assert "new" not in found and "i1" not in found
    may_end.set()
    served.live.catch_up(20)
    assert "new" in answers(served, k=[999])


def test_a_twin_under_another_name_follows_the_model_it_was_built_from(
    shop, tmp_path
):
    shutil.copytree(shop.twin_base, tmp_path / "fast")
    shop.remove("i1")
    renamed = Recommender(tmp_path / "fast" / "1")
    assert "i1" not in answers(renamed, k=[999])


def test_a_saved_model_without_manifest_follows_nothing(shop):
    shutil.rmtree(shop.base / "1" / "assets.extra")
    shop.remove("i1")
    assert "i1" in answers(shop.load(), k=[999])


def test_the_manifest_says_that_a_version_takes_a_journal(shop):
    path = shop.base / "1" / "assets.extra" / "manifest.json"
    written = json.loads(path.read_text(encoding="utf-8"))
    assert written["journal"] == {"id": "", "position": 0}
