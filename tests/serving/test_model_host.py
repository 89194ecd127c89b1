"""Hot swap, refusal and rollback of versions."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
import weakref

import pytest

from serving import model_host, signatures
from serving.errors import UnknownModelError
from serving.manifest import BundleError
from serving.model_config import VersionPolicy
from serving.model_host import ModelHost
from serving.models import Poller


def put(exact_dir, base, version):
    """A version appears as the writer lets it appear: by one rename."""
    incoming = base / f".incoming-{version}"
    shutil.copytree(exact_dir, incoming)
    os.rename(incoming, base / str(version))


def corrupt(base, version):
    path = base / str(version) / "saved_model.pb"
    path.write_bytes(path.read_bytes()[:-10])


@pytest.fixture
def base(exact_dir, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    put(exact_dir, folder, 1)
    return folder


def current(host):
    return host.find(None).version


def states(host):
    return {status.version: status.state for status in host.statuses()}


def test_the_latest_version_is_served(base, exact_dir):
    put(exact_dir, base, 12)
    put(exact_dir, base, 3)
    assert current(ModelHost("m", base)) == 12


def test_a_new_version_takes_over(base, exact_dir):
    host = ModelHost("m", base)
    put(exact_dir, base, 2)
    host.refresh()
    assert current(host) == 2
    assert states(host) == {1: "END", 2: "AVAILABLE"}


def test_a_version_that_nobody_asks_for_is_freed_at_once(base, exact_dir):
    host = ModelHost("m", base)
    old = weakref.ref(host.find(None).model)
    put(exact_dir, base, 2)
    host.refresh()
    assert old() is None


@pytest.mark.skipif(sys.platform != "linux", reason="threads have none there")
def test_only_a_version_beside_others_is_warmed_up_at_low_priority(
    base, exact_dir, monkeypatch
):
    def priority():
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    seen = []

    class Watched(model_host.Recommender):
        def __init__(self, *arguments, **flags):
            loading.append((priority(), sys.getswitchinterval()))
            super().__init__(*arguments, **flags)

        def warm_up(self):
            super().warm_up()
            seen.append((self.version, priority(), self.warm_up_seconds > 0))

    loading = []
    monkeypatch.setattr(model_host, "Recommender", Watched)
    usual, turns = priority(), sys.getswitchinterval()
    host = ModelHost("m", base)
    put(exact_dir, base, 2)
    host.refresh()
    assert current(host) == 2
    assert seen == [(1, usual, True), (2, 19, True)]
    # Beside requests the interpreter changes hands soon.
    assert loading[0] == (usual, turns) and loading[1][0] == usual
    assert loading[1][1] < turns
    assert sys.getswitchinterval() == turns


def test_a_request_keeps_the_version_it_began_with(base, exact_dir):
    host = ModelHost("m", base)
    held = host.find(None)
    put(exact_dir, base, 2)
    host.refresh()
    shutil.rmtree(base / "1")
    assert "embed_item" in held.signature_defs
    item = signatures.blank(signatures.ITEM_INPUTS, {"b": 1})
    assert held.predict("embed_item", item)["vector"].shape == (1, 8)


def test_a_corrupt_version_is_refused_with_its_reason(base, exact_dir):
    host = ModelHost("m", base)
    put(exact_dir, base, 2)
    corrupt(base, 2)
    host.refresh()
    assert current(host) == 1
    refused = host.statuses()[1]
    assert refused.state == "END"
    assert "saved_model.pb is corrupt" in refused.refused_because


def test_a_refused_version_is_not_loaded_again_and_again(
    base, exact_dir, caplog
):
    host = ModelHost("m", base)
    put(exact_dir, base, 2)
    corrupt(base, 2)
    host.refresh()
    host.refresh()
    assert len([r for r in caplog.records if "refused" in r.message]) == 1


def test_a_refused_version_that_is_written_anew_is_served(base, exact_dir):
    host = ModelHost("m", base)
    put(exact_dir, base, 2)
    corrupt(base, 2)
    host.refresh()
    shutil.rmtree(base / "2")
    put(exact_dir, base, 2)
    host.refresh()
    assert current(host) == 2


def test_a_start_beside_a_corrupt_version_serves_the_one_before(
    base, exact_dir
):
    put(exact_dir, base, 2)
    corrupt(base, 2)
    assert current(ModelHost("m", base)) == 1


def test_taking_the_newest_away_brings_the_one_before_back(base, exact_dir):
    put(exact_dir, base, 2)
    host = ModelHost("m", base)
    shutil.rmtree(base / "2")
    host.refresh()
    assert current(host) == 1


def test_the_last_version_stays_when_its_folder_is_gone(base):
    host = ModelHost("m", base)
    shutil.rmtree(base)
    host.refresh()
    assert current(host) == 1


def test_a_half_written_version_is_not_looked_at(base, exact_dir):
    host = ModelHost("m", base)
    shutil.copytree(exact_dir, base / ".incoming-2")
    host.refresh()
    assert states(host) == {1: "AVAILABLE"}


def test_polling_finds_a_version_by_itself(base, exact_dir):
    host = ModelHost("m", base)
    poller = Poller(0.05, host.refresh)
    put(exact_dir, base, 2)
    deadline = time.monotonic() + 60
    while current(host) == 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    poller.stop()
    assert current(host) == 2


def test_another_version_is_unknown(base):
    host = ModelHost("m", base)
    with pytest.raises(UnknownModelError) as caught:
        host.find(9)
    assert str(caught.value) == (
        "Servable not found for request: Specific(m, 9)"
    )


@pytest.mark.parametrize(
    "policy, wanted",
    [
        (VersionPolicy(latest=2), [3, 12]),
        (VersionPolicy(latest=0), [1, 3, 12]),
        (VersionPolicy(specific=(1, 3, 99)), [1, 3]),
    ],
    ids=["latest two", "all", "specific"],
)
def test_the_policy_s_versions_are_served(base, exact_dir, policy, wanted):
    put(exact_dir, base, 12)
    put(exact_dir, base, 3)
    host = ModelHost("m", base, policy)
    assert host.served_versions == wanted
    assert [host.find(version).version for version in wanted] == wanted
    assert current(host) == max(wanted)


def test_a_corrupt_version_gives_its_place_to_the_next(base, exact_dir):
    for version in (2, 3):
        put(exact_dir, base, version)
    corrupt(base, 3)
    host = ModelHost("m", base, VersionPolicy(latest=2))
    assert host.served_versions == [1, 2]


def test_an_empty_folder_says_what_to_pass(tmp_path):
    with pytest.raises(BundleError, match="export/recommender"):
        ModelHost("m", tmp_path)


def test_a_folder_with_corrupt_versions_only_says_why(base):
    corrupt(base, 1)
    with pytest.raises(BundleError, match="saved_model.pb is corrupt"):
        ModelHost("m", base)
