"""A version with the journal's items: the same answers, whole or not there."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from live_questions import COME, GONE, assert_same, change
from live_shop import answers, asked, rebuilt
from processes import beside

from serving import versions
from serving.live.compaction import CompactionWatch, compact
from serving.live.frames import JournalError
from serving.live.journal import Journal
from serving.manifest import Manifest
from serving.model_host import ModelHost


def test_the_new_version_and_its_twin_answer_as_a_full_rebuild(shop, oracle):
    change(shop)
    user = asked("embed_user", history_item_ids=[["i5", "new tea"]])
    state = shop.load().predict("embed_user", user)["state"]
    done = compact(shop.base, shop.twin_base)
    assert done.version == shop.base / "2" and done.is_new
    assert done.twin == shop.twin_base / "2"
    wanted = rebuilt(oracle.content, COME, GONE)
    # The version has it all in its files, without any journal.
    described = Manifest.read(shop.base / "2")
    header, records = Journal(shop.base).read()
    assert described.journal == {"id": header.id, "position": 10}
    assert described.num_items == 153  # removed ones keep their rows
    Journal(shop.base).path.unlink()
    compacted = shop.load(2)
    assert_same(compacted, wanted)
    assert_same(shop.load_twin(2), wanted)
    # Clients may keep the states that they have.
    again = compacted.predict("embed_user", user)["state"]
    assert again.tolist() == state.tolist()


def test_what_comes_after_a_compaction_counts_in_old_and_new_versions(
    shop, oracle
):
    shop.add(item_id="new", title="12", categories="c9")
    shop.add(item_id="old", title="12345")
    shop.remove("i3")
    described = Manifest.read(shop.twin_base / "1")
    told = {**described.index, "wanted_recall": 0.75}
    dataclasses.replace(described, index=told).write(shop.twin_base / "1")
    done = compact(shop.base, shop.twin_base)
    assert Manifest.read(done.twin).index["wanted_recall"] == 0.75
    shop.remove("old")
    shop.add(item_id="i3", title="back")
    shop.add(item_id="new", title="1234", categories="c9 > x")
    shop.add(item_id="last", title="1", categories="c9")
    Journal(shop.base).fold()
    come = [("new", "1234", 6, 0), ("last", "1", 6, 0)]
    wanted = rebuilt(oracle.content, come)
    assert_same(shop.load(1), wanted)
    assert_same(shop.load(2), wanted)
    assert_same(shop.load_twin(2), wanted)


def test_nothing_to_do_writes_and_loads_nothing(shop, monkeypatch):
    done = compact(shop.base, shop.twin_base)
    assert not done.is_new and done.twin is None
    assert versions.versions(shop.base) == [1]
    shop.remove("i1")
    compact(shop.base)

    def loaded(*_, **__):
        raise AssertionError("A model was loaded.")

    monkeypatch.setattr("serving.live.compaction.Recommender", loaded)
    assert not compact(shop.base).is_new


def test_void_records_are_dropped(shop):
    shop.remove("i1", "i2")
    shop.add(item_id="i1", title="x")
    shop.remove("i1")
    assert compact(shop.base).dropped == 2
    assert len(Journal(shop.base).read()[1]) == 2


def test_only_one_compaction_runs(shop):
    import fcntl

    shop.remove("i1")
    with (shop.base / "live" / "compacting").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(JournalError, match="Another compaction"):
            compact(shop.base)


def test_a_server_compacts_in_the_background_and_swaps(shop):
    host = ModelHost("recommender_scann", shop.twin_base)
    watch = CompactionWatch(SimpleNamespace(hosts=[host]), 2)
    shop.remove("i1")
    host.refresh()
    watch.look()
    assert versions.versions(shop.base) == [1]
    shop.add(item_id="new", title="12")
    host.refresh()
    watch.look()
    host.refresh()
    served = host.find(None)
    assert served.version == 2 and not served.live.pending
    found = answers(served, k=[999])
    assert "new" in found and "i1" not in found
    watch.look()
    assert versions.versions(shop.base) == [1, 2]


_COMPACTING = (
    "import sys, pathlib\n"
    "from serving import index, versions\n"
    "from serving.live.compaction import compact\n"
    "base = pathlib.Path(sys.argv[1])\n"
    "import tensorflow, scann\n"
    "print('ready', flush=True)\n"
    "compact(base, base.with_name('recommender_scann'))\n"
)


def test_a_compaction_that_is_killed_is_finished_by_the_next(shop, oracle):
    """Killed in its steps, one after the other, as they show on the disk."""
    change(shop)
    acknowledged = Journal(shop.base).read()
    wanted = rebuilt(oracle.content, COME, GONE)
    for sign in (
        shop.base / ".incoming-2",
        shop.twin_base / ".incoming-2",
    ):
        process = subprocess.Popen(
            [sys.executable, "-c", _COMPACTING, str(shop.base)],
            stdout=subprocess.PIPE,
            **beside(shop.base.parent),
        )
        assert process.stdout.readline() == "ready\n"
        end = time.monotonic() + 60
        while not sign.exists() and process.poll() is None:
            assert time.monotonic() < end
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert Journal(shop.base).read() == acknowledged
        host = ModelHost("recommender", shop.base)
        assert_same(host.find(None), wanted)
    assert versions.versions(shop.base) == [1, 2]
    assert versions.versions(shop.twin_base) == [1]
    done = compact(shop.base, shop.twin_base)
    assert not done.is_new and done.twin == shop.twin_base / "2"
    assert not list(shop.twin_base.glob(".incoming*"))
    assert_same(shop.load_twin(2), wanted)
