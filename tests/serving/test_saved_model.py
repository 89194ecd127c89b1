"""Saved models in sessions: what TensorFlow 1 and 2 write, and what it costs.

Expected values are those of the objects that were saved, or plain Python.
"""

from __future__ import annotations

import threading

import numpy as np
import pytest
import tensorflow as tf

from serving import saved_model
from serving.manifest import BundleError
from serving.saved_model import SavedModel

v1 = tf.compat.v1


class Shop(tf.Module):
    """Adds prices of rows; remembers how often it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.part = tf.Module()
        self.part.prices = tf.Variable([1.0, 2.0, 4.0], shape=[None])
        self.also = self.part.prices
        self.asked = tf.Variable(0)
        self.unread = tf.Variable([b"a", b"b"])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, "rows")])
    def total(self, rows: tf.Tensor) -> dict[str, tf.Tensor]:
        count = self.asked.assign_add(1)
        prices = tf.gather(self.part.prices, rows)
        return {"total": tf.reduce_sum(prices), "asked": count}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop") / "1"
    shop = Shop()
    tf.saved_model.save(shop, str(folder), signatures={"total": shop.total})
    return folder


def test_signatures_answer_and_keep_what_they_change(folder):
    model = SavedModel(folder)
    assert list(model.signatures) == ["total"]
    assert "total" in model.signature_defs
    rows = {"rows": np.array([0, 2, 2], np.int32)}
    assert model.run("total", rows) == {"asked": 1, "total": 9.0}
    assert model.run("total", rows) == {"asked": 2, "total": 9.0}
    assert model.root.asked.numpy() == 2
    assert SavedModel(folder).run("total", rows)["asked"] == 1  # apart


def test_variables_are_found_where_the_object_had_them(folder):
    root = SavedModel(folder).root
    assert root.part.prices.numpy().tolist() == [1, 2, 4]
    assert root.also.numpy().tolist() == [1, 2, 4]
    assert root.part.prices.shape.as_list() == [None]
    assert root.unread.numpy().tolist() == [b"a", b"b"]
    assert root.unread.dtype == tf.string
    assert not hasattr(root, "price") and not hasattr(root.part, "unread")


def test_a_saved_copy_has_the_variables_as_they_are_now(folder, tmp_path):
    model = SavedModel(folder)
    prices = model.root.part.prices
    with prices.session.graph.as_default():
        change = prices.assigned(tf.constant([3.0, 5.0]))
    prices.session.run(change)
    (tmp_path / "2").mkdir()
    model.save(tmp_path / "2")
    rows = {"rows": np.array([0, 1], np.int32)}
    assert SavedModel(tmp_path / "2").run("total", rows)["total"] == 8.0
    # TensorFlow's own loader reads it too.
    again = tf.saved_model.load(str(tmp_path / "2"))
    assert again.part.prices.numpy().tolist() == [3, 5]
    assert again.unread.numpy().tolist() == [b"a", b"b"]


class Branches(tf.Module):
    """Adds one of two weights."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = [tf.Variable(10.0), tf.Variable(20.0)]

    @tf.function(input_signature=[tf.TensorSpec([], tf.float32, "x")])
    def add(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        first, second = self.weights
        return {"y": tf.cond(x > 0, lambda: x + first, lambda: x + second)}


def test_inputs_of_branches_pass_no_operations_of_their_own(tmp_path):
    branches = Branches()
    tf.saved_model.save(
        branches, str(tmp_path / "1"), signatures={"add": branches.add}
    )
    model = SavedModel(tmp_path / "1")
    for x, y in ((1, 11), (-1, 19)):
        assert model.run("add", {"x": np.array(x, np.float32)}) == {"y": y}
    traced = model.signatures["add"].tensors
    traced.run_options.trace_level = v1.RunOptions.FULL_TRACE
    told = v1.RunMetadata()
    call = model._session._make_callable_from_options(traced)
    call(np.array(1, np.float32), run_metadata=told)
    labels = [
        node.timeline_label
        for device in told.step_stats.dev_stats
        for node in device.node_stats
    ]
    assert any("ReadVariableOp" in label for label in labels)
    assert not any("Switch" in label for label in labels)


@pytest.mark.parametrize("collection", ["main_op", "legacy_init_op"])
def test_tables_of_tensorflow_1_are_set_up(tmp_path, collection):
    words = tmp_path / "words.txt"
    words.write_text("tea\ncup\n")
    with tf.Graph().as_default(), v1.Session() as session:
        asset = tf.constant(str(words))
        v1.add_to_collection(v1.GraphKeys.ASSET_FILEPATHS, asset)
        table = tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(
                asset, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE,
                tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER,
            ),
            -1,
        )
        asked = v1.placeholder(tf.string, [None], "asked")
        signature = v1.saved_model.predict_signature_def(
            {"word": asked}, {"code": table.lookup(asked)}
        )
        builder = v1.saved_model.Builder(str(tmp_path / "1"))
        builder.add_meta_graph_and_variables(session, ["train"])
        builder.add_meta_graph(
            ["serve"], {"codes": signature},
            assets_collection=v1.get_collection(
                v1.GraphKeys.ASSET_FILEPATHS
            ),
            **{collection: v1.tables_initializer()},
        )
        builder.save()
    words.unlink()  # the saved model has its own
    asked = {"word": np.array([b"cup", b"tea", b"pot"], object)}
    found = SavedModel(tmp_path / "1").run("codes", asked)
    assert found["code"].tolist() == [1, 0, -1]


def test_one_operation_after_the_other_runs_in_the_thread_that_asks(
    tmp_path, monkeypatch
):
    threads = []

    def noted(value):
        threads.append(threading.get_native_id())
        return value

    class Noting(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.int32, "n")])
        def note(self, n: tf.Tensor) -> dict[str, tf.Tensor]:
            once = tf.numpy_function(noted, [n], tf.int32)
            return {"n": once + tf.numpy_function(noted, [once], tf.int32)}

    module = Noting()
    path = str(tmp_path / "1")
    tf.saved_model.save(module, path, signatures={"note": module.note})
    monkeypatch.setattr(
        tf.config.threading, "get_inter_op_parallelism_threads", lambda: 1
    )
    model = SavedModel(tmp_path / "1")
    assert model.run("note", {"n": np.int32(4)})["n"] == 8
    assert threads == [threading.get_native_id()] * 2


def test_what_is_no_saved_model_is_named(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"\xff not one")
    with pytest.raises(BundleError, match=r"saved_model.pb is not a saved"):
        saved_model.read(tmp_path)
