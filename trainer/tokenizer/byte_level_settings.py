"""What a fast byte-level BPE tokenizer is made of."""

from __future__ import annotations

import json
from typing import Any

from tokenizers.pre_tokenizers import ByteLevel

_PLAIN = {
    "dropout": None,
    "continuing_subword_prefix": ("", None),
    "end_of_word_suffix": ("", None),
    "byte_fallback": False,
    "ignore_merges": False,
}


def byte_pair_settings(tokenizer: Any) -> dict[str, Any]:
    """The settings of the BPE model.

    Raises:
        ValueError: if the tokenizer is not RoBERTa's kind.
    """
    settings = json.loads(tokenizer.backend_tokenizer.to_str())
    model: dict[str, Any] = settings["model"]
    before = settings["pre_tokenizer"] or {}
    found = [
        (settings["normalizer"] or {}).get("type"),
        model["type"],
        before.get("type"),
        before.get("add_prefix_space"),
        before.get("use_regex", True),
        tokenizer.padding_side,
        tokenizer.truncation_side,
    ]
    wanted = [None, "BPE", "ByteLevel", False, True, "right", "right"]
    others = [
        name
        for name, plain in _PLAIN.items()
        if model.get(name) not in (plain if isinstance(plain, tuple) else
                                   (plain, None))
    ]
    if found != wanted or others:
        raise ValueError(
            "Of BPE tokenizers only RoBERTa's kind is supported, "
            f"{wanted}; got {found}"
            + (f" with {', '.join(others)} set" if others else "")
            + ". Choose a text encoder with a tokenizer of BERT or RoBERTa."
        )
    if len(tokenizer("")["input_ids"]) != 2:
        raise ValueError(
            "The tokenizer must put one token before and one behind a text; "
            f"for an empty text it gives {tokenizer('')['input_ids']}."
        )
    return model


def literal_tokens(tokenizer: Any) -> dict[int, Any]:
    """The special tokens that are recognised in raw text, by id.

    Raises:
        ValueError: if one is recognised by more than its characters and the
            spaces before it.
    """
    found: dict[int, Any] = tokenizer.added_tokens_decoder
    for added in found.values():
        if added.rstrip or added.single_word:
            raise ValueError(
                f"The added token {added.content!r} takes the spaces behind "
                "it or is matched as a single word, which is not supported; "
                "add it with rstrip=False, single_word=False."
            )
    return found


def byte_ids(vocabulary: dict[str, int]) -> list[int]:
    """The id of each byte's own token.

    Raises:
        ValueError: if a byte has none.
    """
    level = ByteLevel(add_prefix_space=False, use_regex=False)
    names = [_name_of(level, byte) for byte in range(256)]
    missing = [byte for byte in range(256) if names[byte] not in vocabulary]
    # Bytes that no UTF-8 text has need no token.
    never = {0xC0, 0xC1, *range(0xF5, 0x100)}
    if set(missing) - never:
        raise ValueError(
            f"The vocabulary has no token for the bytes {missing}; choose a "
            "tokenizer whose alphabet is all bytes."
        )
    return [vocabulary.get(name, 0) for name in names]


def _name_of(level: ByteLevel, byte: int) -> str:
    """The character that a byte is written as in the vocabulary."""
    if byte < 0x80:
        return str(level.pre_tokenize_str(chr(byte))[0][0])
    # Any text with the byte in it tells: its place is that of the byte.
    for point in (*range(0x80, 0x800), *range(0x800, 0x10000, 0x40),
                  *range(0x10000, 0x110000, 0x1000)):
        if 0xD800 <= point < 0xE000:
            continue
        encoded = chr(point).encode()
        if byte in encoded:
            written = level.pre_tokenize_str(chr(point))[0][0]
            return str(written[encoded.index(byte)])
    return ""
