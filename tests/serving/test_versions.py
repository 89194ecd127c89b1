"""A reader sees a version whole or not at all, whatever ends the writer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from processes import beside

from serving import versions
from serving.manifest import BundleError

KILLED_WHILE_SAVING = """
import os, signal, sys
from pathlib import Path
from serving import versions

def save(folder):
    (folder / "saved_model.pb").write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)

versions.write_version(Path(sys.argv[1]), 2, save)
"""

LIMITED_FILES = """
import resource, sys
from pathlib import Path
from serving import versions

def save(folder):
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    (folder / "saved_model.pb").write_bytes(bytes(5000))

try:
    versions.write_version(Path(sys.argv[1]), 2, save)
except versions.BundleError as error:
    print(error)
"""


def whole(folder: Path) -> None:
    (folder / "saved_model.pb").write_bytes(b"whole")
    (folder / "variables").mkdir()
    (folder / "variables" / "data").write_bytes(b"values")


def no_space(folder: Path) -> None:
    (folder / "saved_model.pb").write_bytes(b"half")
    Path("/dev/full").write_bytes(b"x")  # the kernel's own ENOSPC


@pytest.fixture
def model_dir(tmp_path):
    versions.write_version(tmp_path / "model", 1, whole)
    return tmp_path / "model"


def visible(model_dir: Path) -> list[str]:
    return sorted(p.name for p in model_dir.iterdir() if p.name[0] != ".")


def test_a_version_is_what_was_saved(model_dir):
    assert (model_dir / "1" / "variables" / "data").read_bytes() == b"values"


def test_the_next_version_follows_the_greatest(model_dir):
    versions.write_version(model_dir, 10, whole)
    assert versions.versions(model_dir) == [1, 10]
    assert versions.latest_version(model_dir) == 10
    assert versions.next_version(model_dir) == 11


def test_a_missing_folder_has_no_versions(tmp_path):
    assert versions.versions(tmp_path / "none") == []
    assert versions.latest_version(tmp_path / "none") is None
    assert versions.next_version(tmp_path / "none") == 1


@pytest.mark.parametrize("name", ["007", "x", "-1", "٣", "1.5", "2"])
def test_other_folders_are_no_versions(model_dir, name):
    (model_dir / name).mkdir()
    if name != "2":  # 2 lacks the saved model instead
        (model_dir / name / "saved_model.pb").touch()
    assert versions.versions(model_dir) == [1]


def test_a_version_is_never_overwritten(model_dir):
    with pytest.raises(BundleError, match="next free one is 2"):
        versions.write_version(model_dir, 1, no_space)
    assert (model_dir / "1" / "saved_model.pb").read_bytes() == b"whole"


@pytest.mark.parametrize("version", [0, -3])
def test_versions_start_at_one(tmp_path, version):
    with pytest.raises(BundleError, match="1 or more"):
        versions.write_version(tmp_path, version, whole)


def test_nothing_is_visible_while_a_version_is_written(model_dir):
    seen = []
    versions.write_version(
        model_dir, 2, lambda f: (whole(f), seen.extend(visible(model_dir)))
    )
    assert seen == ["1"]


def test_a_failed_save_leaves_nothing_and_says_its_own_error(model_dir):
    def fail(folder):
        whole(folder)
        raise KeyError("my own")

    with pytest.raises(KeyError, match="my own"):
        versions.write_version(model_dir, 2, fail)
    assert sorted(os.listdir(model_dir)) == [".lock", "1"]


def test_a_full_disk_names_the_remedy_and_keeps_the_previous(model_dir):
    with pytest.raises(BundleError, match="version 1 is intact.*run the same"):
        versions.write_version(model_dir, 2, no_space)
    assert sorted(os.listdir(model_dir)) == [".lock", "1"]


def test_a_full_disk_under_tensorflow_is_recognised(tmp_path):
    import tensorflow as tf

    with pytest.raises(BundleError, match="no version was there"):
        versions.write_version(
            tmp_path, 1, lambda _: tf.io.write_file("/dev/full", "x")
        )


def test_a_quota_on_file_sizes_is_recognised(model_dir):
    done = subprocess.run(
        [sys.executable, "-c", LIMITED_FILES, str(model_dir)],
        capture_output=True,
        check=True,
        **beside(model_dir.parent),
    )
    assert "version 1 is intact" in done.stdout
    assert versions.versions(model_dir) == [1]


def test_a_kill_leaves_nothing_visible_and_the_next_run_succeeds(model_dir):
    command = [sys.executable, "-c", KILLED_WHILE_SAVING, str(model_dir)]
    killed = subprocess.run(command, **beside(model_dir.parent))
    assert killed.returncode == -signal.SIGKILL
    assert visible(model_dir) == ["1"]
    assert len(os.listdir(model_dir)) == 3  # the lock and what is left over
    versions.write_version(model_dir, 2, whole)
    assert sorted(os.listdir(model_dir)) == [".lock", "1", "2"]


def test_a_second_writer_waits_for_the_first(model_dir):
    entered, leave = threading.Event(), threading.Event()

    def slow(folder):
        entered.set()
        leave.wait(10)
        whole(folder)

    first = threading.Thread(
        target=versions.write_version, args=(model_dir, 2, slow)
    )
    first.start()
    entered.wait(10)
    second = threading.Thread(
        target=versions.write_version, args=(model_dir, 3, whole)
    )
    second.start()
    second.join(0.2)
    assert versions.versions(model_dir) == [1]
    leave.set()
    first.join(10)
    second.join(10)
    assert versions.versions(model_dir) == [1, 2, 3]
