"""A saved graph on its way into a session: what it is told, how it is read.

Requests are answered meanwhile, so the interpreter's lock is let go between
parts of a graph, and no more of its nodes are looked at than have to be.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import config_pb2
from tensorflow.core.protobuf.rewriter_config_pb2 import RewriterConfig

_CALLS = ("PartitionedCall", "StatefulPartitionedCall")
_BRANCHES = ("If", "StatefulIf")
# Nodes of functions that TensorFlow reads in one go; a bundle has thousands.
_PART = 500


def prepare(graph_def: Any) -> None:
    """Makes a graph quicker to get ready, and to run.

    Each function is improved in one pass instead of two: the second finds
    next to nothing, and takes as long as the first. Left out are improvements
    that took a quarter of a version's warming up and made no request faster.

    A branch is called, as a function. Otherwise each input of both branches,
    among them all weights of the text encoder, passes an operation of its own
    in each request, and a graph's first request prepares the branches that it
    does not take, too. Where there are GPUs, on which this was not tried,
    branches are left as they are, and layouts are improved.

    Args:
        graph_def: GraphDef message, changed in place.
    """
    has_gpu = bool(tf.config.list_physical_devices("GPU"))
    options = config_pb2.GraphOptions(
        rewrite_options=RewriterConfig(
            meta_optimizer_iterations=RewriterConfig.ONE,
            disable_tfg_optimizer=True,
            layout_optimizer=None if has_gpu else RewriterConfig.OFF,
            memory_optimization=RewriterConfig.NO_MEM_OPT,
        )
    )
    config = config_pb2.ConfigProto(graph_options=options)
    improved = config.SerializeToString()
    for node in _nodes(graph_def):
        # Attributes of other nodes are not looked at: they would take longer
        # to write afterwards.
        if node.op in _CALLS:
            node.attr["config_proto"].s = improved
        elif node.op in _BRANCHES and not has_gpu:
            node.attr["_lower_using_switch_merge"].b = False


def read_into_graph(graph_def: Any) -> None:
    """Adds a graph to the default one, some functions at a time, then nodes.

    TensorFlow keeps the interpreter's lock from the first to the last of what
    it is given. A function may be there before those that it calls.
    """
    part, nodes = _empty(graph_def), 0
    for function in graph_def.library.function:
        part.library.function.append(function)
        nodes += len(function.node_def)
        if nodes >= _PART:
            tf.graph_util.import_graph_def(part, name="")
            part, nodes = _empty(graph_def), 0
    part.library.gradient.extend(graph_def.library.gradient)
    part.node.extend(graph_def.node)
    tf.graph_util.import_graph_def(part, name="")


def _empty(graph_def: Any) -> Any:
    return type(graph_def)(versions=graph_def.versions)


def _nodes(graph_def: Any) -> Iterator[Any]:
    """NodeDef messages of the graph and of all of its functions."""
    yield from graph_def.node
    for function in graph_def.library.function:
        yield from function.node_def
