"""Which words are hidden, and by what."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from trainer.pretraining.masking import Vocabulary, drop_words, hide_words
from trainer.pretraining.token_batches import TokenTable

MASK, VOCABULARY = 4, Vocabulary(4, np.arange(10, 60, dtype=np.int32))
# Two texts: words of 2, 1 and 3 pieces; one word of 1 piece.
IDS = np.array([[2, 11, 12, 13, 14, 15, 16, 3], [2, 21, 3, 0, 0, 0, 0, 0]])
WORDS = np.array(
    [[-1, 0, 0, 1, 2, 2, 2, -1], [-1, 0, -1, -1, -1, -1, -1, -1]]
)
TABLE = TokenTable(
    IDS.astype(np.int32), WORDS.astype(np.int32), np.array([8, 3])
)


def hidden(seed: int, share: float = 0.15):
    return hide_words(
        TABLE, VOCABULARY, share, np.random.default_rng(seed)
    )


def test_pieces_of_a_word_are_hidden_together():
    seen = set()
    for seed in range(60):
        places = {tuple(place) for place in hidden(seed).places.tolist()}
        words = {
            tuple(np.argwhere(WORDS[row] == WORDS[row][at])[:, 0])
            for row, at in places if row == 0
        }
        of_words = {(0, at) for word in words for at in word}
        assert places - {(1, 1)} == of_words
        seen |= words
    assert seen == {(1, 2), (3,), (4, 5, 6)}


def test_each_text_loses_a_word_and_never_a_special_token():
    for seed in range(40):
        places = hidden(seed, share=0.01).places
        assert set(places[:, 0]) == {0, 1}
        assert (WORDS[tuple(places.T)] >= 0).all()


def test_labels_are_what_was_there_and_the_rest_is_as_read():
    masked = hidden(3, share=0.5)
    np.testing.assert_array_equal(IDS[tuple(masked.places.T)], masked.labels)
    others = np.ones(IDS.shape, bool)
    others[tuple(masked.places.T)] = False
    np.testing.assert_array_equal(masked.ids[others], IDS[others])


def test_eight_in_ten_are_masks_and_one_is_another_piece():
    kinds = {"mask": 0, "same": 0, "other": 0}
    for seed in range(1500):
        masked = hidden(seed, share=0.15)
        shown = masked.ids[1, 1]  # the second text's only word
        kind = {MASK: "mask", 21: "same"}.get(int(shown), "other")
        kinds[kind] += 1
        assert kind != "other" or shown in VOCABULARY.ordinary_ids
    assert kinds["mask"] / 1500 == pytest.approx(0.8, abs=0.04)
    assert kinds["other"] / 1500 == pytest.approx(0.1, abs=0.03)


def test_a_share_of_the_words_is_hidden():
    words = np.tile(np.arange(200, dtype=np.int32), (3, 1))
    table = TokenTable(words + 10, words, np.full(3, 200))
    found = hide_words(
        table, VOCABULARY, 0.3, np.random.default_rng(0)
    )
    assert len(found.labels) / 600 == pytest.approx(0.3, abs=0.06)


def test_a_tokenizer_without_a_mask_is_refused():
    with pytest.raises(ValueError, match="no mask token"):
        Vocabulary.of(SimpleNamespace(mask_token_id=None))


def test_words_are_left_out_whole_and_never_all():
    shares = []
    for seed in range(300):
        ids = drop_words(TABLE, 0.4, 0, np.random.default_rng(seed))
        is_out = ids != IDS
        assert not ids[is_out].any()
        assert not is_out[WORDS < 0].any()
        words = [is_out[0][WORDS[0] == n] for n in range(3)]
        assert all(out.all() or not out.any() for out in words)
        assert not is_out[1].any()  # its only word
        assert not all(out.all() for out in words)
        shares.append(np.mean([out.all() for out in words]))
    # Of three words each is out by 0.4, but for all three: 0.4 - 0.4^3 / 3.
    assert np.mean(shares) == pytest.approx(0.4 - 0.4**3 / 3, abs=0.03)
