"""The flags that all runners share; those of a run are `trainer.task`'s."""

from __future__ import annotations

import argparse
import dataclasses
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from pipeline.config import PipelineConfig, find_sources
from pipeline.thresholds import Thresholds
from trainer.anomalies import DataError
from trainer.config import RunConfig
from trainer.settings import parse

_RUN_FLAGS = (
    "Every flag of a training run is taken too, such as --split, --preset, "
    "--events or --max-history: see python -m trainer.task --help."
)


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def make_parser(module: str, about: str, examples: str) -> Parser:
    """A parser with the flags of every runner."""
    parser = Parser(
        prog=f"python -m {module}",
        description=textwrap.fill(f"{about} {_RUN_FLAGS}", 79),
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--data-dir", required=True, metavar="DIR",
        help="folder of the tables: events, items and, where there are any, "
        "users and scenarios; CSV(.gz), Parquet, TFRecord or Avro; a table "
        "may also be --events 'events/{SPAN}/*.csv' or 'bigquery:SELECT ...'")
    add("--pipeline-root", required=True, metavar="DIR",
        help="artifacts, metadata and reports go below it")
    add("--serving-dir", default="", metavar="DIR",
        help="pushed bundles go to DIR/recommender and DIR/recommender_scann "
        "(default PIPELINE_ROOT/serving)")
    add("--beam-arg", action="append", default=[], metavar="ARG",
        help="an option of Beam, such as "
        "--beam-arg=--direct_num_workers=2; may be repeated")
    add("--window-spans", type=int, default=30, metavar="N",
        help="newest spans of events to train on (default 30)")
    add("--serving-events", default="", metavar="PATTERN",
        help="events logged in serving, to be compared with those of training")
    add("--thresholds", default="", metavar="FILE.json",
        help="what a model must keep to be pushed; see the README")
    add("--allow-drift", action="store_true",
        help="note drift between spans and go on")
    add("--no-warm-start", dest="warm_start", action="store_false",
        help="train anew instead of from the last blessed model")
    add("--tuner-trials", type=int, default=0, metavar="N",
        help="search hyper-parameters first, in N trials (default 0: do not)")
    add("--force-bless", default="", metavar="REASON",
        help="push in spite of failed thresholds; the reason is recorded")
    add("--no-cache", dest="enable_cache", action="store_false",
        help="run every step anew")
    return parser


def read_config(
    parser: Parser, arguments: Sequence[str]
) -> tuple[argparse.Namespace, PipelineConfig]:
    """The runner's own flags, and the pipeline that they describe.

    Raises:
        SystemExit: 2 on anything unknown, missing or out of range.
    """
    own, rest = parser.parse_known_args(arguments)
    run = _run_config(own, rest)
    try:
        config = PipelineConfig(
            run=run,
            sources=find_sources(own.data_dir, run.data),
            data_dir=own.data_dir,
            pipeline_root=own.pipeline_root,
            serving_dir=own.serving_dir or f"{own.pipeline_root}/serving",
            beam_args=tuple(own.beam_arg),
            window_spans=own.window_spans,
            thresholds=_read(own.thresholds),
            allow_drift=own.allow_drift,
            serving_events=own.serving_events,
            warm_start=own.warm_start,
            tuner_trials=own.tuner_trials,
            force_bless_reason=own.force_bless,
            enable_cache=own.enable_cache,
        )
    except (DataError, ValueError) as error:
        parser.error(str(error))
    return own, config


def _run_config(own: argparse.Namespace, rest: Sequence[str]) -> RunConfig:
    """Settings of the run, with one text cache for all runs of the root."""
    settings = parse(
        [*rest, "--data-dir", own.data_dir, "--job-dir", own.pipeline_root]
    )
    config = settings.config
    if config.text.text_cache is None and "://" not in own.pipeline_root:
        cache = str(Path(own.pipeline_root).resolve() / "text_cache")
        text = dataclasses.replace(config.text, text_cache=cache)
        config = dataclasses.replace(config, text=text)
    return config


def _read(file: str) -> str:
    """The thresholds of a file as it has them, "" without one.

    Raises:
        ValueError: naming the file and what is wrong with it.
    """
    if not file:
        return ""
    try:
        text = Path(file).read_text(encoding="utf-8")
        Thresholds.from_json(text)
    except OSError as error:
        raise ValueError(
            f"--thresholds names {file}, which cannot be read: "
            f"{error.strerror}."
        ) from error
    except ValueError as error:  # of the JSON, or of what it says
        raise ValueError(
            f"--thresholds names {file}, which does not fit: {error}"
        ) from error
    return text
