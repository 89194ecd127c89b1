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

from serving import manifest, signatures, versions, warmup
from serving.checks import (
    RequestError,
    check_request,
    missing_and_unknown,
    with_optional,
)
from serving.live.catalogue import LiveCatalogue
from serving.manifest import BundleError
from serving.signatures import DEFAULT_SIGNATURE, EMBED_ITEM, OBSERVE

if TYPE_CHECKING:
    from serving.fields import Array, Arrays
    from serving.saved_model import SavedModel, Signature

_OF_SCANN = b"Scann>"  # begins the names of its operations


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
        self._saved = _load(version_dir)
        # Now: the folder may be taken away while the version serves.
        self.signature_defs = self._saved.signature_defs
        self.live = (
            LiveCatalogue(
                version_dir, self.manifest, self.model, self._embed_items
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
        return list(self._saved.signatures)

    @property
    def model(self) -> Any:
        """The object that was saved, with its variables as attributes."""
        return self._saved.root

    def save(self, folder: Path) -> None:
        """Writes the saved model with its catalogue as it is now.

        Args:
            folder: empty.
        """
        self._saved.save(folder)

    def warm_up(self) -> None:
        """Answers the version's warm-up requests, so that no user waits.

        Raises:
            BundleError: if one fails.
        """
        started = time.monotonic()
        try:
            for request in warmup.read(self.version_dir):
                self.predict(request.signature, request.inputs)
            if self.live:
                self.live.warm_up()
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
        return {key: answers[key] for key in outputs or answers}

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
        wanted = self._signature(name)
        inputs = with_optional(name, wanted.inputs, inputs)
        check_request(name, wanted.inputs, inputs)
        _check_outputs(wanted.outputs, outputs)
        return inputs

    def input_specs(self, signature: str) -> Mapping[str, Any]:
        """`tf.TensorSpec` of each input of a signature, "" the default one.

        Raises:
            UnknownSignatureError: listing those that there are.
        """
        return self._signature(signature or DEFAULT_SIGNATURE).inputs

    def _signature(self, name: str) -> Signature:
        found = self._saved.signatures.get(name)
        if found is None:
            raise UnknownSignatureError(
                f'Serving signature key "{name}" not found. The model has '
                f"{', '.join(self.signature_names)}."
            )
        return found

    def _embed_items(self, columns: Arrays) -> Array:
        return self._run(EMBED_ITEM, columns)["vector"]

    def _run(self, signature: str, inputs: Arrays) -> dict[str, Array]:
        import tensorflow as tf

        # Of ours the default one is another, which is ready to be called: it
        # would be prepared once more, in seconds of its first request.
        known = signatures.resolve(signature) if self.manifest else None
        try:
            return self._saved.run(known.name if known else signature, inputs)
        except tf.errors.InvalidArgumentError as error:
            raise RequestError(
                f"{signature} cannot compute on these inputs: {_cause(error)}"
            ) from error


def _is_version(path: Path) -> bool:
    return re.fullmatch("[0-9]+", path.name, re.ASCII) is not None


def _load(version_dir: Path) -> SavedModel:
    """Loads a saved model, with ScaNN's operations if it needs them."""
    from serving.saved_model import SavedModel

    path = version_dir / versions.SAVED_MODEL
    # Reading it as a message would hold requests up twice.
    if path.is_file() and _OF_SCANN in path.read_bytes():
        _register_scann(version_dir)
    try:
        model = SavedModel(version_dir)
    # Whatever TensorFlow finds wrong with a file, of many unrelated types.
    except Exception as error:
        raise BundleError(f"{version_dir} cannot be loaded: {error}") from error
    if not model.signatures:
        raise BundleError(f"{version_dir} has no signatures to serve.")
    return model


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
    outputs: Collection[str], wanted: Collection[str]
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
    cause = re.sub(r"\{\{function_node .*?\}\} ", "", (telling or lines)[0])
    asserted = re.fullmatch(r"assertion failed: \[(.*)\]", cause)
    return asserted[1] if asserted else cause
