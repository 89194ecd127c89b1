"""IndexBuilder on a bundle that was really trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from model_artifacts import artifact, exact_dir, model_of
from tfx.types import Channel, standard_artifacts

from pipeline.index_builder import Executor, IndexBuilder
from serving import manifest, signatures
from serving.manifest import Manifest
from serving.recommender import Recommender
from trainer.run import Run


def build(run: Run, folder: Path, min_items: int) -> Path:
    model = model_of(exact_dir(run), folder / "model")
    twin = artifact(standard_artifacts.Model, folder / "twin")
    Executor().Do(
        {"model": [model]}, {"scann_model": [twin]}, {"min_items": min_items}
    )
    return folder / "twin" / "Format-Serving"


def test_the_twin_of_a_large_catalogue_searches_an_index(
    small_run: Run, tmp_path: Path
) -> None:
    folder = build(small_run, tmp_path, 100)
    told = Manifest.read(folder)
    manifest.check_files(folder, told)
    assert (told.kind, told.model_name) == ("scann", "recommender_scann")
    twin = Recommender(folder, warm_up=False)
    known = np.array([small_run.prepared.catalogue.item_ids[0]], object)
    answers = twin.predict(
        signatures.SIMILAR_ITEMS,
        {"item_ids": known, "k": np.array([3], np.int32)},
    )
    assert (answers["item_ids"] != b"").all()


def test_the_twin_of_a_small_catalogue_says_that_it_is_exact(
    small_run: Run, tmp_path: Path
) -> None:
    told = Manifest.read(build(small_run, tmp_path, 1000))
    assert told.kind == "exact"
    assert told.index["because"] == (
        "130 items are fewer than the 1000 for ScaNN"
    )


def test_a_damaged_model_leaves_no_twin(
    small_run: Run, tmp_path: Path
) -> None:
    model = model_of(exact_dir(small_run), tmp_path / "model")
    folder = tmp_path / "model" / "Format-Serving"
    (folder / "saved_model.pb").write_bytes(b"damaged")
    twin = artifact(standard_artifacts.Model, tmp_path / "twin")
    with pytest.raises(manifest.BundleError, match="is corrupt"):
        Executor().Do(
            {"model": [model]}, {"scann_model": [twin]}, {"min_items": 100}
        )
    assert not list((tmp_path / "twin").iterdir())


def test_the_component_is_wired() -> None:
    made = IndexBuilder(Channel(type=standard_artifacts.Model))
    assert list(made.outputs) == ["scann_model"]
    assert made.exec_properties["min_items"] == 100
