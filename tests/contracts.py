"""Suites that every implementation of an interface must pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest


class IndexContract:
    """What `recommend` of a bundle owes, however it searches.

    A subclass gives two fixtures:
        recommender: `predict(signature, inputs)` over a catalogue.
        oracle: the right answers, `recommend(history, k, exclude)` giving
            (id, score) pairs, and `ids`, the catalogue in its order.
    """

    @pytest.fixture
    def recommender(self) -> Any:
        raise NotImplementedError

    @pytest.fixture
    def oracle(self) -> Any:
        raise NotImplementedError

    def ask(
        self,
        recommender: Any,
        *,
        histories: list[list[str]],
        k: list[int],
        exclude: list[list[str]] | None = None,
    ) -> dict[str, np.ndarray]:
        batch = len(histories)
        history = _padded(histories)
        return recommender.predict(
            "recommend",
            {
                "history_item_ids": history,
                "history_event_types": np.full(history.shape, "", object),
                "history_timestamps": np.zeros(history.shape, np.int64),
                "history_scenarios": np.full(history.shape, "", object),
                "scenario": np.full(batch, "", object),
                "profile_text": np.full(batch, "", object),
                "exclude_item_ids": _padded(exclude or [[]] * batch),
                "k": np.array(k, np.int32),
            },
        )

    def test_the_best_items_come_best_first(self, recommender, oracle):
        answer = self.ask(recommender, histories=[["i1", "i2"]], k=[7])
        wanted = oracle.recommend(["i1", "i2"], 7)
        assert _row(answer, 0) == [item for item, _ in wanted]
        np.testing.assert_allclose(
            answer["scores"][0], [score for _, score in wanted], atol=1e-5
        )

    def test_a_batch_answers_as_its_rows_do_alone(self, recommender, oracle):
        histories = [["i1"], ["i5", "i9", "i5"], ["i3", "i4"]]
        answer = self.ask(recommender, histories=histories, k=[4, 4, 4])
        for row, history in enumerate(histories):
            wanted = oracle.recommend(history, 4)
            assert _row(answer, row) == [item for item, _ in wanted]

    def test_excluded_items_never_return(self, recommender, oracle):
        best = [item for item, _ in oracle.recommend(["i1"], 12)]
        answer = self.ask(
            recommender,
            histories=[["i1"]],
            k=[5],
            exclude=[[*best[:6], best[0], "no such item"]],
        )
        assert _row(answer, 0) == best[6:11]

    def test_each_row_gets_its_own_k(self, recommender, oracle):
        answer = self.ask(recommender, histories=[["i1"], ["i2"]], k=[2, 5])
        assert answer["item_ids"].shape == (2, 5)
        assert _row(answer, 0)[2:] == ["", "", ""]
        assert "" not in _row(answer, 1)

    def test_places_without_an_item_are_empty(self, recommender, oracle):
        answer = self.ask(recommender, histories=[["i1"], ["i2"]], k=[1, 3])
        assert answer["scores"][0, 1:].tolist() == [-np.inf, -np.inf]
        for name in ("item_ids", "titles", "source"):
            assert answer[name][0, 1:].tolist() == [b"", b""]

    def test_scores_descend(self, recommender, oracle):
        answer = self.ask(recommender, histories=[["i8", "i3"]], k=[50])
        assert (np.diff(answer["scores"][0]) <= 0).all()

    def test_k_above_the_catalogue_gives_each_item_once(
        self, recommender, oracle
    ):
        answer = self.ask(recommender, histories=[[]], k=[2**31 - 1])
        assert sorted(_row(answer, 0)) == sorted(oracle.ids)

    def test_no_item_comes_twice(self, recommender, oracle):
        answer = self.ask(recommender, histories=[["i1", "i2"]], k=[40])
        assert len(set(_row(answer, 0))) == 40

    def test_k_of_zero_gives_nothing(self, recommender, oracle):
        answer = self.ask(recommender, histories=[["i1"], []], k=[0, 0])
        assert answer["item_ids"].shape == (2, 0)

    def test_excluding_the_whole_catalogue_leaves_nothing(
        self, recommender, oracle
    ):
        everything = [*oracle.ids, "an unknown one"]
        answer = self.ask(
            recommender, histories=[["i1"]], k=[3], exclude=[everything]
        )
        assert _row(answer, 0) == ["", "", ""]
        assert answer["scores"][0].tolist() == [-np.inf] * 3

    def test_excluding_all_but_one_leaves_that_one(self, recommender, oracle):
        answer = self.ask(
            recommender, histories=[[]], k=[3], exclude=[oracle.ids[1:]]
        )
        assert _row(answer, 0) == [oracle.ids[0], "", ""]

    def test_a_long_history_is_answered(self, recommender, oracle):
        history = oracle.ids[:20] * 500  # 10,000 events
        answer = self.ask(recommender, histories=[history], k=[5])
        assert not set(_row(answer, 0)) & {*history, ""}

    def test_unknown_ids_in_a_history_change_nothing(self, recommender, oracle):
        histories = [["i1", "no such item", ""], ["i1", "", ""]]
        answer = self.ask(recommender, histories=histories, k=[5, 5])
        assert _row(answer, 0) == _row(answer, 1)


def _padded(rows: list[list[str]]) -> np.ndarray:
    padded = np.full((len(rows), max(map(len, rows))), "", object)
    for at, row in enumerate(rows):
        padded[at, : len(row)] = row
    return padded


def _row(answer: dict[str, np.ndarray], row: int) -> list[str]:
    return [item.decode() for item in answer["item_ids"][row]]
