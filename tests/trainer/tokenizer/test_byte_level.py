"""Byte-level BPE: the expected ids are always those of Hugging Face."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import transformers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import ByteLevelBPETokenizer, Tokenizer, models

from trainer.tokenizer import in_graph_tokenizer
from trainer.tokenizer.byte_level import ByteLevelTokenizer

CORPUS = 3 * [
    "the rocket's red glare, they'll say we've won it; I'm sure you'd agree",
    "running shoes for runners 2024 2025 20,000 !!! ... ---",
    "aaaa aaa aaaaaaa ababab  two  spaces\n\nlines\ttabs",
    "红色连衣裙 红色 naïve café Ночной рынок",
]
SPECIALS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
TEXTS = [
    "", " ", "   ", "a", "they'll've 's it's 'S ''s !'s 're're 'l 'll x'd",
    "two  spaces   and more ", " lead", "trail  ", "\n\n x\n\ty \u3000z",
    "a\u00a0 b\u2003\u2003c \u200b", "aaaa aaaaa aaaaaa abababab",
    "红色的连衣裙！１２３", "😀👩\u200d🚀 ½ ² Ⅷ ٣", "a<mask>b  <mask> c",
    "x \n <mask><mask>  </s> <s>y<pad>", "<mask", "<unk> <mas k>", "e\u0301",
    "\U00100000 \ue000 \uffff \U0010ffff", "1a2b3c !a!1 ' 's", "don't " * 30,
]


@pytest.fixture(scope="module")
def hf(tmp_path_factory: pytest.TempPathFactory) -> Any:
    pieces = ByteLevelBPETokenizer()
    pieces.train_from_iterator(CORPUS, 420, special_tokens=SPECIALS)
    folder = tmp_path_factory.mktemp("pieces")
    pieces.save_model(str(folder))
    return transformers.RobertaTokenizerFast(
        str(folder / "vocab.json"), str(folder / "merges.txt")
    )


@pytest.fixture(scope="module")
def graph(hf: Any) -> Any:
    return in_graph_tokenizer(hf, 24)


def ids_of(hf: Any, texts: list[str], max_tokens: int = 24) -> np.ndarray:
    return hf(
        texts, truncation=True, max_length=max_tokens, padding=True,
        return_tensors="np",
    )["input_ids"]


def test_odd_texts_have_the_same_ids(hf: Any, graph: Any) -> None:
    assert isinstance(graph, ByteLevelTokenizer)
    for text in TEXTS:
        found = graph(tf.constant([text])).numpy()
        assert found.tolist() == ids_of(hf, [text]).tolist(), repr(text)
    np.testing.assert_array_equal(graph(tf.constant(TEXTS)), ids_of(hf, TEXTS))


def test_a_batch_of_nothing(graph: Any) -> None:
    assert graph(tf.constant([], tf.string)).shape == (0, 2)


@settings(
    max_examples=150, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.lists(
            st.one_of(
                st.sampled_from([
                    "a", "aa", "ab", " ", "  ", "\n", "'", "'s", "'re", "ll",
                    "1", "!", "红", "<mask>", "<s>", "the", "\u3000", "é",
                ]),
                st.characters(exclude_categories=["Cs"]),
            ),
            max_size=14,
        ).map("".join),
        min_size=1, max_size=4,
    )
)
def test_any_texts_have_the_same_ids(
    hf: Any, graph: Any, texts: list[str]
) -> None:
    np.testing.assert_array_equal(graph(tf.constant(texts)), ids_of(hf, texts))


def test_what_is_not_utf_8_is_read_as_python_replaces_it(
    hf: Any, graph: Any
) -> None:
    raw = b"a\xff\xe7\xba b\xc3("
    wanted = ids_of(hf, [raw.decode(errors="replace")])
    np.testing.assert_array_equal(graph(tf.constant([raw])), wanted)


@pytest.mark.parametrize(
    "part, change, said",
    [
        ("pre_tokenizer", {"use_regex": False}, "RoBERTa's kind"),
        ("model", {"end_of_word_suffix": "</w>"}, "end_of_word_suffix set"),
    ],
)
def test_other_kinds_are_refused(
    hf: Any, part: str, change: dict[str, Any], said: str
) -> None:
    state = json.loads(hf.backend_tokenizer.to_str())
    state[part].update(change)
    other = transformers.PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(state)),
        pad_token="<pad>",
    )
    with pytest.raises(ValueError, match=said):
        in_graph_tokenizer(other, 8)


def test_sentence_pieces_are_refused(tmp_path: Path) -> None:
    other = transformers.PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.Unigram([("<unk>", 0.0)], 0)),
        pad_token="<unk>",
    )
    with pytest.raises(ValueError, match="BERT's .* RoBERTa's"):
        in_graph_tokenizer(other, 8)
