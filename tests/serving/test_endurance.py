"""The endurance benchmark: it runs, and nothing wrong escapes it."""

from __future__ import annotations

import argparse
import shutil
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.serving import endurance, questions, traffic
from benchmarks.serving.endurance_report import Report
from benchmarks.serving.launched import server
from benchmarks.serving.questions import Question, View
from benchmarks.serving.traffic import OK, Board, Load, Outcome

IDS = [f"i{n}" for n in range(20)]
SCORES = np.linspace(2, 1, 20).tolist()


def answer(ids: list[str], scores: list[float]) -> dict[str, np.ndarray]:
    return {
        "item_ids": np.array([ids], object), "scores": np.array([scores]),
    }


LISTED = Question("recommend", {}, answer(IDS, SCORES))
RANKED = Question(
    "rank",
    {"candidate_item_ids": np.array([IDS[:3]], object)},
    {"scores": np.array([SCORES[:3]])},
)
BEST = (IDS[:10], SCORES[:10])
WITHOUT_I1 = ([IDS[0], *IDS[2:11]], [SCORES[0], *SCORES[2:11]])
WITH_ADDED = (
    [*IDS[:4], "live-0", *IDS[4:9]], [*SCORES[:4], SCORES[3], *SCORES[4:9]],
)
I1_OUT = View(frozenset({"i1"}))


@pytest.mark.parametrize(
    ("given", "before", "after"),
    [
        (BEST, View(), View()),
        (WITHOUT_I1, I1_OUT, I1_OUT),
        (WITH_ADDED, View(), View()),
        # On its way out, or gone while the request was under way: both.
        (BEST, View(unsure=frozenset({"i1"})), I1_OUT),
        (WITHOUT_I1, View(), I1_OUT),
        (BEST, View(), I1_OUT),
    ],
)
def test_right_lists_have_no_fault(given, before, after):
    assert LISTED.fault(answer(*given), before, after) == ""


@pytest.mark.parametrize(
    ("given", "out", "fault"),
    [
        (BEST, I1_OUT, "i1, which was removed"),
        (WITHOUT_I1, View(), "instead of"),
        (([*IDS[:9], "x"], SCORES[:10]), View(), "x, which should not"),
        ((IDS[:9], SCORES[:9]), View(), "9 different items"),
        (([*IDS[:9], IDS[0]], SCORES[:10]), View(), "9 different items"),
        ((IDS[:10], [2.1, *SCORES[1:10]]), View(), "instead of"),
        (([*IDS[8::-1], IDS[9]], SCORES[:10]), View(), "instead of"),
        ((IDS[9::-1], SCORES[9::-1]), View(), "scores that rise"),
    ],
)
def test_wrong_lists_have_a_fault(given, out, fault):
    assert fault in LISTED.fault(answer(*given), out, out)


def test_ranks_are_minus_infinity_of_what_is_out():
    whole = {"scores": np.array([SCORES[:3]])}
    cut = {"scores": np.array([[SCORES[0], -np.inf, SCORES[2]]])}
    assert RANKED.fault(whole, View(), View()) == ""
    assert RANKED.fault(cut, I1_OUT, I1_OUT) == ""
    assert RANKED.fault(whole, View(), I1_OUT) == ""
    assert RANKED.fault(whole, I1_OUT, I1_OUT) != ""
    assert RANKED.fault(cut, View(), View()) != ""


def outcomes(*each: tuple[float, float, str]) -> list[Outcome]:
    return [Outcome(due, took, code, "") for due, took, code in each]


def test_recovery_is_the_first_second_like_those_before():
    report = Report(
        outcomes=outcomes((0, 0.01, OK), (1, 0.01, OK)),
        afterwards=outcomes(
            (100.0, 0.5, OK),  # slow
            (101.2, 0.01, "RESOURCE_EXHAUSTED"), (101.5, 0.01, OK),
            (102.1, 0.019, OK), (103.0, 0.01, OK),
        ),
    )
    assert report.recovery() == 2
    report.afterwards = report.afterwards[:2]
    assert report.recovery() == float("inf")


