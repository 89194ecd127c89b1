"""Steps of the pipeline on logs of growing size: rows a second and memory.

    python -m benchmarks.pipeline_scale --events 100000 1000000 10000000

Each step is TFX's own execution of the component, in a fresh process with
Beam's local runner. Memory is the most that the process ever held; `base` is
what imports alone take.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_INGEST, _STATISTICS = "TableExampleGen", "StatisticsGen"
_BUILD, _TRANSFORM = "SequenceBuilder", "sequence Transform"
STEPS = (_INGEST, _STATISTICS, _BUILD, _TRANSFORM)
_SPLIT = "time"
_PROPERTIES = "artifact.json"  # of an artifact, beside its files


def _held_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _save(artifact: Any) -> None:
    from google.protobuf import json_format

    text = json_format.MessageToJson(artifact.mlmd_artifact)
    Path(f"{artifact.uri}.{_PROPERTIES}").write_text(text)


def _load(kind: Any, folder: Path) -> Any:
    from google.protobuf import json_format
    from ml_metadata.proto import metadata_store_pb2

    text = Path(f"{folder}.{_PROPERTIES}").read_text()
    proto = json_format.Parse(text, metadata_store_pb2.Artifact())
    artifact = kind()
    artifact.set_mlmd_artifact(proto)
    return artifact


def _execute(component: Any, inputs: dict[str, Any], folder: Path) -> None:
    """Runs a component's executor; its outputs go to folder/NAME."""
    from tfx.dsl.components.base import base_beam_executor

    outputs = {}
    for name, output in component.outputs.items():
        outputs[name] = output.type()
        outputs[name].uri = str(folder / name)
        (folder / name).mkdir(parents=True)
    context = base_beam_executor.BaseBeamExecutor.Context(
        tmp_dir=str(folder / "temporary"), unique_id="1"
    )
    component.executor_spec.executor_class(context).Do(
        {name: [artifact] for name, artifact in inputs.items()},
        {name: [artifact] for name, artifact in outputs.items()},
        component.exec_properties,
    )
    for artifact in outputs.values():
        _save(artifact)


def _ingest(folder: Path) -> Callable[[], None]:
    from pipeline.example_gen import TableExampleGen

    def run() -> None:
        for table in ("items", "events"):
            component = TableExampleGen(
                table, input_base=str(folder), pattern=f"{table}.csv"
            )
            _execute(component, {}, folder / table)

    return run


def _examples(folder: Path, table: str) -> Any:
    from tfx.types.standard_artifacts import Examples

    return _load(Examples, folder / table / "examples")


def _statistics(folder: Path) -> Callable[[], None]:
    from tfx.components import StatisticsGen
    from tfx.types import channel_utils

    from pipeline.statistics import stats_options

    examples = _examples(folder, "events")
    component = StatisticsGen(
        channel_utils.as_channel([examples]), stats_options=stats_options()
    )
    return lambda: _execute(
        component, {"examples": examples}, folder / "statistics"
    )


def _build(folder: Path) -> Callable[[], None]:
    from tfx.types import channel_utils

    from pipeline.sequence_builder import SequenceBuilder
    from trainer.config import DataConfig, RunConfig
    from trainer.settings.as_json import to_json

    inputs = {name: _examples(folder, name) for name in ("events", "items")}
    component = SequenceBuilder(
        {n: channel_utils.as_channel([found]) for n, found in inputs.items()},
        to_json(RunConfig(data=DataConfig(split=_SPLIT))),
    )
    return lambda: _execute(component, inputs, folder / "built")


def _transform(folder: Path) -> Callable[[], None]:
    from importlib import resources

    from tfx.components import Transform
    from tfx.proto import transform_pb2
    from tfx.types import channel_utils, standard_artifacts

    examples = _load(standard_artifacts.Examples, folder / "built/sequences")
    schema = standard_artifacts.Schema()
    schema.uri = str(folder / "schema")
    (folder / "schema").mkdir()
    text = resources.files("schema").joinpath("sequences.pbtxt").read_text()
    (folder / "schema" / "schema.pbtxt").write_text(text)
    component = Transform(
        channel_utils.as_channel([examples]),
        channel_utils.as_channel([schema]),
        preprocessing_fn="pipeline.preprocessing.sequences_fn",
        splits_config=transform_pb2.SplitsConfig(
            analyze=["all"], transform=["all"]
        ),
    )
    inputs = {"examples": examples, "schema": schema}
    return lambda: _execute(component, inputs, folder / "transformed")


_MAKERS = dict(
    zip(STEPS, (_ingest, _statistics, _build, _transform), strict=True)
)


def run_step(name: str, folder: Path) -> dict[str, float]:
    """Runs one step in this process."""
    execute = _MAKERS[name](folder)
    base = _held_mb()
    started = time.perf_counter()
    execute()
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "base_mb": base, "peak_mb": _held_mb()}


def _in_fresh_process(name: str, folder: Path) -> dict[str, float]:
    module = [sys.executable, "-m", "benchmarks.pipeline_scale"]
    done = subprocess.run(
        [*module, "--step", name, "--folder", str(folder)],
        stdout=subprocess.PIPE, text=True, check=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _measure(events: int, before: dict[str, dict[str, float]]) -> None:
    """Prints a row per step, and how it grew since the size before."""
    from benchmarks.synthetic_logs import write_logs

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        users, items = write_logs(folder, events)
        print(f"| {events:,} events, {users:,} users, {items:,} items "
              "| | | | | |", flush=True)
        for step in STEPS:
            found = _in_fresh_process(step, folder)
            last = before.get(step)
            grown = (
                f"{found['seconds'] / last['seconds']:.1f}x, "
                f"{found['peak_mb'] - last['peak_mb']:+,.0f} MB"
                if last else ""
            )
            print(
                f"| {step} | {found['seconds']:.1f} | "
                f"{events / found['seconds']:,.0f} | {found['base_mb']:,.0f} | "
                f"{found['peak_mb']:,.0f} | {grown} |",
                flush=True,
            )
            before[step] = found


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, nargs="+", default=[100_000])
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        print(json.dumps(run_step(asked.step, asked.folder)))
        return
    print("| step | seconds | events/s | base MB | peak MB | grown |")
    print("|---|---|---|---|---|---|")
    before: dict[str, dict[str, float]] = {}
    for events in asked.events:
        _measure(events, before)


if __name__ == "__main__":
    main()
