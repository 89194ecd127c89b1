"""Texts a second, beside other ways to run the same encoder.

    python -m benchmarks.language.encoding --data-dir DATA/amazon-beauty
    python -m benchmarks.language.encoding --data-dir DATA/amazon-beauty \\
        --peers PEERS/bin/python     # sentence-transformers and ONNX Runtime

The same texts of a catalogue, batches of 64, every way in a process of its
own, one at a time and in turns. `benchmarks/language/requirements.txt` is what
the peers' Python needs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.language.encoders import OURS, PEERS, READY
from benchmarks.reading import read
from trainer.config import DataConfig, RunConfig

_HEAD = ("", "texts/s", "times `float32`", "least cosine with `float32`")


class Way:
    """A way to encode, waiting in its process.

    Args:
        python: that has its libraries.
        arguments: of `benchmarks.language.encoders`.
    """

    def __init__(self, python: str, arguments: Sequence[str]) -> None:
        self.name = arguments[0]
        self._process: Any = subprocess.Popen(
            [python, "-m", "benchmarks.language.encoders", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )

    def wait(self) -> None:
        """Until it has encoded all texts once."""
        while self._line() != READY:
            pass

    def seconds(self) -> float:
        """Of all texts."""
        return float(self._told("time"))

    def vectors(self, folder: Path) -> np.ndarray:
        """[texts, dim] of all texts."""
        return np.load(self._told(f"save {folder / 'vectors.npy'}"))

    def close(self) -> None:
        """Lets it end, once it has done what it is at."""
        self._process.communicate()

    def _told(self, what: str) -> str:
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        return self._line()

    def _line(self) -> str:
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} failed, as said above.")
        return line.strip()


@contextlib.contextmanager
def ways(
    asked: argparse.Namespace, model: str, texts_file: Path
) -> Iterator[list[Way]]:
    """All of them, ready.

    Raises:
        RuntimeError: if one does not get there.
    """
    names = [(sys.executable, name) for name in OURS]
    if asked.peers:
        names += [(asked.peers, name) for name in PEERS]
    with contextlib.ExitStack() as stack:
        found = []
        for python, name in names:  # one at a time: they fill all cores
            way = Way(
                python, [name, model, str(texts_file), str(asked.max_tokens)]
            )
            stack.callback(way.close)
            way.wait()
            found.append(way)
        yield found


def drawn_texts(data_dir: str, split: str, count: int) -> list[str]:
    """Distinct texts of the catalogue.

    Raises:
        ValueError: if the tables cannot be read.
    """
    config = RunConfig(data=DataConfig(split=split))
    every = sorted({*read(data_dir, config).catalogue.texts} - {""})
    order = np.random.default_rng(0).permutation(len(every))
    return [every[at] for at in order[:count]]


def table(
    names: Sequence[str], seconds: dict[str, list[float]],
    vectors: dict[str, np.ndarray],
) -> str:
    """In Markdown; ratios are medians of those of each turn.

    Args:
        names: of the ways, the first of which is compared with.
        seconds: of each turn.
        vectors: [texts, dim] of unit length.
    """
    first = names[0]
    lines = [f"| {' | '.join(_HEAD)} |", len(_HEAD) * "|---" + "|"]
    for name in names:
        pairs = zip(seconds[first], seconds[name], strict=True)
        ratio = statistics.median(one / other for one, other in pairs)
        speed = len(vectors[name]) / statistics.median(seconds[name])
        cosine = (vectors[name] * vectors[first]).sum(axis=1).min()
        lines.append(f"| {name} | {speed:,.0f} | {ratio:.2f} | {cosine:.4f} |")
    return "\n".join(lines)


def make_parser() -> argparse.ArgumentParser:
    """The command's flags."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.language.encoding",
        description=str(__doc__).partition("\n")[0],
    )
    add = parser.add_argument
    add("--data-dir", required=True)
    add("--split", default="leave_one_out")
    add("--text-encoder", default="minilm", help="or a folder")
    add("--max-tokens", type=int, default=64)
    add("--texts", type=int, default=512, help="drawn from the catalogue (512)")
    add("--turns", type=int, default=7)
    add("--peers", help="a Python that has sentence-transformers")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Prints a table in Markdown."""
    parser = make_parser()
    asked: Any = parser.parse_args(argv)
    if min(asked.texts, asked.turns) < 1:
        parser.error("--texts and --turns are above 0.")
    if asked.peers and not shutil.which(asked.peers):
        parser.error(f"--peers: {asked.peers} is no Python that can be run.")
    from trainer.encoder_loading import locate

    try:
        model = locate(asked.text_encoder)
        drawn = drawn_texts(asked.data_dir, asked.split, asked.texts)
        with tempfile.TemporaryDirectory() as folder:
            texts_file = Path(folder, "texts.json")
            texts_file.write_text(json.dumps(drawn))
            with ways(asked, model, texts_file) as every:
                names = [way.name for way in every]
                turns = [
                    {way.name: way.seconds() for way in every}
                    for _ in tqdm(range(asked.turns), unit="turn")
                ]
                vectors = {way.name: way.vectors(Path(folder)) for way in every}
    except (OSError, RuntimeError, ValueError) as error:
        parser.exit(1, f"error: {error}\n")
    seconds = {name: [turn[name] for turn in turns] for name in names}
    print(table(names, seconds, vectors))


if __name__ == "__main__":
    main()
