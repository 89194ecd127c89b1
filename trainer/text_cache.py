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
    """Vectors of one encoder on disk, mapped into memory.

    Args:
        folder: where the parts of all encoders lie.
        encoder_fingerprint: names the weights, the tokenizer and the length.
        dim: width of a vector.
        precision: float32 or float16, of vectors on disk; each has parts of
            its own.

    Attributes:
        hits, misses: distinct texts of the last call that were there and that
            were not.
    """

    def __init__(
        self,
        folder: Path,
        encoder_fingerprint: str,
        dim: int,
        precision: str = "float32",
    ) -> None:
        half = "-half" if precision == "float16" else ""
        self._folder = folder / f"{encoder_fingerprint}{half}"
        self._dim = dim
        self._kind = np.dtype(
            [("key", np.uint8, 16), ("vector", precision, dim)]
        )
        self._row_of: dict[bytes, tuple[int, int]] = {}
        self._parts: list[np.ndarray] = []
        self.hits = self.misses = 0
        for path in sorted(self._folder.glob("part-*.npy")):
            self._add(np.load(path, mmap_mode="r"))

    @property
    def account(self) -> str:
        """What the last call found, for a person."""
        share = self.hits / max(1, self.hits + self.misses)
        return (
            f"{self.hits} cached, {self.misses} encoded ({share:.0%} hits)"
        )

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
        found = np.zeros((len(texts), self._dim), np.float32)
        places = [(at, keys[text]) for at, text in enumerate(texts) if text]
        table = np.array(
            [(at, *self._row_of[key]) for at, key in places], np.int64
        ).reshape(-1, 3)
        # Part by part: only the rows that are asked for are read from disk.
        for number in np.unique(table[:, 1]).tolist():
            at, _, row = table[table[:, 1] == number].T
            found[at] = self._parts[number]["vector"][row]
        return found

    def _write_part(self, keys: list[bytes], vectors: np.ndarray) -> None:
        part = np.empty(len(keys), self._kind)
        part["key"] = np.frombuffer(b"".join(keys), np.uint8).reshape(-1, 16)
        part["vector"] = vectors
        self._folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(part["key"].tobytes()).hexdigest()[:16]
        partial = self._folder / f".{name}.{os.getpid()}.npy"
        np.save(partial, part)
        path = self._folder / f"part-{name}.npy"
        os.replace(partial, path)
        self._add(np.load(path, mmap_mode="r"))

    def _add(self, part: np.ndarray) -> None:
        number = len(self._parts)
        for row, key in enumerate(np.ascontiguousarray(part["key"])):
            self._row_of.setdefault(key.tobytes(), (number, row))
        self._parts.append(part)
