"""Text encoders by name: made, found again, and what is said of no such one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from named_encoder import load

from trainer import encoder_loading
from trainer.encoder import TextEncoder

TEXTS = ["Running shoes", "", "a red dress"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("encoder") / "made here"


@pytest.fixture(scope="module")
def tiny(folder: Path) -> TextEncoder:
    return load("tiny", folder)


def test_an_encoder_that_was_made_is_found_again(tiny, folder):
    again = load("tiny", folder)
    assert again.fingerprint() == tiny.fingerprint()
    np.testing.assert_array_equal(
        again.encode_bulk(TEXTS), tiny.encode_bulk(TEXTS)
    )


def test_a_saved_folder_is_an_encoder_by_its_path(tiny, folder, tmp_path):
    found = load(str(folder), tmp_path / "unused")
    assert found.fingerprint() == tiny.fingerprint()
    assert not (tmp_path / "unused").exists()


def bert_settings(**changes: int) -> dict[str, int]:
    return {
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "max_position_embeddings": 20,
        **changes,
    }


def test_a_configuration_makes_a_bert_of_its_sizes(tmp_path):
    path = tmp_path / "bert.json"
    path.write_text(json.dumps(bert_settings()))
    made = load(str(path), tmp_path / "encoder")
    assert made.dim == 8
    assert made.bert.config.num_hidden_layers == 1
    assert made.bert.config.vocab_size == len(made.hf_tokenizer)
    assert made.encode_bulk(["red dress"]).shape == (1, 8)


def test_more_tokens_than_positions_are_refused(tmp_path):
    path = tmp_path / "bert.json"
    path.write_text(json.dumps(bert_settings()))
    with pytest.raises(ValueError, match="max_tokens is 21, .* for 20; lower"):
        load(str(path), tmp_path / "encoder", max_tokens=21)


def test_an_encoder_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    kept = tmp_path / "encoder"
    path = tmp_path / "bert.json"
    path.write_text(json.dumps(bert_settings()))
    monkeypatch.setattr(
        encoder_loading.transformers.TFBertModel, "save_pretrained", killed
    )
    with pytest.raises(KeyboardInterrupt):
        load(str(path), kept)
    assert not kept.exists()
    monkeypatch.undo()
    assert load(str(path), kept).dim == 8
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "bert.json", "encoder"
    ]


def test_a_misspelt_folder_is_told_the_nearest_one(tmp_path):
    (tmp_path / "my-encoder").mkdir()
    wrong = tmp_path / "my-encodre"
    with pytest.raises(ValueError, match="there is no folder") as error:
        load(str(wrong), tmp_path / "unused")
    assert f"Did you mean {tmp_path / 'my-encoder'}?" in str(error.value)


def test_a_missing_configuration_file_is_named(tmp_path):
    wrong = tmp_path / "no such.json"
    with pytest.raises(ValueError, match="no such.json.* Give minilm"):
        load(str(wrong), tmp_path / "encoder")
    assert not (tmp_path / "encoder").exists()


def refuse(error: Exception) -> Callable[..., None]:
    def refused(*_: object, **__: object) -> None:
        raise error

    return refused


def test_a_name_that_no_hub_answers_to_says_what_can_be_given(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(
        encoder_loading.transformers.AutoTokenizer, "from_pretrained",
        refuse(OSError("We couldn't connect.")),
    )
    with pytest.raises(ValueError) as error:
        load("bert-tinny", tmp_path)
    assert str(error.value) == (
        "text_encoder 'bert-tinny' cannot be loaded: We couldn't connect. "
        "Give minilm, tiny, a folder saved by save_pretrained, or a hub name "
        "that this machine can reach."
    )


def test_a_folder_without_a_model_is_no_encoder(tmp_path):
    with pytest.raises(ValueError, match="cannot be loaded"):
        load(str(tmp_path), tmp_path / "unused")


def test_the_name_of_the_packaged_encoder_is_its_hub_name_elsewhere(
    monkeypatch
):
    monkeypatch.setattr(
        encoder_loading.importlib.util, "find_spec", lambda _: None
    )
    assert encoder_loading.locate("minilm") == (
        "sentence-transformers/all-MiniLM-L6-v2"
    )
