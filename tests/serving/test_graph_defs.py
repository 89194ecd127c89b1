"""Graphs on their way into a session: what is told, and in which parts.

Expected values are sums that Python takes itself.
"""

from __future__ import annotations

import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.protobuf import config_pb2

from serving import graph_defs
from serving.saved_model import SavedModel, read


class Nested(tf.Module):
    """Functions that call others, in turn with branches."""

    def __init__(self) -> None:
        super().__init__()
        self.step = tf.Variable(1.0)

    @tf.function
    def next(self, x: tf.Tensor) -> tf.Tensor:
        return tf.cond(x > 10.0, lambda: x, lambda: x + self.step)

    @tf.function
    def after_two(self, x: tf.Tensor) -> tf.Tensor:
        return self.next(self.next(x))

    @tf.function(input_signature=[tf.TensorSpec([], tf.float32, "x")])
    def after_four(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": self.after_two(self.after_two(x))}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nested") / "1"
    model = Nested()
    tf.saved_model.save(
        model, str(folder), signatures={"after_four": model.after_four}
    )
    return folder


@pytest.fixture
def graph_def(folder):
    return read(folder).meta_graphs[0].graph_def


def nodes_of(graph_def):
    functions = graph_def.library.function
    return [
        *graph_def.node, *(n for each in functions for n in each.node_def)
    ]


def test_calls_are_improved_once_and_branches_called(graph_def):
    untouched = {
        node.name: node.SerializeToString()
        for node in graph_def.node if "Call" not in node.op
    }
    graph_defs.prepare(graph_def)
    nodes = nodes_of(graph_def)
    said = [
        config_pb2.ConfigProto.FromString(node.attr["config_proto"].s)
        for node in nodes if node.op.endswith("PartitionedCall")
    ]
    assert len(said) >= 4
    for each in said:
        assert text_format.MessageToString(each.graph_options).split() == (
            """
            rewrite_options {
                layout_optimizer: OFF
                memory_optimization: NO_MEM_OPT
                meta_optimizer_iterations: ONE
                disable_tfg_optimizer: true
            }
            """.split()
        )
    lowered = [
        node.attr["_lower_using_switch_merge"].b
        for node in nodes if node.op.endswith("If")
    ]
    assert lowered and not any(lowered)
    assert untouched == {
        node.name: node.SerializeToString()
        for node in graph_def.node if "Call" not in node.op
    }


def test_layouts_and_branches_are_left_where_there_are_gpus(
    graph_def, monkeypatch
):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    graph_defs.prepare(graph_def)
    nodes = nodes_of(graph_def)
    said = [
        config_pb2.ConfigProto.FromString(node.attr["config_proto"].s)
        for node in nodes if node.op.endswith("PartitionedCall")
    ]
    layouts = {
        each.graph_options.rewrite_options.layout_optimizer for each in said
    }
    assert layouts == {0}  # TensorFlow's default, which improves them
    branches = [node for node in nodes if node.op.endswith("If")]
    assert branches
    assert not any(
        "_lower_using_switch_merge" in node.attr
        and not node.attr["_lower_using_switch_merge"].b
        for node in branches
    )


def test_functions_are_read_a_few_at_a_time(folder, graph_def, monkeypatch):
    parts = []
    read_part = tf.graph_util.import_graph_def

    def noted(part, name):
        parts.append(part)
        read_part(part, name=name)

    monkeypatch.setattr(tf.graph_util, "import_graph_def", noted)
    monkeypatch.setattr(graph_defs, "_PART", 5)
    model = SavedModel(folder)
    for x, y in ((1, 5), (9, 11), (20, 20)):
        assert model.run("after_four", {"x": x}) == {"y": y}
    *early, last = parts
    assert len(early) > 1
    assert not any(part.node for part in early)
    assert [node.name for node in last.node] == [
        node.name for node in graph_def.node
    ]
    functions = [each for part in parts for each in part.library.function]
    assert [each.signature.name for each in functions] == [
        each.signature.name for each in graph_def.library.function
    ]
    for part in parts:
        *others, _ = part.library.function or [None]
        assert sum(len(each.node_def) for each in others) < 5
