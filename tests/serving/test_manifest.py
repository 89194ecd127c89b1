from __future__ import annotations

import dataclasses
import json

import pytest

from serving import manifest
from serving.manifest import BundleError, Manifest


@pytest.fixture
def full(tmp_path):
    (tmp_path / "data").write_bytes(b"abc")
    return Manifest(
        model_name="recommender",
        version=3,
        kind="scann",
        created="2026-01-02T03:04:05+00:00",
        num_items=7,
        index={"leaves": 2},
        vocabularies={"items": "00ff"},
        data_span={"first": 1, "last": 2},
        metrics={"recall@10": 0.5, "名": "中文"},
        config={"a": {"b": [1, 2]}},
        op_types=("MatMul", "TopKV2"),
        non_core_ops=("Scann>X",),
        files=manifest.file_hashes(tmp_path),
    )


def test_reading_gives_back_what_was_written(full, tmp_path):
    full.write(tmp_path)
    assert Manifest.read(tmp_path) == full


def test_the_file_is_where_tensorflow_serving_ignores_it(full, tmp_path):
    full.write(tmp_path)
    text = (tmp_path / "assets.extra" / "manifest.json").read_text("utf-8")
    assert json.loads(text)["metrics"]["名"] == "中文"


def test_a_kind_must_be_known(full):
    with pytest.raises(BundleError, match="got 'faiss'"):
        dataclasses.replace(full, kind="faiss")


def test_a_format_of_another_release_is_refused(full):
    with pytest.raises(BundleError, match="format 2"):
        dataclasses.replace(full, format=2)


def test_a_missing_manifest_says_what_to_pass(tmp_path):
    assert not manifest.exists(tmp_path)
    with pytest.raises(BundleError, match="pass a folder such as"):
        Manifest.read(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"op_types": 1}'])
def test_a_damaged_manifest_is_named(tmp_path, text):
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / "assets.extra" / "manifest.json").write_text(text)
    with pytest.raises(BundleError, match="is damaged"):
        Manifest.read(tmp_path)


def test_hashes_are_sha256_and_leave_the_manifest_out(full, tmp_path):
    full.write(tmp_path)
    # printf abc | sha256sum
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert manifest.file_hashes(tmp_path) == {
        "data": {"bytes": 3, "sha256": digest}
    }


@pytest.mark.parametrize("content", [b"abd", b"ab", b"abcd"])
def test_a_changed_file_is_named(full, tmp_path, content):
    (tmp_path / "data").write_bytes(content)
    with pytest.raises(BundleError, match="data is corrupt"):
        manifest.check_files(tmp_path, full)


def test_a_missing_file_is_named(full, tmp_path):
    (tmp_path / "data").unlink()
    with pytest.raises(BundleError, match="data is missing"):
        manifest.check_files(tmp_path, full)


def test_vocabulary_hashes_tell_order_and_borders():
    lists = [["ab", "c"], ["a", "bc"], ["c", "ab"], ["abc"], ["ab", "c", ""]]
    assert len({manifest.vocabulary_hash(values) for values in lists}) == 5


def test_the_clock_is_utc_to_the_second():
    assert manifest.utc_now().endswith("+00:00")
    assert len(manifest.utc_now()) == len("2026-01-02T03:04:05+00:00")
