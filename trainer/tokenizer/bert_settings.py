"""What a fast BERT tokenizer is made of, and which ones can be rebuilt."""

from __future__ import annotations

import json
from typing import Any

PREFIX = "##"  # marks tokens that continue a word


def word_piece_settings(tokenizer: Any) -> dict[str, Any]:
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
            f"Only BERT's tokenizer, of parts {wanted}, and RoBERTa's are "
            f"supported, which the served graph can be made of; got {found}. "
            "Choose a text encoder with one of these."
        )
    if tokenizer("")["input_ids"] != [
        tokenizer.cls_token_id, tokenizer.sep_token_id
    ]:
        raise ValueError(
            "The tokenizer must put one [CLS] before and one [SEP] behind a "
            f"text; for an empty text it gives {tokenizer('')['input_ids']}."
        )
    return model


def special_tokens(tokenizer: Any) -> dict[str, int]:
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
