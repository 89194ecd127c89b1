"""Building the ScaNN twin, and its signatures against the exact ones."""

from __future__ import annotations

import numpy as np
import pytest
import toy_model

from serving import index, signatures
from serving.manifest import BundleError, Manifest
from serving.recommender import Recommender

pytest.importorskip("scann")


def test_the_manifest_tells_the_measured_recall(scann_dir):
    written = Manifest.read(scann_dir)
    assert written.kind == "scann"
    assert written.index["recall@10"] == 1.0
    assert written.index["search"] == "scann brute force"
    assert written.model_name == "recommender_scann"


@pytest.mark.parametrize("name", toy_model.NAMES)
def test_every_signature_answers_as_the_exact_model(exact, scann, name):
    fields = signatures.SIGNATURES[name].inputs
    sizes = {"b": 2, "L": 3, "X": 1, "C": 4, "s": toy_model.DIM + 1}
    inputs = signatures.blank(fields, sizes)
    generator = np.random.default_rng(1)
    for key, value in inputs.items():
        if "item_id" in key:
            rows = generator.choice(150, value.shape, replace=False)
            value.flat = [f"i{row}" for row in rows.flat]
        elif key == "k":
            value[:] = [6, 4]
    wanted, got = exact.predict(name, inputs), scann.predict(name, inputs)
    assert set(wanted) == set(got)
    for key in set(wanted) - {"source"}:
        if wanted[key].dtype == object:
            assert wanted[key].tolist() == got[key].tolist()
        else:
            np.testing.assert_allclose(wanted[key], got[key], atol=1e-5)


def test_seen_items_return_where_the_model_does_not_exclude_them(tmp_path):
    exact = toy_model.export(tmp_path / "recommender", 120, exclude_seen=False)
    twin = Recommender(index.build(exact, tmp_path / "twin"))
    fields = signatures.SIGNATURES["recommend"].inputs
    inputs = signatures.blank(fields, {"b": 1, "L": 1, "X": 0})
    inputs["history_item_ids"][0, 0] = "i7"
    inputs["k"][:] = 1
    assert twin.predict("", inputs)["item_ids"].tolist() == [[b"i7"]]


@pytest.mark.parametrize("num_items", [1, 99])
def test_a_small_catalogue_keeps_exact_search_and_says_so(tmp_path, num_items):
    exact = toy_model.export(tmp_path / "recommender", num_items)
    twin = Recommender(index.build(exact, tmp_path / "recommender_scann"))
    assert twin.manifest.kind == "exact"
    assert f"{num_items} items are fewer" in twin.manifest.index["because"]
    inputs = {
        "item_ids": np.array(["i0"], object),
        "k": np.array([200], np.int32),
    }
    found = twin.predict("similar_items", inputs)["item_ids"][0]
    assert len([item for item in found if item]) == num_items - 1


def test_a_hundred_items_are_enough_for_scann(tmp_path):
    exact = toy_model.export(tmp_path / "recommender", 100)
    twin = index.build(exact, tmp_path / "recommender_scann")
    assert Manifest.read(twin).kind == "scann"


def test_the_twin_takes_the_version_of_its_source(scann_dir):
    assert scann_dir.name == "1"


def test_a_twin_of_a_twin_is_refused(scann_dir, tmp_path):
    with pytest.raises(BundleError, match="pass the exact one"):
        index.build(scann_dir, tmp_path)


def test_a_folder_that_is_no_version_is_refused(exact_dir, tmp_path):
    with pytest.raises(BundleError, match="not a version"):
        index.build(exact_dir.parent, tmp_path)


def test_a_bundle_from_before_the_policy_is_refused_with_a_remedy(
    exact_dir, tmp_path, monkeypatch
):
    saved = toy_model.tf.saved_model
    monkeypatch.setattr(saved, "load", lambda _: toy_model.tf.Module())
    with pytest.raises(BundleError, match="earlier release.*export it again"):
        index.build(exact_dir, tmp_path / "twin")
    assert not list(tmp_path.glob("twin/[0-9]*"))


def test_the_command_says_what_is_wrong(exact_dir, scann_dir, capsys):
    code = index.main(["build", str(exact_dir), str(scann_dir.parent)])
    assert code == 1
    assert "never overwritten" in capsys.readouterr().err


def test_the_command_prints_where_the_twin_is(exact_dir, tmp_path, capsys):
    arguments = ["build", str(exact_dir), str(tmp_path / "twin")]
    options = ["--version", "7", "--min_items", "1000"]
    assert index.main([*arguments, *options]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "twin" / "7")


def test_a_recall_that_cannot_be_is_refused(exact_dir, tmp_path):
    with pytest.raises(BundleError, match=r"in \(0, 1\], got 1.5"):
        index.build(exact_dir, tmp_path / "twin", recall=1.5)
