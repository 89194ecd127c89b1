from __future__ import annotations

import dataclasses
import shutil

import numpy as np
import pytest
import toy_model

from serving import bundle, manifest, warmup
from serving.manifest import BundleError, Manifest


def test_an_exact_bundle_has_core_operations_only(exact_dir):
    written = Manifest.read(exact_dir)
    assert written.non_core_ops == ()
    assert {"MatMul", "TopKV2", "LookupTableFindV2"} <= set(written.op_types)


def test_operations_inside_functions_are_counted(exact_dir):
    # Only a function body of the toy scores the catalogue.
    assert "MatMul" in bundle.op_types(exact_dir)


def test_a_scann_bundle_names_its_foreign_operations(scann_dir):
    foreign = Manifest.read(scann_dir).non_core_ops
    assert foreign and all(name.startswith("Scann>") for name in foreign)


def test_foreign_operations_are_refused_as_exact(scann_dir, tmp_path):
    copy = shutil.copytree(scann_dir, tmp_path / "1")
    as_exact = dataclasses.replace(Manifest.read(scann_dir), kind="exact")
    with pytest.raises(BundleError, match="Scann>ScannSearchBatched"):
        bundle.seal(copy, as_exact, [])


def test_a_broken_graph_is_named(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"\xff not a protobuf")
    with pytest.raises(BundleError, match="is not a saved model"):
        bundle.op_types(tmp_path)


def test_the_manifest_covers_every_file(exact_dir):
    written = Manifest.read(exact_dir)
    files = {
        path.relative_to(exact_dir).as_posix()
        for path in exact_dir.rglob("*")
        if path.is_file()
    }
    assert set(written.files) == files - {"assets.extra/manifest.json"}
    manifest.check_files(exact_dir, written)


def test_warm_up_requests_are_read_back(exact_dir):
    names = [request.signature for request in warmup.read(exact_dir)]
    assert names[:2] == ["recommend", "recommend"]
    assert set(names) == {*toy_model.NAMES, "serving_default"}
    inputs = warmup.read(exact_dir)[1].inputs
    assert inputs["history_item_ids"].tolist() == [[b"i0", b"i1"]]
    assert inputs["exclude_item_ids"].shape == (1, 0)


def test_warm_up_requests_are_tensorflow_serving_s(exact_dir):
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    path = exact_dir / "assets.extra" / "tf_serving_warmup_requests"
    record = next(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    log = prediction_log_pb2.PredictionLog.FromString(record)
    assert log.WhichOneof("log_type") == "predict_log"
    assert log.predict_log.request.model_spec.name == "recommender"


def test_what_takes_a_state_is_warmed_up_where_there_is_one():
    names = [r.signature for r in warmup.default_requests(["a", "b", "c"])]
    stateful = {"advance", "recommend_next"}
    every = {*toy_model.NAMES, "serving_default"}
    assert every - set(names) == stateful
    state = np.zeros((1, 4), np.float32)
    more = warmup.default_requests(["a", "b", "c"], state)
    assert {r.signature for r in more} == every
    counting = warmup.default_requests(["a", "b", "c"], counts_events=True)
    counted = next(r for r in counting if r.signature == "observe").inputs
    assert counted["timestamp"].tolist() == [0]  # which is not counted


def test_texts_are_warmed_up_and_so_is_a_user_without_any():
    unknown, known, *others = warmup.default_requests(["a"], reads_text=True)
    assert unknown.signature == known.signature == "recommend"
    assert unknown.inputs["profile_text"].tolist() == [""]
    assert known.inputs["profile_text"].all()
    assert known.inputs["history_texts"].all()
    item = next(r for r in others if r.signature == "embed_item").inputs
    assert all(value.all() for value in item.values())


def test_a_version_without_warm_up_requests_has_none(tmp_path):
    assert warmup.read(tmp_path) == []
