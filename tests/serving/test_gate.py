"""Turns: how many run, who waits, who is sent away."""

from __future__ import annotations

import threading
import time

import pytest

from serving.errors import BusyError, CancelledError, DeadlineError
from serving.gate import Call, Gate


class Holder:
    """Holds a turn in a thread of its own until it is let go."""

    def __init__(self, gate, call=None, order=None):
        self.error, self._go = None, threading.Event()
        self.has_turn = threading.Event()
        self._work = (gate, call or Call(), order)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        gate, call, order = self._work
        try:
            with gate.turn(call):
                self.has_turn.set()
                if order is not None:
                    order.append(self)
                self._go.wait(20)
        except RuntimeError as error:
            self.error = error

    def let_go(self):
        self._go.set()
        self._thread.join(20)


def wait_for(gate, waiting):
    end = time.monotonic() + 20
    while gate.waiting != waiting and time.monotonic() < end:
        time.sleep(0.002)
    assert gate.waiting == waiting


def test_so_many_run_so_many_wait_and_one_more_is_refused():
    gate = Gate(running=2, waiting=1)
    holders = [Holder(gate), Holder(gate)]
    for holder in holders:
        holder.has_turn.wait(20)
    third = Holder(gate)
    wait_for(gate, 1)
    assert (gate.running, gate.capacity) == (2, 3)
    with pytest.raises(BusyError, match="2 requests run and 1 wait"):
        with gate.turn(Call()):
            raise AssertionError("got a turn")
    for holder in [*holders, third]:
        holder.let_go()
    assert third.has_turn.is_set()
    assert (gate.running, gate.waiting) == (0, 0)


def test_turns_go_by_arrival():
    gate, order = Gate(1, 9), []
    first = Holder(gate)
    first.has_turn.wait(20)
    later = []
    for number in range(4):
        later.append(Holder(gate, order=order))
        wait_for(gate, number + 1)
    first.let_go()
    for holder in later:
        holder.has_turn.wait(20)
        holder.let_go()
    assert order == later


def test_who_waits_past_the_deadline_loses_the_place():
    gate = Gate(1, 1)
    first = Holder(gate)
    first.has_turn.wait(20)
    started = time.monotonic()
    with pytest.raises(DeadlineError), gate.turn(Call(0.05)):
        raise AssertionError("got a turn")
    assert 0.04 < time.monotonic() - started < 5
    assert gate.waiting == 0
    first.let_go()
    with gate.turn(Call()):  # nobody has kept the turn
        assert gate.running == 1


def test_who_is_cancelled_loses_the_place():
    gate, call = Gate(1, 1), Call()
    first = Holder(gate)
    first.has_turn.wait(20)
    second = Holder(gate, call)
    wait_for(gate, 1)
    call.cancel()
    second.let_go()
    assert isinstance(second.error, CancelledError)
    assert gate.waiting == 0
    first.let_go()
    assert gate.running == 0


def test_a_call_that_is_over_gets_no_turn():
    gate, gone = Gate(1, 1), Call()
    gone.cancel()
    for call, kind in ((Call(0), DeadlineError), (gone, CancelledError)):
        with pytest.raises(kind), gate.turn(call):
            raise AssertionError("got a turn")
    assert gate.running == 0


def test_a_turn_ends_with_an_error_too():
    gate = Gate(1, 0)
    with pytest.raises(KeyError), gate.turn(Call()):
        raise KeyError
    assert gate.running == 0


@pytest.mark.parametrize("seconds", [None, float("inf"), 1e9])
def test_no_deadline_is_no_deadline(seconds):
    assert Call(seconds).remaining is None


def test_a_crowd_of_threads_leaves_the_gate_as_it_was():
    gate, most, lock = Gate(3, 200), [0], threading.Lock()

    def work():
        for _ in range(30):
            with gate.turn(Call()):
                with lock:
                    most[0] = max(most[0], gate.running)
                time.sleep(0.0001)

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (gate.running, gate.waiting, most[0]) == (0, 0, 3)
