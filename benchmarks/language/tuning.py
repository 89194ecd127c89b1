"""What it costs to tune an encoder: weights, time and memory of a step.

    python -m benchmarks.language.tuning --data-dir DATA/amazon-beauty
    python -m benchmarks.language.tuning --data-dir DATA/amazon-beauty \\
        --precision mixed_bfloat16 --recompute

Each `--tune` trains a few steps on the same batch in a process of its own.
Quality is told by `python -m benchmarks.quality --variant tune-lora ...`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from tqdm import tqdm

from trainer.config import DataConfig, PrecisionName, RunConfig
from trainer.text_config import TextConfig, TuneName

_HEAD = (
    "`--tune`", "trained weights", "share of the encoder's", "s a step",
    "times frozen", "peak MB", "over frozen",
)


def measure(tune: TuneName, asked: argparse.Namespace) -> dict[str, float]:
    """Steps of one way to tune, in this process.

    Returns:
        `trained` and `weights` of the encoder, `seconds` of a step, `peak_mb`.
    """
    import tensorflow as tf

    from benchmarks.reading import read
    from benchmarks.training_step import same_batch, step_seconds
    from trainer.job import peak_memory_mb
    from trainer.run import Run
    from trainer.tuning.tuning import count

    text = TextConfig(
        text_encoder=asked.text_encoder,
        text_cache=str(asked.folder / "text_cache"),
    )
    if tune != "frozen":
        text = dataclasses.replace(
            text, tune=tune, recompute=asked.recompute,
            texts_per_step=asked.texts_per_step,
        )
    config = RunConfig(data=DataConfig(split=asked.split), text=text)
    tf.keras.mixed_precision.set_global_policy(asked.precision)
    prepared = read(asked.data_dir, config)
    with tempfile.TemporaryDirectory() as folder:
        model, encoder = Run(prepared, config, Path(folder)).build(
            tf.distribute.get_strategy()
        )
    batch = same_batch(prepared, asked.users, asked.length)
    _, seconds = step_seconds(model, config.training, batch)
    return {
        "trained": count(encoder.tuned_weights),
        "weights": count(encoder.bert.variables),
        "seconds": seconds,
        "peak_mb": peak_memory_mb(),
    }


def in_fresh_process(tune: str, argv: Sequence[str]) -> dict[str, float]:
    """`measure` where nothing else has used memory.

    Raises:
        RuntimeError: with its error, or the end of what it printed, if it
            failed.
    """
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.language.tuning", *argv, "--only",
         tune],
        capture_output=True, text=True, check=False,
    )
    if done.returncode:
        said = done.stderr.rpartition("\nerror: ")[2][-2000:].strip()
        raise RuntimeError(f"--tune {tune} failed: {said}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def as_row(
    tune: str, found: dict[str, float], frozen: dict[str, float]
) -> str:
    """One row of the table in Markdown."""
    cells = [
        f"`{tune}`",
        f"{found['trained']:,.0f}",
        f"{found['trained'] / found['weights']:.2%}",
        f"{found['seconds']:.3f}",
        f"{found['seconds'] / frozen['seconds']:.1f}",
        f"{found['peak_mb']:.0f}",
        f"{found['peak_mb'] - frozen['peak_mb']:+.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def make_parser() -> argparse.ArgumentParser:
    """The command's flags."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.language.tuning",
        description=str(__doc__).partition("\n")[0],
    )
    methods = get_args(TuneName)
    add = parser.add_argument
    add("--data-dir", required=True)
    add("--split", default="leave_one_out")
    add("--text-encoder", default="minilm")
    add("--users", type=int, default=64, help="of the batch (64)")
    add("--length", type=int, default=20, help="events of each (20)")
    add("--texts-per-step", type=int, default=TextConfig.texts_per_step,
        help="that the encoder learns by (%(default)s)")
    add("--precision", choices=get_args(PrecisionName), default="float32")
    add("--recompute", action="store_true", help="layers are computed twice, "
        "in less memory")
    add("--only", choices=methods, help="measure this one, here, as JSON")
    add(
        "--folder", type=Path, default=Path("runs/tuning"),
        help="of the text cache (default %(default)s)",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Prints a table in Markdown."""
    given = list(sys.argv[1:] if argv is None else argv)
    parser = make_parser()
    asked = parser.parse_args(given)
    try:
        if asked.only:
            print(json.dumps(measure(asked.only, asked)))
        else:
            _print_table(given)
    except (OSError, RuntimeError, ValueError) as error:
        parser.exit(1, f"error: {error}\n")


def _print_table(given: Sequence[str]) -> None:
    frozen = in_fresh_process("frozen", given)  # its texts may be encoded now
    frozen = in_fresh_process("frozen", given)
    print("\n".join([f"| {' | '.join(_HEAD)} |", len(_HEAD) * "|---" + "|"]))
    print(as_row("frozen", frozen, frozen))
    others = [tune for tune in get_args(TuneName) if tune != "frozen"]
    for tune in tqdm(others, "tuned", leave=False, disable=None):
        row = as_row(tune, in_fresh_process(tune, given), frozen)
        tqdm.write(row)


if __name__ == "__main__":
    main()
