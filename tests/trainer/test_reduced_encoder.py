"""A smaller encoder: what its numbers are, and that a bundle serves it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from schema import features
from serving import bundle
from trainer.config import ExportConfig
from trainer.encoder import TextEncoder
from trainer.encoder_loading import load_encoder
from trainer.reduced_encoder import (
    Comparison,
    ReducedDense,
    ReducedWords,
    compare,
    reduce,
)
from trainer.run import Run

KINDS = pytest.mark.parametrize("precision", ["bfloat16", "int8"])
TEXTS = ["compact running shoes", "", "dice", "a jacket for the rain", "dice"]


def load(folder: Path, name: str = "tiny") -> TextEncoder:
    return load_encoder(
        name, max_tokens=16, corpus=3 * TEXTS, folder=folder / "made"
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reduced")


@pytest.fixture(scope="module")
def whole(folder: Path) -> TextEncoder:
    return load(folder)


def reduced(folder: Path, precision: str) -> TextEncoder:
    encoder = load(folder)
    reduce(encoder, precision)
    return encoder


def rounded(matrix: np.ndarray, axis: int) -> np.ndarray:
    """A matrix after int8 and back, channel by channel."""
    found = np.empty_like(matrix)
    for at in range(matrix.shape[1 - axis]):
        place = (slice(None), at) if axis == 0 else (at, slice(None))
        channel = matrix[place]
        step = max(abs(channel)) / 127
        found[place] = [round(value / step) * step for value in channel]
    return found


def cut(matrix: np.ndarray) -> np.ndarray:
    """Float32 to the nearest of the 8 bits that bfloat16 has of a mantissa."""
    mantissa, exponent = np.frexp(matrix)
    return np.ldexp(np.rint(mantissa * 256) / 256, exponent)


def dense(rng: np.random.Generator) -> tf.keras.layers.Dense:
    layer = tf.keras.layers.Dense(5)
    layer.build([None, 7])
    # Channels of unlike size, for which one scale would not do.
    sizes = np.array([1, 10, 0.01, 1, 3])
    layer.set_weights([rng.normal(size=(7, 5)) * sizes, rng.normal(size=5)])
    return layer


def test_an_int8_kernel_has_a_scale_per_output(rng):
    layer, x = dense(rng), rng.normal(size=(2, 3, 7)).astype(np.float32)
    found = ReducedDense(layer, "int8")
    kernel, bias = layer.get_weights()
    np.testing.assert_allclose(
        found(x), x @ rounded(kernel, axis=0) + bias, rtol=1e-4, atol=1e-5
    )
    assert (found.kernel.dtype, found.kernel.shape) == (tf.int8, (7, 5))
    assert found.scales.shape == (1, 5)


def test_a_bfloat16_kernel_is_multiplied_as_bfloat16(rng):
    layer, x = dense(rng), rng.normal(size=(2, 3, 7)).astype(np.float32)
    found = ReducedDense(layer, "bfloat16")
    kernel, bias = layer.get_weights()
    products = np.einsum("blk,kn->blkn", cut(x), cut(kernel))
    # The sum is rounded to 8 bits, wherever it is made.
    bound = np.abs(products).sum(axis=2) / 128
    error = np.abs(found(x) - bias - products.sum(axis=2))
    assert (error <= bound).all()
    assert found.kernel.dtype == tf.bfloat16


def test_words_have_a_scale_each(rng):
    sizes = np.array([[1], [100], [0.1], [0]])
    vectors = (rng.normal(size=(4, 6)) * sizes).astype(np.float32)
    ids = tf.constant([[2, 3, 1], [0, 0, 2]])
    found = ReducedWords(vectors, "int8")(ids)
    wanted = np.vstack([rounded(vectors[:3], axis=1), np.zeros((1, 6))])
    np.testing.assert_allclose(found, wanted[ids.numpy()], rtol=1e-5)
    halved = ReducedWords(vectors, "bfloat16")(ids)
    np.testing.assert_array_equal(halved, cut(vectors)[ids.numpy()])


@KINDS
def test_vectors_are_nearly_what_they_were(whole, folder, precision):
    small = reduced(folder, precision)
    found = small.encode_strings(tf.constant(TEXTS)).numpy()
    wanted = whole.encode_strings(tf.constant(TEXTS)).numpy()
    cosines = (found * wanted).sum(axis=1)
    np.testing.assert_array_equal(found[1], 0)
    assert cosines[[0, 2, 3, 4]].min() > 0.998
    assert np.abs(found - wanted).max() > 1e-6  # and not the same encoder


@KINDS
def test_nothing_that_is_served_is_a_large_float(folder, precision):
    small = reduced(folder, precision)
    floats = [v for v in small.served_variables if v.dtype == tf.float32]
    # Positions are the largest: 512 of 128 numbers.
    assert max(int(np.prod(v.shape)) for v in floats) == 512 * 128
    assert sum(v.dtype != tf.float32 for v in small.served_variables) == 14


@KINDS
def test_a_comparison_tells_sizes_and_cosines(whole, folder, precision):
    small = reduced(folder, precision)
    found = compare(whole, small, [*TEXTS, " "], precision)
    assert found.texts == 3  # distinct ones that say something
    # Two layers of 4 x 128 x 128 and 2 x 128 x 512, a pooler, word pieces;
    # 512 positions, 2 token types, biases and norms stay.
    words = len(whole.hf_tokenizer)
    kernels = 2 * (4 * 128**2 + 2 * 128 * 512) + 128**2
    channels = 2 * (5 * 128 + 512) + 128
    others = (512 + 2 + 2 + 1) * 128 + 2 * (9 * 128 + 512)
    before = 4 * (kernels + words * 128 + others)
    after = 4 * others + {
        "bfloat16": 2 * (kernels + words * 128),
        "int8": kernels + words * 128 + 4 * (channels + words),
    }[precision]
    assert found.mb_before == pytest.approx(before / 1e6, abs=6e-4)
    assert found.mb == pytest.approx(after / 1e6, abs=6e-4)
    one, two = (each.encode_bulk(TEXTS) for each in (whole, small))
    cosines = (one * two).sum(axis=1)[[0, 2, 3]]
    assert found.cosine_min == pytest.approx(cosines.min(), abs=1e-5)
    assert found.cosine_mean == pytest.approx(cosines.mean(), abs=1e-5)
    assert found.ms > 0
    assert found.ms_before > 0


def test_a_catalogue_without_text_can_be_compared(whole):
    found = compare(whole, whole, ["", " "], "int8")
    assert (found.texts, found.cosine_min, found.ms) == (0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("precision", "cosine", "warns"),
    [("int8", 0.979, True), ("bfloat16", 0.9, True), ("int8", 0.981, False)],
)
def test_texts_that_no_longer_agree_are_warned_of(precision, cosine, warns):
    told = str(Comparison(precision, 90, 45, cosine, 0.999, 8, 9, 64))
    assert ("WARNING" in told) == warns
    if warns:
        better = "bfloat16 or" if precision == "int8" else "float32"
        assert f"give --serving-encoder {better}" in told


@pytest.mark.parametrize("tune", ["frozen", "prefix"])
def test_a_bundle_reads_requests_with_it_and_items_without(
    small_run, tmp_path, tune
):
    config = dataclasses.replace(
        small_run.config,
        export=ExportConfig(serving_encoder="int8"),
        text=dataclasses.replace(small_run.config.text, tune=tune),
        training=dataclasses.replace(small_run.config.training, epochs=1),
    )
    run = Run(small_run.prepared, config, tmp_path / "job")
    metrics = run.execute(build_twin=False)
    assert metrics["serving_encoder"]["cosine_min"] > 0.99
    folder = tmp_path / "job" / "export" / "recommender" / "1"
    loaded = tf.saved_model.load(str(folder))
    np.testing.assert_allclose(
        loaded.item_vectors, run.model.catalogue_vectors(), atol=1e-5
    )
    assert bundle.non_core_ops(bundle.op_types(folder)) == ()
    kinds = json.dumps([str(v.dtype) for v in loaded.weights])
    assert kinds.count("int8") == 14
    assert_reads_as(run, loaded, run.encoder, 0.99)


def assert_reads_as(run, loaded, encoder, cosine: float) -> None:
    """Holds embed_item's vectors against those of the whole encoder."""
    texts = [text for text in TEXTS if text]
    columns = loaded.signatures["embed_item"].structured_input_signature[1]
    inputs = {
        name: tf.constant(texts if name == features.TITLE else [""] * 4)
        for name in columns
    }
    served = loaded.signatures["embed_item"](**inputs)["vector"].numpy()
    content = run.model.item_tower.content(
        encoder.encode_strings(tf.constant(texts)),
        tf.fill([4, 1], -1), tf.fill([4], -1),
    )
    wanted = tf.math.l2_normalize(content, axis=-1).numpy()
    served = run.model.item_tower.text_part.split(served)[0].numpy()
    found = (served * wanted).sum(axis=1)
    assert cosine < found.min()
    assert np.abs(served - wanted).max() > 1e-6
