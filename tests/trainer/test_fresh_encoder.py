"""Word pieces of any language, the same in the served graph."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from trainer.encoder_sizes import SIZES, is_made_here
from trainer.fresh_encoder import bert_config, learn_tokenizer
from trainer.tokenizer import BertTokenizer

# 1,500 characters: more than the alphabet that is the library's default.
RARE = [chr(0x4E00 + i) for i in range(1500)]
CORPUS = [
    *("红色连衣裙 Cotton dress",) * 3, "Ночной рынок", "रात का बाज़ार",
    "밤 시장", "ナイトマーケット", "".join(RARE),
]
TEXTS = [
    "红色ABC连衣裙", "Cotton dresses 2024!", "ночной Рынок", "रात बाज़ार",
    "밤시장", "ナイト", "", "﹗全角ＡＢＣ", "".join(RARE[:9]), "é\u0301À",
]


@pytest.fixture(scope="module", params=[True, False])
def tokenizer(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pieces")
    return learn_tokenizer(CORPUS, 4000, folder, lowercase=request.param)


def test_each_chinese_character_is_a_piece(tokenizer):
    assert tokenizer.tokenize("红色连衣裙") == list("红色连衣裙")
    assert tokenizer.tokenize("".join(RARE)) == RARE


def test_the_served_graph_gives_the_same_ids(tokenizer):
    wanted = tokenizer(
        TEXTS, truncation=True, max_length=24, padding=True
    )["input_ids"]
    found = BertTokenizer(tokenizer, 24)(tf.constant(TEXTS))
    np.testing.assert_array_equal(found, wanted)


def test_case_is_kept_where_it_is_asked_for(tmp_path):
    kept = learn_tokenizer(CORPUS, 4000, tmp_path, lowercase=False)
    assert kept.tokenize("Cotton") == ["Cotton"]


def test_sizes_have_names():
    config = bert_config("small", 77)
    assert config.num_hidden_layers == 4
    assert (config.hidden_size, config.num_attention_heads) == (256, 4)
    assert config.vocab_size == 77
    assert all(map(is_made_here, [*SIZES, "some/bert.json"]))
    assert not is_made_here("minilm")
