"""One loaded version of a model: checks requests and answers them.

Knows nothing of gRPC or HTTP; every server is a thin door to it.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving import bundle, manifest, warmup
from serving.checks import (
    RequestError,
    check_request,
    missing_and_unknown,
    with_optional,
)
from serving.live.catalogue import LiveCatalogue
from serving.manifest import BundleError
from serving.signatures import DEFAULT_SIGNATURE, EMBED_ITEM, OBSERVE
from serving.versions import SAVED_MODEL

if TYPE_CHECKING:
    from serving.fields import Array, Arrays


class UnknownSignatureError(LookupError):
    """A signature that the model does not have."""


class Recommender:
    """Loads a version and answers requests; safe to call from many threads.

    Args:
        version_dir: e.g. `export/recommender/1`.
        warm_up: calls `warm_up` before returning.

    Attributes:
        version: the folder's number, 0 if it is none.
        manifest: None for a saved model that is not of our making.
        signature_defs: SignatureDef messages by name.
        live: applies the journal; None for a saved model that is not of our
            making.
        load_seconds, warm_up_seconds: what the start has cost.

    Raises:
        BundleError: if the version is corrupt, cannot be loaded or fails its
            own warm-up requests. The message says which and why.
    """

    def __init__(self, version_dir: Path, *, warm_up: bool = True) -> None:
        started = time.monotonic()
        self.version_dir = version_dir
        self.version = int(version_dir.name) if _is_version(version_dir) else 0
        self.manifest = (
            manifest.Manifest.read(version_dir)
            if manifest.exists(version_dir)
            else None
        )
        if self.manifest:
            manifest.check_files(version_dir, self.manifest)
        self._model = _load(version_dir)
        self._signatures: Mapping[str, Any] = self._model.signatures
        # Once: TensorFlow works them out at each look.
        self._specs: Mapping[str, Mapping[str, Any]] = {
            name: function.structured_input_signature[1]
            for name, function in self._signatures.items()
        }
        # Now: the folder may be taken away while the version serves.
        self.signature_defs = _signature_defs(version_dir)
        self.live = (
            LiveCatalogue(
                version_dir, self.manifest, self._model, self._embed_items
            )
            if self.manifest
            else None
        )
        self.load_seconds = time.monotonic() - started
        self.warm_up_seconds = 0.0
        if warm_up:
            self.warm_up()

    @property
    def signature_names(self) -> list[str]:
        """Names that `predict` takes."""
        return sorted(self._signatures)

    @property
    def model(self) -> Any:
        """The saved model as loaded."""
        return self._model

    def warm_up(self) -> None:
        """Answers the version's warm-up requests, so that no user waits.

        Raises:
            BundleError: if one fails.
        """
        started = time.monotonic()
        try:
            for request in warmup.read(self.version_dir):
                self.predict(request.signature, request.inputs)
        except Exception as error:
            raise BundleError(
                f"{self.version_dir} fails its own warm-up request: {error}"
            ) from error
        self.warm_up_seconds = time.monotonic() - started

    def predict(
        self, signature: str, inputs: Arrays, outputs: Collection[str] = ()
    ) -> dict[str, Array]:
        """Answers a batch of requests.

        Args:
            signature: "" is the default one.
            inputs: every input of the signature, of its dtype and rank; texts
                of events may be missing.
            outputs: those wanted; all if empty.

        Returns:
            Outputs by name; strings are bytes.

        Raises:
            UnknownSignatureError: listing those that there are.
            RequestError: naming the input or output that does not fit.
        """
        signature = signature or DEFAULT_SIGNATURE
        inputs = self.checked(signature, inputs, outputs)
        self.catch_up()
        with self._turn(signature):
            answers = self._run(signature, inputs)
        return {key: answers[key].numpy() for key in outputs or answers}

    def _turn(self, signature: str) -> contextlib.AbstractContextManager[None]:
        """Beside other requests, unless the model itself changes."""
        if self.live is None:
            return contextlib.nullcontext()
        is_writing = signature == OBSERVE
        return self.live.writing() if is_writing else self.live.reading()

    def catch_up(self) -> None:
        """Takes what was added to and removed from the catalogue since."""
        if self.live:
            self.live.catch_up()

    def checked(
        self, signature: str, inputs: Arrays, outputs: Collection[str] = ()
    ) -> Arrays:
        """Inputs as the graph takes them, for arguments of `predict`.

        Raises:
            UnknownSignatureError, RequestError: as `predict` does.
        """
        name = signature or DEFAULT_SIGNATURE
        specs = self.input_specs(name)
        inputs = with_optional(name, specs, inputs)
        check_request(name, specs, inputs)
        _check_outputs(self._function(name).structured_outputs, outputs)
        return inputs

    def input_specs(self, signature: str) -> Mapping[str, Any]:
        """`tf.TensorSpec` of each input of a signature, "" the default one.

        Raises:
            UnknownSignatureError: listing those that there are.
        """
        name = signature or DEFAULT_SIGNATURE
        self._function(name)  # is there
        return self._specs[name]

    def _function(self, name: str) -> Any:
        function = self._signatures.get(name)
        if function is None:
            raise UnknownSignatureError(
                f'Serving signature key "{name}" not found. The model has '
                f"{', '.join(self.signature_names)}."
            )
        return function

    def _embed_items(self, columns: Arrays) -> Array:
        vectors: Array = self._run(EMBED_ITEM, columns)["vector"].numpy()
        return vectors

    def _run(self, signature: str, inputs: Arrays) -> Mapping[str, Any]:
        import tensorflow as tf

        specs = self.input_specs(signature)
        tensors = {
            key: tf.constant(value, specs[key].dtype)
            for key, value in inputs.items()
        }
        try:
            answers: Mapping[str, Any] = self._function(signature)(**tensors)
        except tf.errors.InvalidArgumentError as error:
            raise RequestError(
                f"{signature} cannot compute on these inputs: {_cause(error)}"
            ) from error
        return answers


def _is_version(path: Path) -> bool:
    return re.fullmatch("[0-9]+", path.name, re.ASCII) is not None


def _load(version_dir: Path) -> Any:
    """Loads a saved model, with ScaNN's operations if it needs them."""
    import tensorflow as tf

    operations = bundle.op_types(version_dir)
    if any(operation.startswith("Scann>") for operation in operations):
        _register_scann(version_dir)
    try:
        model = tf.saved_model.load(str(version_dir))
    # Whatever TensorFlow finds wrong with a file, of many unrelated types.
    except Exception as error:
        raise BundleError(f"{version_dir} cannot be loaded: {error}") from error
    if not model.signatures:
        raise BundleError(f"{version_dir} has no signatures to serve.")
    return model


