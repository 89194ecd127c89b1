"""Checkpoints of the BERT family, made here: each is read in both ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import transformers
from tokenizers import ByteLevelBPETokenizer

from trainer.encoder import TextEncoder
from trainer.encoder_loading import load_encoder
from trainer.reduced_encoder import reduce

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdeé红色裙ночь"]
WORDS += [f"##{letter}" for letter in "abcdeночь"] + ["Red", "red", "dress"]
TEXTS = ["Red dress 红色裙", "bad ночь", "Éab", "a" * 40]
SIZES = {
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
}


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    model.build_in_name_scope()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def word_pieces(kind: str, folder: Path, lowercase: bool) -> Any:
    (folder / "words.txt").write_text("\n".join(WORDS))
    return getattr(transformers, f"{kind}TokenizerFast")(
        str(folder / "words.txt"), do_lower_case=lowercase
    )


def electra(folder: Path) -> None:
    config = transformers.ElectraConfig(
        vocab_size=len(WORDS), embedding_size=4, **SIZES
    )
    save(
        transformers.TFElectraModel(config),
        word_pieces("Electra", folder, lowercase=True), folder,
    )


def bert(folder: Path, lowercase: bool) -> None:
    config = transformers.BertConfig(vocab_size=len(WORDS), **SIZES)
    save(
        transformers.TFBertForMaskedLM(config),
        word_pieces("Bert", folder, lowercase), folder,
    )


def roberta(folder: Path) -> None:
    pieces = ByteLevelBPETokenizer()
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    pieces.train_from_iterator(TEXTS, 300, special_tokens=specials)
    pieces.save_model(str(folder))
    tokenizer = transformers.RobertaTokenizerFast(
        str(folder / "vocab.json"), str(folder / "merges.txt")
    )
    config = transformers.RobertaConfig(
        vocab_size=len(tokenizer), max_position_embeddings=34, **SIZES
    )
    save(transformers.TFRobertaModel(config), tokenizer, folder)


FAMILIES = {
    "electra": electra,
    "chinese": lambda folder: bert(folder, lowercase=True),
    "multilingual": lambda folder: bert(folder, lowercase=False),
    "roberta": roberta,
}


def load(folder: Path, max_tokens: int = 32) -> TextEncoder:
    return load_encoder(
        str(folder), max_tokens=max_tokens, corpus=[], folder=folder / "x"
    )


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp(request.param)
    FAMILIES[request.param](made)
    return made


def test_a_text_has_one_vector_in_bulk_served_and_by_hand(folder):
    encoder = load(folder)
    model = transformers.TFAutoModel.from_pretrained(folder)
    served = encoder.encode_strings(tf.constant(TEXTS)).numpy()
    np.testing.assert_allclose(served, encoder.encode_bulk(TEXTS), atol=1e-5)
    for text, vector in zip(TEXTS, served, strict=True):
        tokens = encoder.hf_tokenizer(
            text, truncation=True, max_length=32, return_tensors="tf"
        )
        mean = np.mean(model(dict(tokens)).last_hidden_state[0], axis=0)
        np.testing.assert_allclose(
            vector, mean / np.linalg.norm(mean), atol=1e-5
        )


def test_an_encoder_is_named_alike_whenever_it_is_loaded(folder):
    # A pooler that the checkpoint lacks is random, and not part of it.
    assert load(folder).fingerprint() == load(folder).fingerprint()


def test_roberta_has_two_positions_less_than_it_says(tmp_path):
    roberta(tmp_path)
    assert load(tmp_path, 32).max_tokens == 32
    with pytest.raises(ValueError, match="max_tokens is 33, .* for 32"):
        load(tmp_path, 33)


def test_a_family_without_a_tokenizer_for_the_graph_is_told_so(tmp_path):
    bert(tmp_path, lowercase=True)
    path = tmp_path / "tokenizer.json"
    state = json.loads(path.read_text())
    state["normalizer"] = {"type": "NFKC"}
    path.write_text(json.dumps(state))
    with pytest.raises(ValueError, match="the served graph can be made of"):
        load(tmp_path)


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_fewer_bits_say_nearly_the_same(folder, precision):
    whole, reduced = load(folder), load(folder)
    reduce(reduced, precision)
    one, two = (
        each.encode_strings(tf.constant(TEXTS)).numpy()
        for each in (whole, reduced)
    )
    assert (one * two).sum(axis=1).min() > 0.999
    assert np.abs(one - two).max() > 1e-6
