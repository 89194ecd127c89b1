from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import transformers
from tokenizers import AddedToken, Tokenizer, models, processors

from trainer.tokenizer.bert_settings import special_tokens, word_piece_settings

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##a"]


@pytest.fixture
def vocabulary_file(tmp_path: Path) -> str:
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join(VOCABULARY))
    return str(path)


@pytest.fixture
def make(vocabulary_file: str) -> Callable[..., Any]:
    def make_fast(**options: Any) -> Any:
        return transformers.BertTokenizerFast(vocabulary_file, **options)

    return make_fast


def test_settings_hold_the_vocabulary_and_the_longest_word(
    make: Callable[..., Any],
) -> None:
    settings = word_piece_settings(make())
    assert sorted(settings["vocab"], key=settings["vocab"].get) == VOCABULARY
    assert settings["max_input_chars_per_word"] == 100


def test_special_tokens_come_with_their_ids(make: Callable[..., Any]) -> None:
    hf = make()
    hf.add_special_tokens({"additional_special_tokens": ["<user>"]})
    assert special_tokens(hf) == {
        "[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4,
        "<user>": 7,
    }


def test_slow_tokenizer_is_refused(vocabulary_file: str) -> None:
    with pytest.raises(ValueError, match="not a fast tokenizer"):
        word_piece_settings(transformers.BertTokenizer(vocabulary_file))


def test_tokenizer_of_another_family_is_refused() -> None:
    other = transformers.PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.BPE())
    )
    with pytest.raises(ValueError, match="got .*'BPE'"):
        word_piece_settings(other)


@pytest.mark.parametrize("side", ["padding_side", "truncation_side"])
def test_left_side_is_refused(make: Callable[..., Any], side: str) -> None:
    with pytest.raises(ValueError, match="'left'"):
        word_piece_settings(make(**{side: "left"}))


def test_text_without_its_frame_is_refused(make: Callable[..., Any]) -> None:
    hf = make()
    hf.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="$A [SEP]", special_tokens=[("[SEP]", 3)]
    )
    with pytest.raises(ValueError, match=r"for an empty text it gives \[3\]"):
        word_piece_settings(hf)


@pytest.mark.parametrize("option", ["normalized", "single_word"])
def test_token_matched_by_more_than_its_characters_is_refused(
    make: Callable[..., Any], option: str
) -> None:
    hf = make()
    options = {"normalized": False, option: True}
    hf.add_tokens([AddedToken("newword", **options)])
    with pytest.raises(ValueError, match="'newword'.*normalized=False"):
        special_tokens(hf)


@pytest.mark.parametrize(
    "overlapping", [["<a>", "<a><b>"], ["<ab", "b>"], ["b>", "<ab"]]
)
def test_overlapping_special_tokens_are_refused(
    make: Callable[..., Any], overlapping: list[str]
) -> None:
    hf = make()
    hf.add_special_tokens({"additional_special_tokens": overlapping})
    with pytest.raises(ValueError, match="overlap"):
        special_tokens(hf)
