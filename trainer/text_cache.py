"""A content-addressed cache of text vectors: each text is encoded once, ever.

Vectors are addressed by the text itself within a folder that is named after
the encoder (weights, tokenizer and length), so a changed encoder never meets
the vectors of another. Parts are written whole: a killed run loses the part
it was at, and the next one goes on from there.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

_PART_TEXTS = 1024  # about ten seconds of BERT on two cores


def text_key(text: str) -> bytes:
    """16 bytes that stand for the text; a collision is beyond reach."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


class TextCache:
    """Vectors of one encoder on disk, and in memory once they were asked for.

    Args:
        folder: where the parts of all encoders lie.
        encoder_fingerprint: names the weights, the tokenizer and the length.
        dim: width of a vector.
    """

    def __init__(
        self, folder: Path, encoder_fingerprint: str, dim: int
    ) -> None:
        self._folder = folder / encoder_fingerprint
        self._dim = dim
        self._row_of: dict[bytes, int] = {}
        self._parts: list[np.ndarray] = []
        self.hits = self.misses = 0
        for path in sorted(self._folder.glob("part-*.npz")):
            with np.load(path) as part:
                self._add(part["keys"], part["vectors"])

    def vectors(
        self,
        texts: Sequence[str],
        encode: Callable[[Sequence[str]], np.ndarray],
    ) -> np.ndarray:
        """Vectors of texts, encoding each distinct new one once.

        Args:
            texts: any order, repeats allowed; an empty text gets zeros.
            encode: texts -> [texts, dim] float32; called with new texts only.

        Returns:
            [texts, dim] float32.
        """
        keys = {text: text_key(text) for text in dict.fromkeys(texts) if text}
        new = [text for text, key in keys.items() if key not in self._row_of]
        self.hits, self.misses = len(keys) - len(new), len(new)
        new.sort(key=len)  # texts of one length share a batch without padding
        with tqdm(
            total=len(new), unit=" texts", desc="encode", disable=not new
        ) as bar:
            for at in range(0, len(new), _PART_TEXTS):
                chunk = new[at : at + _PART_TEXTS]
                self._write_part([keys[text] for text in chunk], encode(chunk))
                bar.update(len(chunk))
        table = np.concatenate(
            [np.zeros((1, self._dim), np.float32), *self._parts]
        )
        rows = [1 + self._row_of[keys[t]] if t else 0 for t in texts]
        return table[rows]

    def _write_part(self, keys: list[bytes], vectors: np.ndarray) -> None:
        packed = np.frombuffer(b"".join(keys), np.uint8).reshape(-1, 16)
        self._folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(packed.tobytes()).hexdigest()[:16]
        partial = self._folder / f".{name}.{os.getpid()}.npz"
        np.savez(partial, keys=packed, vectors=vectors.astype(np.float32))
        os.replace(partial, self._folder / f"part-{name}.npz")
        self._add(packed, vectors.astype(np.float32))

    def _add(self, keys: np.ndarray, vectors: np.ndarray) -> None:
        first = sum(map(len, self._parts))
        for row, key in enumerate(keys):
            self._row_of.setdefault(key.tobytes(), first + row)
        self._parts.append(vectors)
