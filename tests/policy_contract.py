"""What the policy of every bundle owes, against loops over Python lists."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy_model import rule_out

from serving import signatures

_POOL = 100  # candidates that are ordered anew for a k of up to 50
ids = st.lists(st.integers(0, 160).map(lambda row: f"i{row}"), max_size=12)
rules = st.fixed_dictionaries(
    {
        "history": ids,
        "exclude": ids,
        "allow": st.one_of(
            st.just([]), ids, st.integers(1, 5).map(
                lambda step: [f"i{row}" for row in range(0, 150, step)]
            )
        ),
        "now": st.sampled_from([0, 50, 100, 250, 1000]),
        "min_available_from": st.sampled_from([0, 0, 100, 400]),
        "max_per_category": st.sampled_from([0, 1, 2, 5]),
        "k": st.sampled_from([0, 1, 3, 10, 40, 150, 2**31 - 1]),
    }
)
# Fixtures are of the session, and each subclass runs the suite by itself.
many = settings(
    max_examples=40, deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture, HealthCheck.differing_executors
    ],
)


def request(*askers: dict[str, Any]) -> dict[str, np.ndarray]:
    """A batch; each asker names inputs, `history`, `exclude` and `allow`."""
    names = {
        "history": "history_item_ids", "exclude": "exclude_item_ids",
        "allow": "allow_item_ids",
    }
    sizes = {
        axis: max(len(asker.get(name, [])) for asker in askers)
        for axis, name in (("L", "history"), ("X", "exclude"), ("A", "allow"))
    }
    fields = signatures.SIGNATURES["recommend"].inputs
    arrays = signatures.blank(fields, {"b": len(askers), **sizes})
    for row, asker in enumerate(askers):
        for name, value in asker.items():
            if name in names:
                arrays[names[name]][row, : len(value)] = value
            else:
                arrays[name][row] = value
    return arrays


def listed(answer: dict[str, np.ndarray], row: int = 0) -> list[str]:
    return [item.decode() for item in answer["item_ids"][row] if item]


def embedded(recommender: Any, history: list[str]) -> np.ndarray:
    """[1, s] state after a history."""
    fields = signatures.known(signatures.USER_INPUTS, reads_text=False)
    asked = request({"history": history})
    inputs = {field.name: asked[field.name] for field in fields}
    return recommender.predict("embed_user", inputs)["state"]


class PolicyContract:
    """A subclass gives two fixtures:
        recommender: `predict(signature, inputs)` over the toy catalogue.
        oracle: its content, queries and scores.
    """

    @pytest.fixture
    def recommender(self) -> Any:
        raise NotImplementedError

    @pytest.fixture
    def oracle(self) -> Any:
        raise NotImplementedError

    def ask(self, recommender: Any, *askers: Any) -> dict[str, np.ndarray]:
        return recommender.predict("recommend", request(*askers))

    def admissible(self, oracle: Any, asker: dict[str, Any]) -> list[str]:
        history = asker.get("history", [])
        scores = oracle.scores(oracle.query(history))
        known = ("now", "min_available_from", "max_per_category")
        return rule_out(
            oracle.content,
            scores,
            exclude=[*asker.get("exclude", []), *history],
            allow=asker.get("allow", []),
            **{name: asker[name] for name in known if name in asker},
        )

    @many
    @given(first=rules, second=rules)
    def test_the_best_k_that_the_rules_leave_come_back(
        self, recommender, oracle, first, second
    ):
        answer = self.ask(recommender, first, second)
        for row, asker in enumerate((first, second)):
            wanted = self.admissible(oracle, asker)[: asker["k"]]
            assert listed(answer, row) == wanted

    @many
    @given(rules, st.sampled_from(["mmr", "dpp"]), st.sampled_from([0.0, 0.4]))
    def test_whatever_is_wanted_k_come_back_where_k_are_admissible(
        self, recommender, oracle, asker, method, exploration
    ):
        wishes = {
            "diversity": 0.5, "diversity_method": method,
            "exploration": exploration, "seed": 5,
        }
        found = listed(self.ask(recommender, {**asker, **wishes}))
        admissible = self.admissible(oracle, asker)
        assert len(found) == min(asker["k"], len(admissible))
        assert set(found) <= set(admissible) and len(set(found)) == len(found)

    def test_an_allow_list_of_unknown_ids_allows_nothing(self, recommender):
        answer = self.ask(recommender, {"allow": ["nobody knows"], "k": 3})
        assert listed(answer) == []

    def test_mmr_orders_the_pool_by_marginal_relevance(
        self, recommender, oracle
    ):
        asker = {"history": ["i4", "i9"], "k": 12, "max_per_category": 9}
        scores = oracle.scores(oracle.query(asker["history"]))
        left = self.admissible(oracle, asker)[:_POOL]
        wanted: list[str] = []
        while len(wanted) < 12:
            def gain(item: str) -> float:
                vectors = oracle.vectors
                own = vectors[int(item[1:])]
                near = [own @ vectors[int(other[1:])] for other in wanted]
                return 0.6 * scores[item] - 0.4 * max(near, default=0.0)

            best = max(left, key=gain)
            wanted.append(best)
            left.remove(best)
        answer = self.ask(recommender, {**asker, "diversity": 0.4})
        assert listed(answer) == wanted
        np.testing.assert_allclose(
            answer["scores"][0], [scores[item] for item in wanted], atol=1e-5
        )

    def test_dpp_adds_the_item_that_widens_the_list_most(
        self, recommender, oracle
    ):
        asker = {"history": ["i4"], "k": 2, "diversity": 0.7}
        found = listed(
            self.ask(recommender, {**asker, "diversity_method": "dpp"})
        )
        pool = self.admissible(oracle, asker)[:_POOL]
        scores = oracle.scores(oracle.query(["i4"]))
        first = oracle.vectors[int(pool[0][1:])]
        # The determinant of two unit vectors is 1 - cos^2.
        gains = [
            0.3 * scores[item]
            + 0.7 * np.log(1 - (first @ oracle.vectors[int(item[1:])]) ** 2)
            for item in pool[1:]
        ]
        assert found == [pool[0], pool[1 + int(np.argmax(gains))]]

    def test_drawn_places_are_the_last_and_say_how_likely_they_were(
        self, recommender, oracle
    ):
        asker = {"history": ["i1"], "k": 4, "exploration": 0.5, "seed": 11}
        answer = self.ask(recommender, asker)
        pool = self.admissible(oracle, asker)[:_POOL]
        found = listed(answer)
        assert found[:2] == pool[:2]
        assert answer["source"][0, 2:].tolist() == [b"explore"] * 2
        assert b"explore" not in answer["source"][0, :2]
        assert answer["propensities"][0, :2].tolist() == [1.0, 1.0]
        scores = oracle.scores(oracle.query(["i1"]))
        left = pool[2:]
        for item, chance in zip(
            found[2:], answer["propensities"][0, 2:], strict=True
        ):
            # 0.5 is the toy's temperature.
            total = sum(np.exp(scores[other] / 0.5) for other in left)
            assert chance == pytest.approx(
                np.exp(scores[item] / 0.5) / total, rel=1e-4
            )
            left.remove(item)

    def test_seeds_draw_what_the_propensities_say(self, recommender, oracle):
        # One place drawn among the three items that are left.
        allow = ["i1", "i2", "i3", "i7"]
        asker = {"allow": allow, "k": 2, "exploration": 0.5}
        number = 2_000
        answer = self.ask(
            recommender, *({**asker, "seed": seed} for seed in range(number))
        )
        scores = oracle.scores(oracle.query([]))
        best = max(allow, key=lambda item: scores[item])
        left = [item for item in allow if item != best]
        total = sum(np.exp(scores[item] / 0.5) for item in left)
        drawn = answer["item_ids"][:, 1]
        for item in left:
            wanted = np.exp(scores[item] / 0.5) / total
            is_drawn = drawn == item.encode()
            assert is_drawn.mean() == pytest.approx(
                wanted, abs=5 * np.sqrt(wanted * (1 - wanted) / number)
            )
            np.testing.assert_allclose(
                answer["propensities"][is_drawn, 1], wanted, rtol=1e-4
            )

    def test_a_request_is_answered_as_it_is_alone(self, recommender, oracle):
        askers = [
            {"history": ["i1"], "k": 5, "diversity": 0.5},
            {"history": ["i2"], "k": 90, "exploration": 0.2, "seed": 3},
            {"history": ["i3"], "k": 7},
            {"k": 6, "diversity": 0.3, "diversity_method": "dpp"},
            {"k": 4, "diversity": 0.9, "exploration": 0.5, "seed": 8},
        ]
        answer = self.ask(recommender, *askers)
        for row, asker in enumerate(askers):
            alone = self.ask(recommender, asker)
            assert listed(answer, row) == listed(alone)

    def test_the_nearest_event_is_the_reason(self, recommender, oracle):
        history = ["i4", "i9", "nobody knows", "i30"]
        answer = self.ask(recommender, {"history": history, "k": 8})
        events = [history[0], history[1], history[3]]
        for item, reason in zip(
            listed(answer), answer["reasons"][0], strict=True
        ):
            near = [
                oracle.vectors[int(event[1:])] @ oracle.vectors[int(item[1:])]
                for event in events
            ]
            wanted = f"history:{events[int(np.argmax(near))]}"
            assert reason.decode() == wanted

    def test_without_events_a_profile_or_nothing_is_the_reason(
        self, recommender
    ):
        answer = self.ask(
            recommender,
            {"profile_text": "i8", "k": 2}, {"k": 1}, {"history": ["no"]},
        )
        assert answer["reasons"].tolist() == [
            [b"profile"] * 2, [b"popular", b""], [b"", b""]
        ]

    def test_rules_may_be_left_out(self, recommender, oracle):
        inputs = request({"history": ["i1"], "k": 3})
        for field in signatures.POLICY_INPUTS:
            del inputs[field.name]
        answer = recommender.predict("recommend", inputs)
        wanted = self.admissible(oracle, {"history": ["i1"]})[:3]
        assert listed(answer) == wanted
        assert answer["propensities"][0].tolist() == [1.0] * 3

    def after(
        self, recommender: Any, history: list[str], item: str, **asker: Any
    ) -> dict[str, np.ndarray]:
        """What `recommend_next` says of one event after a history."""
        return recommender.predict(
            "recommend_next",
            {
                "state": embedded(recommender, history),
                "item_id": np.array([item], object),
                "event_type": np.array([""], object),
                "timestamp": np.zeros(1, np.int64),
                "scenario": np.array([""], object),
                "exclude_item_ids": np.array(
                    [asker.pop("exclude", [])], object
                ).reshape(1, -1),
                "k": np.array([asker.pop("k")], np.int32),
                **{
                    name: np.array(
                        [value], request({name: value})[name].dtype
                    )
                    for name, value in asker.items()
                },
            },
        )

    def test_a_state_and_an_event_are_answered_as_their_history(
        self, recommender, oracle
    ):
        answer = self.after(recommender, ["i1", "i2"], "i5", k=6)
        scores = oracle.scores(oracle.query(["i1", "i2", "i5"]))
        wanted = rule_out(oracle.content, scores, exclude=["i5"], allow=[])[:6]
        assert listed(answer) == wanted
        assert set(answer["reasons"][0]) == {b"history:i5"}

    def test_the_state_that_comes_back_has_the_event(self, recommender):
        after = self.after(recommender, ["i1"], "i2", k=1)["state"]
        wanted = embedded(recommender, ["i1", "i2"])
        np.testing.assert_allclose(after, wanted, atol=1e-5)

    def test_a_state_is_asked_as_it_is_by_an_event_of_nothing(
        self, recommender, oracle
    ):
        rules = {"exclude": ["i3"], "now": 100, "max_per_category": 2}
        answer = self.after(recommender, ["i1", "i2"], "", k=9, **rules)
        scores = oracle.scores(oracle.query(["i1", "i2"]))
        wanted = rule_out(oracle.content, scores, allow=[], **rules)[:9]
        assert listed(answer) == wanted
        assert set(answer["reasons"][0]) == {b"state"}
