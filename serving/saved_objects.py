"""The objects inside a saved model that runs in a session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from serving.fields import Array

_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


def root(session: Any, meta: Any) -> Saved:
    """The object that was saved.

    Args:
        session: that the graph was imported into.
        meta: MetaGraphDef message of the model.
    """
    return Saved(session, meta.object_graph_def, _handles(meta))


class Saved:
    """An object inside a saved model; attributes are what it holds.

    Args:
        session: of the model.
        objects: SavedObjectGraph of the model.
        handles: of `_handles`.
        number: of the object in `objects`.
    """

    def __init__(
        self,
        session: Any,
        objects: Any,
        handles: Mapping[int, str],
        number: int = 0,
    ) -> None:
        self._of_model = (session, objects, handles)
        # A model of TensorFlow 1 has no objects.
        self._children = {
            child.local_name: child.node_id
            for kept in objects.nodes[number : number + 1]
            for child in kept.children
        }

    def __getattr__(self, name: str) -> Saved | Variable:
        number = vars(self).get("_children", {}).get(name)
        if number is None:
            raise AttributeError(f"nothing was saved under {name!r}")
        session, objects, handles = self._of_model
        child: Saved | Variable = (
            Variable(session, objects.nodes[number].variable, handles[number])
            if number in handles
            else Saved(*self._of_model, number)
        )
        setattr(self, name, child)  # the next time it is simply there
        return child


class Variable:
    """A variable of a loaded model.

    Args:
        session: of the model.
        said: SavedVariable message.
        handle: name of the operation that stands for it in the graph.

    Attributes:
        session: of the model.
        dtype: of its elements.
        shape: None for an axis that may grow.
        value: the tensor in the session's graph.
    """

    def __init__(self, session: Any, said: Any, handle: str) -> None:
        self.session = session
        self.dtype = tf.dtypes.as_dtype(said.dtype)
        self.shape = tf.TensorShape(said.shape)
        self._resource = session.graph.get_operation_by_name(handle).outputs[0]
        with session.graph.as_default():
            self.value = tf.raw_ops.ReadVariableOp(
                resource=self._resource, dtype=self.dtype
            )

    def __tf_tensor__(
        self, dtype: tf.DType | None = None, name: str | None = None
    ) -> tf.Tensor:
        """Its value, where an operation of the graph takes a tensor."""
        return self.value

    def numpy(self) -> Array:
        """A copy of its value."""
        return np.array(self.session.run(self.value))

    def assigned(self, value: tf.Tensor) -> tf.Operation:
        """The operation that replaces its value by one of its graph."""
        return tf.raw_ops.AssignVariableOp(
            resource=self._resource, value=value
        )


def _handles(meta: Any) -> dict[int, str]:
    """Operations that stand for variables, by number of the object.

    The graph's function that restores has the names of variables in
    checkpoints in the order of its arguments.
    """
    restoring = {
        node.attr["f"].func.name: list(node.input)
        for node in meta.graph_def.node
        if node.name == meta.saver_def.restore_op_name
    }
    found: dict[int, str] = {}
    for function in meta.graph_def.library.function:
        _, *arguments = restoring.get(function.signature.name, [None])
        for node in function.node_def if arguments else ():
            if node.name == "RestoreV2/tensor_names":
                keys = tf.make_ndarray(node.attr["value"].tensor)
                numbers = [_number(meta.object_graph_def, key) for key in keys]
                found |= dict(zip(numbers, arguments, strict=False))
    return found


def _number(objects: Any, key: bytes) -> int:
    """Of the object whose value a checkpoint has under a key, -1 for none."""
    number = 0
    for name in key.decode().removesuffix(_VALUE).split("/"):
        children = {
            child.local_name: child.node_id
            for child in objects.nodes[number].children
        }
        number = children.get(name, -1)
        if number < 0:
            return number
    return number