def test_what_a_version_that_loads_and_a_queue_here_cost_is_told_apart():
    sound = SimpleNamespace(started=10.0, seconds=2.0, said="")
    corrupt = SimpleNamespace(started=20.0, seconds=1.0, said="is corrupt")
    report = Report(
        capacity=100.0,
        share=0.5,
        outcomes=outcomes(
            (9.9, 0.01, OK), (10.1, 0.2, OK), (11.9, 0.4, OK),
            (12.1, 0.01, OK), (20.5, 0.01, OK),
        ),
        rush=[Outcome(25.0, 3.0, OK, "", waited=2.8)],
        afterwards=outcomes((30.0, 0.01, OK)),
        memory=[(float(n), 2**30) for n in range(12)],
        swaps=[sound, corrupt],
    )
    assert report.rate == 50
    assert [each.due for each in report.beside_loading] == [10.1, 11.9]
    said = str(report)
    assert "in service: 5 of 5 answered" in said
    assert "while a version loads: 2 of 2 answered, ms p50 300.0" in said
    assert "rush, admitted: 1 of 1 answered, ms p50 3000.0" in said
    assert "when they were sent: 1 of 1 answered, ms p50 200.0" in said


def test_memory_growth_is_told_per_swap():
    sizes = [(n, int((900 + n) * 2**20)) for n in range(60)]
    report = Report(memory=sizes, swaps=[SimpleNamespace(said="")] * 6)
    early, late, gain = report.growth()
    assert (early, late) == pytest.approx((914.5, 954.5))
    assert gain == pytest.approx(10)


def test_an_open_loop_asks_at_its_rate_and_counts_the_wait():
    def ask(due, draw):
        time.sleep(0.02)
        return Outcome(due, time.monotonic() - due, OK, "")

    found = traffic.ask_all(ask, Load(200, 1, workers=1, seed=0))
    assert 150 < len(found) < 250
    # One worker answers 50 in a second: the last have waited long.
    assert found[-1].seconds > 2


def test_without_a_rate_each_worker_asks_when_it_is_answered():
    workers = set()

    def ask(due, draw):
        workers.add(threading.get_ident())
        time.sleep(0.02)
        return Outcome(due, time.monotonic() - due, OK, "")

    found = traffic.ask_all(ask, Load(None, 0.5, workers=3, seed=0))
    assert len(workers) == 3
    assert 30 < len(found) <= 3 * 0.5 / 0.02 + 3


def test_a_board_tells_every_process_what_is_out(tmp_path):
    mine, theirs = Board(tmp_path / "board"), Board(tmp_path / "board")
    assert theirs() == View()
    for view in (I1_OUT, View(unsure=frozenset({"i2"})), View()):
        mine.tell(view)
        assert theirs() == mine() == view


def test_a_bundle_of_few_items_is_refused():
    lists = {"item_ids": np.array([[b"i1", b"i2", b""]], object)}
    few = SimpleNamespace(predict=lambda *_: lists)
    with pytest.raises(ValueError, match="has 2 items; 50 are needed"):
        questions.of_bundle(few, users=1, seed=0)


def test_a_server_that_does_not_start_is_told(tmp_path):
    with pytest.raises(RuntimeError, match="did not start"):
        with server(tmp_path):
            pass


def test_a_server_stands_swaps_items_and_a_rush(exact, exact_dir, tmp_path):
    base = tmp_path / "recommender"
    shutil.copytree(exact_dir, base / "1")
    every = questions.of_bundle(exact, users=2, seed=0)
    asked = argparse.Namespace(
        minutes=0.3, share=0.8, swaps=2, trial=2.0, rush=3.0, seed=0
    )
    with server(base, has_rest=True) as launched:
        report = endurance.measure(exact_dir, base, launched, every, asked)
    assert report.is_sound, str(report)
    assert [bool(swap.said) for swap in report.swaps] == [False, True, False]
    assert "is corrupt" in report.swaps[1].said
    assert report.item_commands > 0
    assert sorted(int(p.name) for p in base.glob("[0-9]*")) == [2, 3, 4]
    assert len(report.rush) > 2 * report.capacity * asked.rush
    assert all(0 <= each.waited < each.seconds for each in report.rush)
    assert "2 swaps" in str(report)
    # And what is wrong would be seen.
    wrong = Question(every[0].signature, every[0].inputs, every[1].expected)
    with server(base) as launched:
        ask = traffic.Asker(launched, [wrong], View, rest_share=0)
        found = traffic.ask_all(ask, Load(None, 0.2, workers=1, seed=0))
        ask.close()
    assert all(outcome.fault for outcome in found)
