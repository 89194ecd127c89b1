"""The cache of text vectors: each text once, ever."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from trainer import text_cache
from trainer.text_cache import TextCache, text_key

DIM = 3


class Encoder:
    """Encodes a text as its length, its first letter and a constant."""

    def __init__(
        self, constant: float = 7.0, fail_at: str | None = None
    ) -> None:
        self.constant, self.fail_at = constant, fail_at
        self.seen: list[str] = []

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        if self.fail_at in texts:
            raise KeyboardInterrupt
        self.seen += texts
        return np.array([self.vector(text) for text in texts], np.float32)

    def vector(self, text: str) -> list[float]:
        return [len(text), ord(text[0]), self.constant]


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_cache, "_PART_TEXTS", 2)


def test_each_text_gets_its_own_vector_in_the_order_asked(
    tmp_path: Path
) -> None:
    encoder = Encoder()
    texts = ["ccc", "a", "", "ccc", "bb"]
    found = TextCache(tmp_path, "e1", DIM).vectors(texts, encoder)
    expected = [encoder.vector(text) if text else [0, 0, 0] for text in texts]
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.float32


def test_each_distinct_text_is_encoded_once(tmp_path: Path) -> None:
    encoder = Encoder()
    TextCache(tmp_path, "e1", DIM).vectors(["b", "a", "b", "a"], encoder)
    assert sorted(encoder.seen) == ["a", "b"]


def test_an_empty_text_is_never_encoded(tmp_path: Path) -> None:
    encoder = Encoder()
    found = TextCache(tmp_path, "e1", DIM).vectors(["", ""], encoder)
    assert encoder.seen == []
    assert found.tolist() == [[0] * DIM] * 2


def test_no_texts_have_no_vectors(tmp_path: Path) -> None:
    found = TextCache(tmp_path, "e1", DIM).vectors([], Encoder())
    assert found.shape == (0, DIM)


def test_a_second_call_encodes_new_texts_alone(tmp_path: Path) -> None:
    cache, encoder = TextCache(tmp_path, "e1", DIM), Encoder()
    cache.vectors(["a", "b"], encoder)
    found = cache.vectors(["c", "b"], encoder)
    assert sorted(encoder.seen) == ["a", "b", "c"]
    expected = [encoder.vector("c"), encoder.vector("b")]
    np.testing.assert_array_equal(found, expected)


def test_a_second_run_finds_what_the_first_has_encoded(
    tmp_path: Path, small_parts: None
) -> None:
    texts = ["a", "bb", "ccc", "dddd", "eeeee"]
    first = TextCache(tmp_path, "e1", DIM).vectors(texts, Encoder())
    encoder = Encoder()
    second = TextCache(tmp_path, "e1", DIM).vectors(texts[::-1], encoder)
    assert encoder.seen == []
    np.testing.assert_array_equal(second, first[::-1])


def test_hits_and_misses_count_distinct_texts_of_a_call(tmp_path: Path) -> None:
    cache = TextCache(tmp_path, "e1", DIM)
    cache.vectors(["a", "b", "a", ""], Encoder())
    assert (cache.hits, cache.misses) == (0, 2)
    cache.vectors(["a", "b", "b", "c"], Encoder())
    assert (cache.hits, cache.misses) == (2, 1)


def test_encoders_do_not_meet_each_others_vectors(tmp_path: Path) -> None:
    TextCache(tmp_path, "e1", DIM).vectors(["a"], Encoder(constant=1))
    other = TextCache(tmp_path, "e2", DIM).vectors(["a"], Encoder(constant=2))
    again = TextCache(tmp_path, "e1", DIM).vectors(["a"], Encoder(constant=3))
    assert (other[0, 2], again[0, 2]) == (2, 1)


def test_a_killed_run_loses_the_part_it_was_at_alone(
    tmp_path: Path, small_parts: None
) -> None:
    texts = ["a", "bb", "ccc", "dddd", "eeeee"]
    killed = Encoder(fail_at="dddd")
    with pytest.raises(KeyboardInterrupt):
        TextCache(tmp_path, "e1", DIM).vectors(texts, killed)
    assert killed.seen == ["a", "bb"]
    encoder = Encoder()
    found = TextCache(tmp_path, "e1", DIM).vectors(texts, encoder)
    assert encoder.seen == ["ccc", "dddd", "eeeee"]
    np.testing.assert_array_equal(found[:, 0], [1, 2, 3, 4, 5])


def test_a_part_that_was_half_written_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(source: Path, target: Path) -> None:
        Path(source).write_bytes(b"half a par")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(text_cache.os, "replace", die)
        with pytest.raises(KeyboardInterrupt):
            TextCache(tmp_path, "e1", DIM).vectors(["a"], Encoder())
    leftover = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(leftover) == 1
    encoder = Encoder()
    found = TextCache(tmp_path, "e1", DIM).vectors(["a"], encoder)
    np.testing.assert_array_equal(found, [encoder.vector("a")])


def test_two_runs_that_encoded_the_same_text_do_not_disturb(
    tmp_path: Path
) -> None:
    first, second = (TextCache(tmp_path, "e1", DIM) for _ in range(2))
    first.vectors(["a", "bb"], Encoder())
    second.vectors(["bb", "ccc"], Encoder())
    encoder = Encoder()
    found = TextCache(tmp_path, "e1", DIM).vectors(["ccc", "bb", "a"], encoder)
    assert encoder.seen == []
    assert found[:, 0].tolist() == [3, 2, 1]


def test_short_texts_are_encoded_together(tmp_path: Path) -> None:
    encoder = Encoder()
    TextCache(tmp_path, "e1", DIM).vectors(["ccc", "a", "bb"], encoder)
    assert encoder.seen == ["a", "bb", "ccc"]


def test_keys_are_those_of_the_text() -> None:
    texts = ["a", "b", "a ", "", "中文", "\ud800"]
    assert len({text_key(text) for text in texts}) == len(texts)
    assert {len(text_key(text)) for text in texts} == {16}
    # The first 16 bytes of the published SHA-256 of "abc".
    assert text_key("abc").hex() == "ba7816bf8f01cfea414140de5dae2223"


def test_half_precision_takes_half_the_room_beside_the_full(
    tmp_path: Path
) -> None:
    def encode(texts: Sequence[str]) -> np.ndarray:
        return np.full((len(texts), 500), 1 / 3, np.float32)

    texts = [f"text {n}" for n in range(40)]
    found = {}
    sizes = {}
    for precision in ("float32", "float16"):
        cache = TextCache(tmp_path, "e1", 500, precision)
        found[precision] = cache.vectors(texts, encode)
        sizes[precision] = sum(
            path.stat().st_size
            for path in tmp_path.rglob("part-*")
        ) - sum(sizes.values())
    assert sizes["float16"] / sizes["float32"] == pytest.approx(0.5, abs=0.02)
    assert found["float16"].dtype == np.float32
    np.testing.assert_array_equal(found["float32"], np.float32(1 / 3))
    np.testing.assert_array_equal(found["float16"], np.float16(1 / 3))


def test_vectors_stay_on_disk_until_they_are_asked_for(tmp_path: Path) -> None:
    TextCache(tmp_path, "e1", DIM).vectors(["a", "bb"], Encoder())
    again = TextCache(tmp_path, "e1", DIM)
    assert all(isinstance(part, np.memmap) for part in again._parts)


def test_the_share_of_hits_is_told(tmp_path: Path) -> None:
    cache = TextCache(tmp_path, "e1", DIM)
    cache.vectors(["a", "b", "c"], Encoder())
    cache.vectors(["a", "b", "c", "d"], Encoder())
    assert cache.account == "3 cached, 1 encoded (75% hits)"
