"""What a pipeline is made of: where the data is, what it must keep."""

from __future__ import annotations

import dataclasses
import glob
import os
from collections.abc import Mapping
from pathlib import Path

from schema import features
from trainer.config import DataConfig, RunConfig
from trainer.tables.files import READERS, find_files

_SPAN_SIGNS = ("{SPAN", "{YYYY}")


@dataclasses.dataclass(frozen=True)
class PipelineConfig:
    """One pipeline, wherever it runs.

    Attributes:
        run: settings of the training run, splits and checks included.
        sources: table -> pattern of its files, from `data_dir` unless it is
            absolute, or "bigquery:SELECT ..."; events and items must be
            there.
        data_dir: folder of the tables.
        pipeline_root: artifacts go below it.
        serving_dir: pushed bundles go to `serving_dir/<model name>/`.
        name: of the pipeline in the metadata store.
        beam_args: options of Beam, such as --runner=DataflowRunner.
        window_spans: newest spans of events that a model is trained on, where
            the pattern of the events has spans.
        thresholds: JSON of `pipeline.thresholds.Thresholds`; "" for defaults.
        allow_drift: whether drift is noted and does not stop the run.
        serving_events: pattern of events logged in serving, to be compared
            with those of training; "" for none.
        warm_start: whether to go on from the weights of the last blessed
            model.
        tuner_trials: hyper-parameter trials; 0 for no Tuner.
        force_bless_reason: blesses a model in spite of failed thresholds, and
            is recorded.
        enable_cache: whether unchanged steps are served from the cache.
        own_resolvers: whether the runner can run resolvers of ours, which
            leave a run's own model aside; KFP knows TFX's alone.
        schema_dir: folder of the schemas where the steps run; "" for that of
            the installed package here.
        work_dir: local folder for checkpoints of a training under way.
    """

    run: RunConfig
    sources: Mapping[str, str]
    data_dir: str
    pipeline_root: str
    serving_dir: str
    name: str = "interest-towers"
    beam_args: tuple[str, ...] = ()
    window_spans: int = 30
    thresholds: str = ""
    allow_drift: bool = False
    serving_events: str = ""
    warm_start: bool = True
    tuner_trials: int = 0
    force_bless_reason: str = ""
    enable_cache: bool = True
    own_resolvers: bool = True
    schema_dir: str = ""
    work_dir: str = ""

    def __post_init__(self) -> None:
        for table in features.REQUIRED_TABLES:
            if table not in self.sources:
                raise ValueError(
                    f"the pipeline has no source for {table}; name its files "
                    f"with --{table}."
                )
        if self.window_spans < 1 or self.tuner_trials < 0:
            raise ValueError(
                "window_spans must be at least 1 and tuner_trials at least 0, "
                f"got {self.window_spans} and {self.tuner_trials}."
            )

    @property
    def tables(self) -> list[str]:
        """Tables that are there, in the order of the data contract."""
        return [name for name in features.COLUMNS if name in self.sources]

    @property
    def has_spans(self) -> bool:
        """Whether events come span by span."""
        events = self.sources[features.EVENTS]
        return any(sign in events for sign in _SPAN_SIGNS)


def find_sources(data_dir: str, data: DataConfig) -> dict[str, str]:
    """Patterns of the tables: as the settings say, else of what is there.

    Raises:
        DataError: if a required table of a local folder is missing.
    """
    sources: dict[str, str] = {}
    for table in features.COLUMNS:
        setting = getattr(data, table)
        if setting:
            sources[table] = _named(setting, data_dir)
        elif "://" in data_dir:
            if table in features.REQUIRED_TABLES:
                sources[table] = f"{table}.csv"
        else:
            files = find_files(table, Path(data_dir), None)
            if files:
                sources[table] = _pattern(files, table, data_dir)
    return sources


def _named(setting: str, data_dir: str) -> str:
    """A path or glob as `find_files` takes it: from here, else the folder."""
    is_here = "://" not in f"{data_dir}{setting}" and glob.glob(setting)
    return os.path.abspath(setting) if is_here else setting


def _pattern(files: list[Path], table: str, data_dir: str) -> str:
    """A pattern of exactly these files, which `find_files` has found."""
    first = os.path.relpath(files[0], data_dir)
    if len(files) == 1:
        return first
    start = f"{table}/" if os.path.dirname(first) else f"{table}-"
    end = next(suffix for suffix in READERS if first.endswith(suffix))
    return f"{start}*{end}"