def _signature_defs(version_dir: Path) -> dict[str, Any]:
    from tensorflow.core.protobuf import saved_model_pb2

    content = (version_dir / SAVED_MODEL).read_bytes()
    saved = saved_model_pb2.SavedModel.FromString(content)
    found = saved.meta_graphs[0].signature_def
    return {name: found[name] for name in found}


def _register_scann(version_dir: Path) -> None:
    try:
        import scann  # noqa: F401  (registers the operations)
    except ImportError as error:
        raise BundleError(
            f"{version_dir} needs ScaNN's operations and ScaNN cannot be "
            f"imported ({error}); install interest-towers[scann], or serve "
            "the exact bundle beside it."
        ) from error


def _check_outputs(
    outputs: Mapping[str, Any], wanted: Collection[str]
) -> None:
    _, unknown = missing_and_unknown(outputs, wanted)
    if unknown:
        raise RequestError(
            "output tensor alias not found in signature: "
            f"{', '.join(unknown)} Outputs expected to be in the set "
            f"{{{','.join(sorted(outputs))}}}."
        )


def _cause(error: Exception) -> str:
    """The line of TensorFlow's message that is not about its graph; what an
    assertion of ours says, without the frame around it."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    about_graph = (
        "Graph execution error", "Detected at node", "<stack traces", "\t", " "
    )
    telling = [line for line in lines if not line.startswith(about_graph)]
    cause = (telling or lines)[0]
    asserted = re.fullmatch(r"assertion failed: \[(.*)\]", cause)
    return asserted[1] if asserted else cause
