"""Says of a user's state which model it belongs to.

A state is numbers that only the model that made it can read; another model
would read them as another user. So each carries its model's tag in front, in
numbers that float32 holds exactly, and a model refuses those of others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import tensorflow as tf

WIDTH = 2
_BITS = 24  # of each number: what a float32 holds exactly


def tag_of(
    variables: Iterable[tf.Variable], names: Iterable[str]
) -> np.ndarray:
    """[2] float32, 48 bits of SHA-256 over weights and names, in their order.

    Args:
        variables: all that a state depends on.
        names: of vocabularies whose codes a state depends on.
    """
    digest = hashlib.sha256()
    for variable in variables:
        value = variable.numpy()
        digest.update(f"{value.dtype}{value.shape}".encode() + value.tobytes())
    for name in names:
        encoded = name.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    size = _BITS // 8
    parts = [digest.digest()[at : at + size] for at in (0, size)]
    return np.array([int.from_bytes(p, "big") for p in parts], np.float32)


def put(tag: np.ndarray, state: tf.Tensor) -> tf.Tensor:
    """[b, s] states -> [b, 2 + s] with the tag in front."""
    front = tf.tile(tf.constant(tag)[tf.newaxis, :], [tf.shape(state)[0], 1])
    return tf.concat([front, state], axis=1)


def take(tag: np.ndarray, tagged: tf.Tensor) -> tf.Tensor:
    """The inverse of `put`.

    Raises:
        tf.errors.InvalidArgumentError: when it runs, if a state has another
            tag.
    """
    is_own = tf.reduce_all(tf.equal(tagged[:, :WIDTH], tag))
    refusal = tf.debugging.Assert(
        is_own,
        [
            "state was made by another model or was changed on the way; make "
            "it anew with embed_user from the history of the user"
        ],
    )
    # An eager assertion has raised by now and is no operation.
    with tf.control_dependencies([] if refusal is None else [refusal]):
        return tf.identity(tagged[:, WIDTH:])
