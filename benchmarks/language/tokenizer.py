"""The tokenizer in the graph against Hugging Face's: ids and speed.

    python -m benchmarks.language.tokenizer

Strings are generated: of one to three scripts each, with spaces, controls,
combining marks and the tokenizer's own special tokens between them. Each
vocabulary reads all of them, in the graph and by Hugging Face's `tokenizers`,
which the ids must equal. Exit code 1 where one does not.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tokenizers
import transformers
from tqdm import tqdm

from trainer.encoder_loading import load_tokenizer, locate
from trainer.fresh_encoder import learn_tokenizer
from trainer.tokenizer import in_graph_tokenizer

# First and last character of what a script is drawn from.
SCRIPTS = {
    "Latin": [(0x41, 0x5A), (0x61, 0x7A)],
    "accents": [(0xC0, 0x24F), (0x1E00, 0x1EFF), (0x300, 0x345)],
    "Greek": [(0x370, 0x3FF), (0x1F00, 0x1FFF)],
    "Cyrillic": [(0x400, 0x52F)],
    "Hebrew, Arabic": [(0x590, 0x6FF)],
    "Indic": [(0x900, 0xDFF)],
    "Thai to Tibetan": [(0xE00, 0xFFF)],
    "Hangul": [(0x1100, 0x11FF), (0xAC00, 0xD7A3)],
    "Kana": [(0x3040, 0x30FF), (0xFF66, 0xFF9F)],
    "Han": [(0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2A6DF)],
    "full width": [(0xFF01, 0xFF5E), (0x3000, 0x303F)],
    "digits, punctuation": [(0x21, 0x40), (0x5B, 0x60), (0x2010, 0x2027)],
    "symbols, emoji": [(0x20A0, 0x2BFF), (0x1F300, 0x1FAFF)],
    "spaces, controls": [(0, 0x20), (0x7F, 0xA0), (0x2000, 0x200F)],
    "private use": [(0xE000, 0xE0FF), (0x100000, 0x1000FF)],
    "any": [(0, 0xD7FF), (0xE000, 0x10FFFF)],
}
_MAX_TOKENS = 64
_BATCH, _REPEATS, _SHOWN = 512, 7, 3

Vocabularies = dict[str, Callable[[Sequence[str], Path], Any]]


def drawn_strings(
    count: int, specials: Sequence[str], rng: np.random.Generator
) -> list[str]:
    """Strings of 0 to 80 characters, a tenth with special tokens in them."""
    names = list(SCRIPTS)
    strings = []
    for _ in range(count):
        chosen = rng.choice(len(names), rng.integers(1, 4))
        ranges = [bounds for at in chosen for bounds in SCRIPTS[names[at]]]
        letters = [
            chr(rng.integers(*ranges[at], endpoint=True))
            for at in rng.integers(0, len(ranges), rng.integers(0, 81))
        ]
        for at in np.flatnonzero(rng.random(len(letters)) < 0.15):
            letters[at] = " "
        if letters and rng.random() < 0.1:
            letters[rng.integers(len(letters))] = str(rng.choice(specials))
        strings.append("".join(letters))
    return strings


def byte_pairs(corpus: Sequence[str], folder: Path) -> Any:
    """RoBERTa's kind of tokenizer, learnt."""
    pieces = tokenizers.ByteLevelBPETokenizer()
    pieces.train_from_iterator(
        corpus, 4000, show_progress=False,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
    )
    pieces.save_model(str(folder))
    return transformers.RobertaTokenizerFast(
        str(folder / "vocab.json"), str(folder / "merges.txt")
    )


VOCABULARIES: Vocabularies = {
    "MiniLM's, uncased": lambda corpus, folder: load_tokenizer(
        locate("minilm")
    ),
    "learnt, uncased": lambda corpus, folder: learn_tokenizer(
        corpus, 4000, folder
    ),
    "learnt, cased": lambda corpus, folder: learn_tokenizer(
        corpus, 4000, folder, lowercase=False
    ),
    "learnt, bytes": byte_pairs,
}


def batches(strings: Sequence[str]) -> Iterator[list[str]]:
    """The strings in parts."""
    for at in range(0, len(strings), _BATCH):
        yield list(strings[at : at + _BATCH])


def ids_of(hf: Any, texts: list[str]) -> np.ndarray:
    """[texts, tokens] ids by Hugging Face."""
    found: np.ndarray = hf(
        texts, truncation=True, max_length=_MAX_TOKENS, padding=True,
        return_tensors="np",
    )["input_ids"]
    return found


def unequal(hf: Any, strings: Sequence[str], name: str) -> list[str]:
    """The strings whose ids in the graph are not Hugging Face's."""
    graph = in_graph_tokenizer(hf, _MAX_TOKENS)
    found = []
    with tqdm(total=len(strings), unit=" strings", desc=name) as bar:
        for texts in batches(strings):
            mine = graph(tf.constant(texts)).numpy()
            theirs = ids_of(hf, texts)
            if mine.shape != theirs.shape:  # which of them is not told
                found += texts
            else:
                rows = np.flatnonzero((mine != theirs).any(axis=1))
                found += [texts[row] for row in rows]
            bar.update(len(texts))
    return found


def strings_per_s(read: Callable[[], object], count: int) -> float:
    """Median speed, the first time left out."""
    seconds = []
    for _ in range(1 + _REPEATS):
        started = time.perf_counter()
        read()
        seconds.append(time.perf_counter() - started)
    return count / statistics.median(seconds[1:])


def speeds(hf: Any, texts: list[str]) -> tuple[float, float]:
    """Strings per second in the graph and by `tokenizers`, which cut alike."""
    call = tf.function(
        in_graph_tokenizer(hf, _MAX_TOKENS),
        input_signature=[tf.TensorSpec([None], tf.string)],
        autograph=False,
    )
    batch = tf.constant(texts)
    return (
        strings_per_s(lambda: call(batch).numpy(), len(texts)),
        strings_per_s(
            lambda: hf.backend_tokenizer.encode_batch(texts), len(texts)
        ),
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Prints a table in Markdown. Returns 1 if any string differs."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.language.tokenizer",
        description=str(__doc__).partition("\n")[0],
    )
    parser.add_argument(
        "--strings", type=int, default=100_000,
        help="for each vocabulary (%(default)s)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of the strings (%(default)s)"
    )
    asked = parser.parse_args(argv)
    if asked.strings < 1 or asked.seed < 0:
        parser.error(
            f"--strings must be at least 1 and --seed at least 0; got "
            f"{asked.strings} and {asked.seed}."
        )
    corpus = drawn_strings(20_000, [" "], np.random.default_rng(asked.seed))
    rows, exit_code = [], 0
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, make) in enumerate(VOCABULARIES.items(), start=1):
            hf = make(corpus, Path(folder))
            strings = drawn_strings(
                asked.strings, hf.all_special_tokens,
                np.random.default_rng([asked.seed, number]),
            )
            wrong = unequal(hf, strings, name)
            for text in wrong[:_SHOWN]:
                print(f"{name}: ids differ: {text!r}", file=sys.stderr)
            exit_code |= bool(wrong)
            mine, theirs = speeds(hf, strings[:_BATCH])
            rows.append(
                f"| {name} | {len(hf):,} | {len(strings):,} | {len(wrong):,} "
                f"| {mine:,.0f} | {theirs:,.0f} | {mine / theirs:.2f} |"
            )
    print("| vocabulary | tokens | strings | with other ids | strings/s in "
          "the graph | by tokenizers | ratio |")
    print("|---|---|---|---|---|---|---|")
    print("\n".join(rows))
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
