"""BERT's tokenizer as a TensorFlow graph of core operations.

A bundle that carries it takes raw text and needs neither Python nor a custom
operation. It gives the ids of Hugging Face's fast tokenizer, from which it is
made; `text_normalizer` finds words, `wordpiece` their tokens.
"""

from __future__ import annotations

import re
from typing import Any

import tensorflow as tf

from trainer.tokenizer.bert_settings import special_tokens, word_piece_settings
from trainer.tokenizer.frame import Frame
from trainer.tokenizer.text_normalizer import TextNormalizer, Words
from trainer.tokenizer.wordpiece import WordPiece

# Special tokens are found in the raw text, before anything is normalized, and
# pass through the normalizer as private-use characters.
_PRIVATE_USE = range(0x100000, 0x10FFFE)
_BYTES_PER_TOKEN = 16  # of the part of a text that is looked at first


class BertTokenizer(tf.Module):
    """Input ids of raw texts, equal to those of a fast BERT tokenizer.

    Equal to `hf_tokenizer(texts, truncation=True, max_length=max_tokens,
    padding=True)["input_ids"]`. Bytes that are not UTF-8 are read as by
    Python's `errors="replace"`; BERT's normalizer drops what they become.

    Args:
        hf_tokenizer: a `transformers` fast tokenizer: BERT's normalizer,
            pre-tokenizer and WordPiece, any vocabulary, cased or not.
        max_tokens: ids of a text at most, [CLS] and [SEP] included, from 2.

    Raises:
        ValueError: if the tokenizer is of another kind.
    """

    def __init__(self, hf_tokenizer: Any, max_tokens: int) -> None:
        super().__init__(name="bert_tokenizer")
        model = word_piece_settings(hf_tokenizer)
        specials = special_tokens(hf_tokenizer)
        self._max_words = max_tokens - 2  # each has at least one token
        self._frame = Frame(hf_tokenizer, max_tokens)
        vocabulary = dict(model["vocab"])
        taken = set("".join(vocabulary))
        free = (chr(p) for p in _PRIVATE_USE if chr(p) not in taken)
        self._neutral = next(free)
        self._stand_ins = dict(zip(specials, free, strict=False))
        for text, token in specials.items():
            vocabulary[self._stand_ins[text]] = token
        alphabet = sorted(set("".join(vocabulary)))
        symbols = {c: i for i, c in enumerate(alphabet, start=1)}
        self._normalizer = TextNormalizer(
            hf_tokenizer.backend_tokenizer, symbols,
            standalone="".join(self._stand_ins.values()),
        )
        self._word_piece = WordPiece(
            vocabulary, symbols,
            unknown=vocabulary[model["unk_token"]],
            max_characters=model["max_input_chars_per_word"],
        )
        longest = max((len(text.encode()) for text in specials), default=0)
        self._head_bytes = _BYTES_PER_TOKEN * max_tokens + longest
        self._enough_words = max_tokens + longest

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
    )
    def __call__(self, texts: tf.Tensor) -> tf.Tensor:
        """Input ids.

        Args:
            texts: [batch] string, UTF-8.

        Returns:
            [batch, tokens] int32, as wide as the longest text of the batch
            needs and at most max_tokens, padded on the right; [0, 2] for an
            empty batch.
        """
        num_texts = tf.size(texts)
        words = self._find_words(self._shorten(texts))
        words = words.first(self._max_words, num_texts)
        ids, rows = self._word_piece.match(words)
        return self._frame(ids, rows, num_texts)

    def _find_words(self, texts: tf.Tensor) -> Words:
        for stand_in in self._stand_ins.values():
            # What the text itself has there: no token has it either.
            texts = tf.strings.regex_replace(texts, stand_in, self._neutral)
        for special, stand_in in self._stand_ins.items():
            texts = tf.strings.regex_replace(
                texts, re.escape(special), stand_in
            )
        return self._normalizer.find_words(texts)

    def _shorten(self, texts: tf.Tensor) -> tf.Tensor:
        """Cuts texts [batch] whose first bytes settle all of their ids.

        A cut changes words only from the last special token's length before
        it on, one more because a special token ends the word before it, and
        the word that is cut itself. A text whose head has that many words
        more than are read is cut to its head; others are kept whole.
        """
        heads = tf.strings.substr(texts, 0, self._head_bytes)
        is_long = tf.strings.length(texts) > self._head_bytes
        words = self._find_words(tf.where(is_long, heads, ""))
        is_enough = words.per_text(tf.size(texts)) >= self._enough_words
        return tf.where(is_enough, heads, texts)
