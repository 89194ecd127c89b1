"""One way to encode texts, in a process that is told what to do.

    PYTHON -m benchmarks.language.encoders WAY MODEL TEXTS.json MAX_TOKENS

WAY is a key of `OURS` or `PEERS`. Reads lines: `time` encodes all texts and
prints the seconds, `save FILE.npy` writes their vectors. Each way imports its
own libraries, which are not all to be had for one Python.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

READY = "ready"
_BATCH = 64  # texts, for all ways
Encode = Callable[[Sequence[str]], np.ndarray]


def _package(
    model: str, max_tokens: int, policy: str = "float32"
) -> Any:
    import tensorflow as tf

    from trainer.encoder_loading import load_encoder

    tf.keras.mixed_precision.set_global_policy(policy)
    return load_encoder(
        model, max_tokens=max_tokens, corpus=(), folder=Path(model)
    )


def package(model: str, max_tokens: int) -> Encode:
    """This package, as it is."""
    return _package(model, max_tokens).encode_bulk


def package_bfloat16(model: str, max_tokens: int) -> Encode:
    """This package with `--precision mixed_bfloat16`."""
    return _package(model, max_tokens, "mixed_bfloat16").encode_bulk


def package_cached(model: str, max_tokens: int) -> Encode:
    """This package where each text was encoded before; from the disk."""
    from trainer.text_cache import TextCache

    encoder = _package(model, max_tokens)
    folder = tempfile.TemporaryDirectory()  # until nobody encodes any more

    def encode(texts: Sequence[str]) -> np.ndarray:
        cache = TextCache(Path(folder.name), "encoder", encoder.dim)
        return cache.vectors(texts, encoder.encode_bulk)

    return encode


def plain_bert(model: str, max_tokens: int) -> Encode:
    """`TFBertModel` as its documentation calls it, mean pooled."""
    import tensorflow as tf
    import transformers

    from trainer.encoder_loading import load_weights

    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    bert = load_weights(model, transformers.TFBertModel)

    def encode(texts: Sequence[str]) -> np.ndarray:
        found = []
        for at in range(0, len(texts), _BATCH):
            inputs = tokenizer(
                list(texts[at : at + _BATCH]), padding=True, truncation=True,
                max_length=max_tokens, return_tensors="tf",
            )
            states = bert(**inputs).last_hidden_state
            mask = tf.cast(inputs["attention_mask"], tf.float32)[:, :, None]
            total = tf.reduce_sum(states * mask, axis=1)
            found.append(tf.math.l2_normalize(total, axis=-1).numpy())
        return np.concatenate(found)

    return encode


def _sentence_transformers(
    model: str, max_tokens: int, backend: str
) -> Encode:
    from sentence_transformers import SentenceTransformer

    loaded = SentenceTransformer(model, backend=backend, device="cpu")
    loaded.max_seq_length = max_tokens
    return lambda texts: loaded.encode(
        list(texts), batch_size=_BATCH, normalize_embeddings=True
    )


def sentence_transformers(model: str, max_tokens: int) -> Encode:
    """sentence-transformers on PyTorch."""
    return _sentence_transformers(model, max_tokens, "torch")


def onnx_runtime(model: str, max_tokens: int) -> Encode:
    """ONNX Runtime behind sentence-transformers, which makes the graph."""
    return _sentence_transformers(model, max_tokens, "onnx")


OURS: dict[str, Callable[[str, int], Encode]] = {
    "float32": package,
    "mixed_bfloat16": package_bfloat16,
    "cached": package_cached,
    "TFBertModel": plain_bert,
}
PEERS: dict[str, Callable[[str, int], Encode]] = {
    "sentence-transformers": sentence_transformers,
    "ONNX Runtime": onnx_runtime,
}


def main(way: str, model: str, texts_file: str, max_tokens: str) -> None:
    """Does what the lines of standard input say."""
    texts = json.loads(Path(texts_file).read_text())
    encode = {**OURS, **PEERS}[way](model, int(max_tokens))
    vectors = encode(texts)  # graphs are made, caches filled
    print(READY, flush=True)
    for line in sys.stdin:
        word, _, path = line.strip().partition(" ")
        if word == "save":
            np.save(path, vectors)
            print(path, flush=True)
            continue
        started = time.perf_counter()
        encode(texts)
        print(time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
