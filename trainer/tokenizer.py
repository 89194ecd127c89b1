"""BERT's tokenizer as a TensorFlow graph of core operations.

A bundle that carries it takes raw text and needs neither Python nor a custom
operation. It gives the ids of Hugging Face's fast tokenizer, from which it is
made; `trainer.text_normalizer` finds words, `trainer.wordpiece` their tokens.
"""

from __future__ import annotations

import json
import re
from typing import Any

import tensorflow as tf

from trainer.text_normalizer import TextNormalizer, Words
from trainer.wordpiece import PREFIX, WordPiece

# Special tokens are found in the raw text, before anything is normalized, and
# pass through the normalizer as private-use characters.
_PRIVATE_USE = range(0x100000, 0x10FFFE)
_BYTES_PER_TOKEN = 16  # of the part of a text that is looked at first


def _check_backend(tokenizer: Any) -> dict[str, Any]:
    """The settings of the WordPiece model.

    Raises:
        ValueError: if the tokenizer is not BERT's, or is one that cannot be
            told by characters.
    """
    if not getattr(tokenizer, "is_fast", False):
        raise ValueError(
            f"Got {type(tokenizer).__name__}, which is not a fast tokenizer; "
            "load it by AutoTokenizer.from_pretrained(path, use_fast=True)."
        )
    settings = json.loads(tokenizer.backend_tokenizer.to_str())
    model: dict[str, Any] = settings["model"]
    found = [
        (settings[part] or {}).get("type")
        for part in ("normalizer", "pre_tokenizer", "model")
    ]
    found.append(model.get("continuing_subword_prefix"))
    found += [tokenizer.padding_side, tokenizer.truncation_side]
    wanted = ["BertNormalizer", "BertPreTokenizer", "WordPiece", PREFIX]
    wanted += ["right", "right"]
    if found != wanted:
        raise ValueError(
            f"Only BERT's tokenizer is supported, of parts {wanted}; got "
            f"{found}. Choose a text encoder with a BERT tokenizer."
        )
    if tokenizer("")["input_ids"] != [
        tokenizer.cls_token_id, tokenizer.sep_token_id
    ]:
        raise ValueError(
            "The tokenizer must put one [CLS] before and one [SEP] behind a "
            f"text; for an empty text it gives {tokenizer('')['input_ids']}."
        )
    return model


def _special_tokens(tokenizer: Any) -> dict[str, int]:
    """Id of each token that is recognised in raw text.

    Raises:
        ValueError: if one is recognised by more than its characters, or two
            could overlap, so that the order of replacing them would count.
    """
    specials: dict[str, int] = {}
    for token, added in tokenizer.added_tokens_decoder.items():
        if added.normalized or added.single_word:
            raise ValueError(
                f"The added token {added.content!r} is matched in normalized "
                "text or as a single word, which is not supported; add it "
                "with normalized=False, single_word=False."
            )
        specials[added.content] = token
    for first in specials:
        for second in specials.keys() - {first}:
            ends = (first[i:] for i in range(len(first)))
            if second in first or any(second.startswith(e) for e in ends):
                raise ValueError(
                    f"The special tokens {first!r} and {second!r} overlap, "
                    "which is not supported; remove one of them."
                )
    return specials


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
        if max_tokens < 2:
            raise ValueError(
                f"max_tokens must be at least 2, got {max_tokens}: [CLS] and "
                "[SEP] are always there."
            )
        model = _check_backend(hf_tokenizer)
        specials = _special_tokens(hf_tokenizer)
        self._max_words = max_tokens - 2  # each has at least one token
        self._frame = hf_tokenizer("")["input_ids"]  # [CLS], [SEP]
        self._padding = hf_tokenizer.pad_token_id
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
            needs and at most max_tokens, padded on the right; [0, 0] for an
            empty batch.
        """
        num_texts = tf.size(texts)
        words = self._find_words(self._shorten(texts))
        words = words.first(self._max_words, num_texts)
        ids, rows = self._word_piece.match(words)
        ragged = tf.RaggedTensor.from_value_rowids(
            ids, tf.cast(rows, tf.int64), tf.cast(num_texts, tf.int64),
            validate=False,
        )[:, : self._max_words]
        start, end = (tf.fill([num_texts, 1], i) for i in self._frame)
        framed = tf.concat([start, ragged, end], 1)
        return framed.to_tensor(self._padding)

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
