"""A saved model in a session of its own, as TensorFlow Serving runs it.

`tf.saved_model.load` makes every function of the graph anew in Python, which
holds the interpreter's lock for seconds while requests wait for it, and each
call goes through Python once more. A session takes the graph as it is, in
C++. What it runs, it runs in the thread that asks, so that a version can be
warmed up at that thread's priority.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import (
    config_pb2,
    meta_graph_pb2,
    saved_model_pb2,
)

from serving import graph_defs, saved_objects
from serving.manifest import BundleError
from serving.versions import SAVED_MODEL

if TYPE_CHECKING:
    from serving.fields import Array, Arrays

_TAG = "serve"
_INIT_OP = "__saved_model_init_op"
# Where TensorFlow 1 said what sets up tables, newest way first.
_INIT_COLLECTIONS = ("saved_model_main_op", "legacy_init_op")
_ASSET_COLLECTION = "saved_model_assets"
_ASSETS = "assets"
_VARIABLES = Path("variables") / "variables"


def read(version_dir: Path) -> Any:
    """The SavedModel message of a version.

    Raises:
        BundleError: if its file is none.
    """
    path = version_dir / SAVED_MODEL
    try:
        saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    except Exception as error:  # protobuf's DecodeError moves between releases
        raise BundleError(f"{path} is not a saved model: {error}") from error
    return saved


@dataclasses.dataclass(frozen=True)
class Signature:
    """What a graph takes and gives.

    Attributes:
        inputs: specifications by name, sorted by it.
        outputs: names, sorted.
        tensors: CallableOptions, those of the graph in the same order.
    """

    inputs: Mapping[str, tf.TensorSpec]
    outputs: tuple[str, ...]
    tensors: Any


class SavedModel:
    """A loaded version; safe to run from many threads.

    Args:
        version_dir: holds what `tf.saved_model.save` wrote.

    Attributes:
        signature_defs: SignatureDef messages by name.
        signatures: what may be asked for, by name.
        root: the object that was saved: its variables, and objects of its
            own that have some, are attributes.

    Raises:
        BundleError, OSError, tf.errors.OpError, ValueError: if it is damaged.
    """

    def __init__(self, version_dir: Path) -> None:
        self._folder = version_dir
        graphs = read(version_dir).meta_graphs
        served = [each for each in graphs if _TAG in each.meta_info_def.tags]
        self._meta = [*served, *graphs][0]
        graph_defs.prepare(self._meta.graph_def)
        found = self._meta.signature_def
        self.signature_defs = {name: found[name] for name in found}
        graph = tf.Graph()
        with graph.as_default():
            graph_defs.read_into_graph(self._meta.graph_def)
        self._session = tf.compat.v1.Session(graph=graph, config=_config())
        self._restore()
        self._initialize()
        self.signatures = {
            name: _signature(found[name])
            for name in sorted(found)
            if not name.startswith("__")
        }
        self._calls: dict[str, Callable[..., list[Array]]] = {}
        self.root = saved_objects.root(self._session, self._meta)

    def run(self, name: str, inputs: Arrays) -> dict[str, Array]:
        """Outputs of a signature by name.

        Args:
            name: of the signature.
            inputs: all of them, of their types.

        Raises:
            tf.errors.InvalidArgumentError: if they cannot be computed on.
        """
        signature = self.signatures[name]
        arrays = [
            np.asarray(inputs[key], spec.dtype.as_numpy_dtype)
            for key, spec in signature.inputs.items()
        ]
        call = self._calls.get(name) or self._prepared(name)
        return dict(zip(signature.outputs, call(*arrays), strict=True))

    def save(self, folder: Path) -> None:
        """Writes the model with its variables as they are now.

        Args:
            folder: of the new version; it exists and is empty.
        """
        shutil.copy(self._folder / SAVED_MODEL, folder)
        if (self._folder / _ASSETS).exists():
            shutil.copytree(self._folder / _ASSETS, folder / _ASSETS)
        (folder / _VARIABLES).parent.mkdir()
        saver = self._meta.saver_def
        self._session.run(
            saver.save_tensor_name,
            {saver.filename_tensor_name: str(folder / _VARIABLES)},
        )

    def _restore(self) -> None:
        saver = self._meta.saver_def
        if saver.restore_op_name:
            self._session.run(
                saver.restore_op_name,
                {saver.filename_tensor_name: str(self._folder / _VARIABLES)},
            )

    def _initialize(self) -> None:
        """Sets up tables and whatever else the graph has to."""
        names = [
            name
            for collection in _INIT_COLLECTIONS
            if collection in self._meta.collection_def
            for name in (
                self._meta.collection_def[collection].node_list.value
            )
        ]
        if _INIT_OP in self.signature_defs:
            names = [self.signature_defs[_INIT_OP].outputs[_INIT_OP].name]
        files = {
            asset.tensor_info.name: str(
                self._folder / _ASSETS / asset.filename
            )
            for asset in _assets(self._meta)
        }
        self._session.run(names[:1], files)

    def _prepared(self, name: str) -> Callable[..., list[Array]]:
        """The call of a signature, which takes its time to make.

        The public `make_callable` would look each input up in each call, and
        that takes as long as the call itself.
        """
        make = self._session._make_callable_from_options
        call: Callable[..., list[Array]] = make(self.signatures[name].tensors)
        self._calls[name] = call
        return call


def _signature(said: Any) -> Signature:
    inputs, outputs = sorted(said.inputs), tuple(sorted(said.outputs))
    return Signature(
        inputs={
            name: tf.TensorSpec(
                tf.TensorShape(said.inputs[name].tensor_shape),
                tf.dtypes.as_dtype(said.inputs[name].dtype),
                name,
            )
            for name in inputs
        },
        outputs=outputs,
        tensors=config_pb2.CallableOptions(
            feed=[said.inputs[name].name for name in inputs],
            fetch=[said.outputs[name].name for name in outputs],
        ),
    )


def _assets(meta: Any) -> list[Any]:
    """AssetFileDef messages, of TensorFlow 1 from its collection."""
    found = list(meta.asset_file_def)
    if _ASSET_COLLECTION in meta.collection_def:
        for packed in meta.collection_def[_ASSET_COLLECTION].any_list.value:
            found.append(meta_graph_pb2.AssetFileDef.FromString(packed.value))
    return found


def _config() -> Any:
    """As many threads as TensorFlow was told to use in this process."""
    threading = tf.config.threading
    inter = threading.get_inter_op_parallelism_threads()
    config = tf.compat.v1.ConfigProto(
        # Less than none: the thread that asks does it all.
        inter_op_parallelism_threads=-1 if inter == 1 else inter,
        intra_op_parallelism_threads=(
            threading.get_intra_op_parallelism_threads()
        ),
    )
    # The graph itself is calls of functions, and these are improved alone.
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    return config
