"""A new BERT: word pieces learnt from one's own text, sizes by name.

Chinese, Japanese and Korean need no word list: BERT's normalizer makes each
Chinese character a word, so that the pieces are characters there.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tokenizers
import transformers

from trainer.encoder_sizes import SIZES


def learn_tokenizer(
    corpus: Sequence[str],
    vocab_size: int,
    folder: Path,
    *,
    lowercase: bool = True,
) -> transformers.PreTrainedTokenizerFast:
    """Learns word pieces.

    Args:
        corpus: texts in any language.
        vocab_size: pieces at most. Up to half of them are single characters,
            the most frequent ones: a language has thousands.
        folder: exists; gets `vocab.txt`.
        lowercase: whether case and accents are dropped.

    Returns:
        A fast BERT tokenizer, not saved.
    """
    pieces = tokenizers.BertWordPieceTokenizer(lowercase=lowercase)
    pieces.train_from_iterator(
        corpus,
        vocab_size=vocab_size,
        limit_alphabet=vocab_size // 2,
        show_progress=False,
    )
    pieces.save_model(str(folder))
    return transformers.BertTokenizerFast(
        vocab_file=str(folder / "vocab.txt"), do_lower_case=lowercase
    )


def bert_config(name: str, vocab_size: int) -> transformers.BertConfig:
    """The configuration behind a name.

    Args:
        name: one of `SIZES`, or a `.json` file of a BERT configuration.
        vocab_size: takes the place of what the file says.

    Raises:
        OSError: if there is no such file.
    """
    if name in SIZES:
        return transformers.BertConfig(**SIZES[name], vocab_size=vocab_size)
    settings = transformers.BertConfig.from_json_file(name).to_dict()
    return transformers.BertConfig(**{**settings, "vocab_size": vocab_size})
