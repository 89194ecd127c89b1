"""Readers together, a writer alone, and soon."""

from __future__ import annotations

import threading
import time

from serving.live.turns import Turns


def started(work):
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_readers_read_at_the_same_time():
    turns, together = Turns(), threading.Barrier(3, timeout=10)

    def read():
        with turns.reading():
            together.wait()

    threads = [started(read) for _ in range(3)]
    for thread in threads:
        thread.join(10)
    assert not together.broken


def test_a_writer_is_alone():
    turns, inside, worst = Turns(), [], []

    def take(kind, way):
        for _ in range(200):
            with way():
                inside.append(kind)
                seen = list(inside)
                if "writer" in seen and len(seen) > 1:
                    worst.append(seen)
                time.sleep(0)
                inside.remove(kind)

    threads = [started(lambda: take("reader", turns.reading)) for _ in "abc"]
    threads += [started(lambda: take("writer", turns.writing)) for _ in "ab"]
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    assert worst == [] and inside == []


def test_a_writer_that_waits_comes_before_new_readers():
    turns, order = Turns(), []

    def write():
        with turns.writing():
            order.append("writer")

    def read():
        with turns.reading():
            order.append("reader")

    with turns.reading():
        writer = started(write)
        while not turns._writers:
            time.sleep(0.001)
        reader = started(read)
        reader.join(0.05)
        assert order == []
    writer.join(10)
    reader.join(10)
    assert order == ["writer", "reader"]


def test_an_error_gives_the_turn_back():
    turns = Turns()
    for way in (turns.reading, turns.writing):
        try:
            with way():
                raise KeyError
        except KeyError:
            pass
    with turns.writing():
        pass
