"""A text encoder with weights of few bits, for the served graph.

Kernels and word vectors, nearly all of an encoder's weights, are kept as
bfloat16 or int8; biases, norms and positions stay as they are. Core operations
only. TensorFlow has no int8 product of its own that is fast on a CPU
(`benchmarks/README.md`), so int8 is for size: weights become float32 again
whenever they are used.
"""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.encoder import TextEncoder

_LEVELS = 127  # of int8 on each side of zero
_LOW_COSINE = 0.98  # below it a text says something else than its item
_SAMPLE = 64  # texts that both encoders read
_TIMED = 20  # of these, one by one, as requests bring them


class ReducedTable(tf.Module):
    """A matrix in few bits: values and, of int8, what they are times.

    Args:
        matrix: [rows, columns] float32.
        precision: bfloat16 or int8.
        axis: along which numbers share a scale, so that the largest of them
            is 127 (symmetric, one scale per channel).
    """

    def __init__(self, matrix: np.ndarray, precision: str, axis: int) -> None:
        super().__init__(name="reduced")
        self.scales: tf.Variable | None = None
        if precision == "int8":
            largest = np.abs(matrix).max(axis=axis, keepdims=True)
            scales = np.maximum(largest, 1e-12) / _LEVELS
            matrix = np.rint(matrix / scales).astype(np.int8)
            self.scales = _kept(scales.astype(np.float32))
        dtype = tf.int8 if precision == "int8" else tf.bfloat16
        self.values = _kept(tf.cast(matrix, dtype))


class ReducedDense(tf.keras.layers.Layer):
    """A `Dense` whose kernel is kept in few bits.

    A bfloat16 kernel is multiplied as bfloat16, an int8 one as float32.

    Args:
        base: has its weights.
        precision: bfloat16 or int8.
    """

    def __init__(self, base: tf.keras.layers.Dense, precision: str) -> None:
        super().__init__(name=f"{base.name}_{precision}")
        table = ReducedTable(base.kernel.numpy(), precision, axis=0)
        self.kernel, self.scales = table.values, table.scales
        self.bias, self.activation = base.bias, base.activation

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """[..., rows] -> [..., columns] of the inputs' precision."""
        if self.scales is None:
            inner = tf.cast(inputs, tf.bfloat16)
            found = tf.tensordot(inner, self.kernel, 1)
            found = tf.cast(found, inputs.dtype)
        else:
            kernel = tf.cast(self.kernel, inputs.dtype)
            scales = tf.cast(self.scales, inputs.dtype)
            found = tf.tensordot(inputs, kernel, 1) * scales[0]
        if self.bias is not None:
            found += tf.cast(self.bias, inputs.dtype)
        return self.activation(found)


class ReducedWords(tf.Module):
    """Word vectors in few bits.

    Args:
        vectors: [vocabulary, width] float32.
        precision: bfloat16 or int8.
    """

    def __init__(self, vectors: np.ndarray, precision: str) -> None:
        super().__init__(name="words")
        self._table = ReducedTable(vectors, precision, axis=1)

    def __call__(self, token_ids: tf.Tensor) -> tf.Tensor:
        """[texts, tokens] int32 -> [texts, tokens, width] float32."""
        rows = tf.gather(self._table.values, token_ids)
        found = tf.cast(rows, tf.float32)
        if self._table.scales is None:
            return found
        return found * tf.gather(self._table.scales, token_ids)


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What reducing an encoder did.

    Attributes:
        precision: bfloat16 or int8.
        mb_before, mb: of weights.
        cosine_min, cosine_mean: of vectors before and after, over `texts`.
        ms_before, ms: median per text, one at a time.
        texts: how many were compared.
    """

    precision: str
    mb_before: float
    mb: float
    cosine_min: float
    cosine_mean: float
    ms_before: float
    ms: float
    texts: int

    def __str__(self) -> str:
        """For a person; says so where the vectors are not the same any more.

        Example:
            >>> print(Comparison("int8", 91, 24, .91, .99, 8, 12, 64))
            serving encoder int8: 91.0 -> 24.0 MB, 8.0 -> 12.0 ms per text, \
cosine of vectors at least 0.9100, on average 0.9900 (64 texts)
            WARNING: some texts of requests will not mean what the same words \
of an item do; give --serving-encoder bfloat16 or float32
        """
        line = (
            f"serving encoder {self.precision}: {self.mb_before:.1f} -> "
            f"{self.mb:.1f} MB, {self.ms_before:.1f} -> {self.ms:.1f} ms per "
            f"text, cosine of vectors at least {self.cosine_min:.4f}, on "
            f"average {self.cosine_mean:.4f} ({self.texts} texts)"
        )
        if self.cosine_min >= _LOW_COSINE:
            return line
        is_int8 = self.precision == "int8"
        better = "bfloat16 or float32" if is_int8 else "float32"
        return (
            f"{line}\nWARNING: some texts of requests will not mean what the "
            f"same words of an item do; give --serving-encoder {better}"
        )


def reduce(encoder: TextEncoder, precision: str) -> None:
    """Keeps an encoder's kernels and word vectors in few bits, in place.

    Args:
        encoder: not traced yet, and used by nothing else.
        precision: bfloat16 or int8.
    """
    bert = encoder.bert
    for module, name, layer in list(_dense_layers(bert)):
        setattr(module, name, ReducedDense(layer, precision))
    table = bert.get_input_embeddings().weight
    encoder.words = ReducedWords(table.numpy(), precision)


def compare(
    before: TextEncoder,
    after: TextEncoder,
    texts: Sequence[str],
    precision: str,
) -> Comparison:
    """Holds a reduced encoder against the one that it was.

    Args:
        before, after: both.
        texts: of the catalogue; some of them, evenly spread, are read.
        precision: of `after`.
    """
    told = list(dict.fromkeys(text for text in texts if text.strip()))
    sample = told[:: -(-len(told) // _SAMPLE) or 1]
    one, two = (
        each.encode_strings(tf.constant(sample, tf.string)).numpy()
        for each in (before, after)
    )
    cosines = (one * two).sum(axis=1)
    sizes = [_megabytes(each.served_variables) for each in (before, after)]
    times = [_ms_per_text(each, sample[:_TIMED]) for each in (before, after)]
    return Comparison(
        precision,
        mb_before=round(sizes[0], 3),
        mb=round(sizes[1], 3),
        cosine_min=float(cosines.min(initial=1.0)),
        cosine_mean=float(cosines.mean()) if sample else 1.0,
        ms_before=round(times[0], 2),
        ms=round(times[1], 2),
        texts=len(sample),
    )


def _kept(value: Any) -> tf.Variable:
    return tf.Variable(value, trainable=False)


def _dense_layers(
    bert: Any,
) -> Iterable[tuple[Any, str, tf.keras.layers.Dense]]:
    """All `Dense` layers, each with who has it as which attribute."""
    for module in (bert, *bert.submodules):
        for name, value in vars(module).items():
            if isinstance(value, tf.keras.layers.Dense):
                yield module, name, value


def _megabytes(variables: Iterable[tf.Variable]) -> float:
    return sum(v.dtype.size * int(np.prod(v.shape)) for v in variables) / 1e6


def _ms_per_text(encoder: TextEncoder, texts: Sequence[str]) -> float:
    seconds = []
    for text in texts:
        started = time.perf_counter()
        encoder.encode_strings(tf.constant([text])).numpy()
        seconds.append(time.perf_counter() - started)
    return 1000 * statistics.median(seconds) if seconds else 0.0
