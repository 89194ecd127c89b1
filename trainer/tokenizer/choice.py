"""Which graph stands in for a Hugging Face tokenizer."""

from __future__ import annotations

import json
from typing import Any

from trainer.tokenizer.bert import BertTokenizer
from trainer.tokenizer.byte_level import ByteLevelTokenizer


def in_graph_tokenizer(
    hf_tokenizer: Any, max_tokens: int
) -> BertTokenizer | ByteLevelTokenizer:
    """The graph that gives the ids of a fast tokenizer.

    Args:
        hf_tokenizer: of BERT (WordPiece) or RoBERTa (byte-level BPE).
        max_tokens: ids of a text at most.

    Raises:
        ValueError: if it is of another kind, such as SentencePiece.
    """
    if getattr(hf_tokenizer, "is_fast", False):
        settings = json.loads(hf_tokenizer.backend_tokenizer.to_str())
        if settings["model"]["type"] == "BPE":
            return ByteLevelTokenizer(hf_tokenizer, max_tokens)
    return BertTokenizer(hf_tokenizer, max_tokens)
