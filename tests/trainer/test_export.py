"""The exact bundle: what it is made of and what it says about itself."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import tensorflow as tf

from serving import (
    bundle,
    manifest,
    saved_model,
    signatures,
    versions,
    warmup,
)
from serving.manifest import BundleError, Manifest
from trainer import export
from trainer.run import Run

# Of a model that reads no recent popularity.
NAMES = [each.name for each in signatures.offered(False)]


@pytest.fixture(scope="module")
def folder(small_run: Run) -> Path:
    return small_run.job_dir / "export" / "recommender" / "1"


@pytest.fixture(scope="module")
def written(folder: Path) -> Manifest:
    return Manifest.read(folder)


def test_the_exact_bundle_has_core_operations_alone(folder, written):
    assert written.kind == "exact"
    assert written.non_core_ops == ()
    assert bundle.non_core_ops(bundle.op_types(folder)) == ()
    assert "MatMul" in written.op_types


@pytest.mark.parametrize("model", ["recommender", "recommender_scann"])
def test_no_variable_of_the_catalogue_is_gathered_in_place(small_run, model):
    # TensorFlow would copy it whole each time that it is read.
    version = small_run.job_dir / "export" / model / "1"
    graph = saved_model.read(version).meta_graphs[0].graph_def
    functions = [each.node_def for each in graph.library.function]
    gathered = [
        node.name for nodes in (graph.node, *functions) for node in nodes
        if node.op.startswith("ResourceGather")
    ]
    assert gathered  # those of Keras, whose tables nothing else reads
    assert all("embedding" in name for name in gathered), gathered


def test_every_signature_is_exported_and_recommend_is_the_default(folder):
    loaded = tf.saved_model.load(str(folder))
    names = {*NAMES, "serving_default"}
    assert set(loaded.signatures) == names
    default = loaded.signatures["serving_default"]
    assert set(default.structured_outputs) == {
        "item_ids", "scores", "titles", "source", "reasons", "propensities"
    }


def test_the_manifest_tells_model_config_and_metrics(small_run, written):
    assert (written.model_name, written.version) == ("recommender", 1)
    assert written.num_items == 130
    # JSON has lists for tuples and nothing else that differs.
    config = json.loads(json.dumps(dataclasses.asdict(small_run.config)))
    assert written.config == config
    metrics = json.loads((small_run.job_dir / "metrics.json").read_text())
    for name in ("validation", "test", "baselines", "slices"):
        assert written.metrics[name] == metrics[name]


def test_the_manifest_hashes_each_vocabulary_in_order(small_run, written):
    prepared = small_run.prepared
    catalogue = prepared.catalogue
    vocabularies = {
        "items": catalogue.item_ids,
        "event_types": prepared.event_types,
        "scenarios": prepared.scenarios,
        "categories": catalogue.categories,
        "brands": catalogue.brands,
    }
    assert written.vocabularies == {
        name: manifest.vocabulary_hash(values)
        for name, values in vocabularies.items()
    }
    assert len(set(written.vocabularies.values())) == 5


def test_the_data_span_is_that_of_the_train_events(small_run, written):
    truth = json.loads(
        (small_run.job_dir.parent / "data" / "truth.json").read_text()
    )
    span = written.data_span
    assert span["events"] == truth["counts"]["events"]
    assert span["users"] == 250
    spans = truth["spans"]
    assert spans["first"] <= span["first_train_event"]
    assert span["last_train_event"] < spans["validation_from"]


def test_files_are_hashed_and_warm_up_requests_are_there(folder, written):
    assert written.files == manifest.file_hashes(folder)
    requests = warmup.read(folder)
    names = {*NAMES, "serving_default"}
    assert {request.signature for request in requests} == names


def test_a_version_that_cannot_be_sealed_is_not_there(
    small_run, tmp_path, monkeypatch
):
    def refuse(*_: object) -> None:
        raise BundleError("uses operations that TensorFlow itself lacks")

    monkeypatch.setattr(export.bundle, "seal", refuse)
    monkeypatch.setattr(export.tf.saved_model, "save", lambda *_, **__: None)
    monkeypatch.setattr(export, "concrete_signatures", lambda _: {})
    with pytest.raises(BundleError, match="operations"):
        export.export_exact(
            SimpleNamespace(
                reads_text=False,
                counts_events=False,
                embed_user=lambda **_: {"state": export.tf.zeros([1, 3])},
            ),
            small_run.prepared,
            small_run.config,
            model_dir=tmp_path / "model", version=1, metrics={},
        )
    assert versions.versions(tmp_path / "model") == []
    assert not list((tmp_path / "model").glob(".incoming*"))
