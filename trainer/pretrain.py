"""The command line: `python -m trainer.pretrain --help`.

Trains a language model on one's own text, for `python -m trainer.task
--text-encoder`. TensorFlow is imported only once there is work for it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trainer.config import DataConfig
from trainer.pretraining.config import PretrainingConfig
from trainer.settings.command_line import refuse_unknown
from trainer.settings.flags import OneLineParser, add_section

_EXAMPLES = """\
examples:
  python -m trainer.pretrain --data-dir logs --output encoder
  python -m trainer.pretrain --data-dir logs --output encoder \\
      --contrastive-epochs 3 --split column --precision mixed_bfloat16
  python -m trainer.pretrain --data-dir logs --output encoder --encoder minilm
  python -m trainer.pretrain --data-dir logs --output encoder \\
      --distill-from minilm
  python -m trainer.task --data-dir logs --job-dir job --text-encoder encoder
"""
_SECTIONS: dict[str, type] = {
    "data": DataConfig, "pretraining": PretrainingConfig
}


def make_parser() -> argparse.ArgumentParser:
    """All flags; those of the configuration have no default here."""
    parser = OneLineParser(
        prog="python -m trainer.pretrain",
        usage="%(prog)s --data-dir DIR --output DIR [options]",
        description="Trains a language model on the items' text.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--data-dir", required=True, metavar="DIR",
        help="folder of the tables, as of trainer.task",
    )
    parser.add_argument(
        "--output", required=True, metavar="DIR", type=Path,
        help="folder of the encoder, in Hugging Face's format; the same "
        "command resumes a run that was interrupted",
    )
    for name, section in _SECTIONS.items():
        add_section(parser, name, section)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Returns the exit code: 0, or 1 with a message."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parser = make_parser()
    known, unknown = parser.parse_known_args(argv)
    flags = vars(known)
    data_dir, output = flags.pop("data_dir"), flags.pop("output")
    made: dict[str, Any] = {}
    try:
        refuse_unknown(unknown, parser)
        for name, section in _SECTIONS.items():
            fields = {
                key.partition(".")[2]: value
                for key, value in flags.items()
                if key.startswith(f"{name}.")
            }
            made[name] = section(**fields)
    except ValueError as error:
        parser.error(str(error))
    try:
        execute(data_dir, output, made["data"], made["pretraining"])
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def execute(
    data_dir: str, output: Path, data: DataConfig, config: PretrainingConfig
) -> None:
    """Reads the tables, then trains, saves and reports."""
    from trainer.pretraining.corpus import read_corpus
    from trainer.tables import load_dataset

    dataset = load_dataset(
        data_dir, data,
        rejects_dir=output.with_name(f"{output.name}.rejects"),
        now=int(time.time()),
    )
    for line in (*dataset.notes, *dataset.anomalies):
        print(line)
    corpus = read_corpus(dataset, data, config)
    print(f"{len(corpus.distinct)} distinct texts of {len(corpus.texts)} items")

    import transformers

    from trainer.pretraining.run import Pretraining

    transformers.logging.set_verbosity_error()

    report = Pretraining(corpus, config, output).execute()
    if config.epochs:
        print(
            f"perplexity on {report['held_out_texts']} held-out texts: "
            f"{report['perplexity_before']:.1f} before, "
            f"{report['perplexity_after']:.1f} after"
        )
    if "distillation" in report:
        from trainer.pretraining.comparison import as_lines

        print("\n".join(as_lines(report["distillation"])))
    print(f"use with: python -m trainer.task --text-encoder {output}")


if __name__ == "__main__":
    # In a file or a pipe too, lines appear when they are printed.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sys.exit(main())
