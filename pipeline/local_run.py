"""One run of the graph in this process, step by step, with time and memory."""

from __future__ import annotations

import datetime
import json
import time
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler import compiler
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.pipeline import Pipeline
from tfx.orchestration.portable import launcher, runtime_parameter_utils
from tfx.proto.orchestration import pipeline_pb2

from pipeline.config import PipelineConfig
from pipeline.hush import hush
from pipeline.memory_watch import MemoryWatch
from pipeline.pipeline import create_pipeline
from trainer.anomalies import DataError

METADATA_FILE = "metadata.sqlite"
COMPONENTS_FILE = "components.json"  # below runs/<id>/
_CACHED = metadata_store_pb2.Execution.CACHED


class StepFailedError(RuntimeError):
    """A step failed; what it would have replaced is as it was."""


class LocalRun:
    """The graph, run node by node in topological order.

    Args:
        config: of the pipeline; its folders are absolute.
    """

    def __init__(self, config: PipelineConfig) -> None:
        self._root = Path(config.pipeline_root)
        self._root.mkdir(parents=True, exist_ok=True)
        self._pipeline = create_pipeline(config)
        # Two runs of one id are one run to TFX: the second is given what the
        # first's steps made, whatever has changed. A second is too coarse.
        self.run_id = datetime.datetime.now().isoformat(timespec="microseconds")
        self.components: dict[str, dict[str, Any]] = {}

    def execute(self) -> None:
        """Runs every node.

        Raises:
            StepFailedError: names the node, what went wrong and what to do.
        """
        hush()
        proto = self._compile()
        for number, node in enumerate(proto.nodes, start=1):
            name = node.pipeline_node.node_info.id
            print(f"[{number}/{len(proto.nodes)}] {name} ...", flush=True)
            self._run_node(proto, node.pipeline_node)
            self._record()
            spent = self.components[name]
            how = "from the cache" if spent["cached"] else "done"
            print(
                f"    {how} in {spent['seconds']:.1f} s, "
                f"{spent['peak_memory_mb']:.0f} MB"
            )

    def verdict(self) -> str:
        """Whether the model was blessed and what was pushed, in a sentence."""
        with metadata.Metadata(self._connection()) as handle:
            pushed = handle.store.get_artifacts_by_type("PushedModel")
            blessed = handle.store.get_artifacts_by_type("ModelBlessing")
        if not pushed:
            return "nothing was pushed."
        last = max(pushed, key=lambda artifact: artifact.id)
        properties = last.custom_properties
        if properties["pushed"].int_value:
            return f"pushed: {properties['pushed_destination'].string_value}"
        verdict = max(blessed, key=lambda artifact: artifact.id)
        return (
            "not pushed: the model was not blessed; the report and "
            f"evaluation.json beside {verdict.uri} say why."
        )

    def _connection(self) -> metadata_store_pb2.ConnectionConfig:
        return metadata.sqlite_metadata_connection_config(
            str(self._root / METADATA_FILE)
        )

    def _compile(self) -> pipeline_pb2.Pipeline:
        pipeline: Pipeline = self._pipeline
        pipeline.metadata_connection_config = self._connection()
        proto: pipeline_pb2.Pipeline = compiler.Compiler().compile(pipeline)
        runtime_parameter_utils.substitute_runtime_parameter(
            proto, {"pipeline-run-id": self.run_id}
        )
        return proto

    def _run_node(
        self,
        proto: pipeline_pb2.Pipeline,
        node: pipeline_pb2.PipelineNode,
    ) -> None:
        name = node.node_info.id
        deployment = runner_utils.extract_local_deployment_config(proto)
        step = launcher.Launcher(
            pipeline_node=node,
            mlmd_connection=metadata.Metadata(self._connection()),
            pipeline_info=proto.pipeline_info,
            pipeline_runtime_spec=proto.runtime_spec,
            executor_spec=runner_utils.extract_executor_spec(deployment, name),
            custom_driver_spec=runner_utils.extract_custom_driver_spec(
                deployment, name
            ),
        )
        started = time.monotonic()
        with MemoryWatch() as watch:
            try:
                info = step.launch()
            except Exception as error:
                raise StepFailedError(_explain(name, error)) from error
        self.components[name] = {
            "seconds": round(time.monotonic() - started, 2),
            "peak_memory_mb": round(watch.peak_mb, 1),
            "cached": self._is_cached(info),
        }

    def _is_cached(self, info: Any) -> bool:
        if info is None:
            return False
        with metadata.Metadata(self._connection()) as handle:
            (found,) = handle.store.get_executions_by_id([info.execution_id])
        return bool(found.last_known_state == _CACHED)

    def _record(self) -> None:
        folder = self._root / "runs" / self.run_id
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.components, indent=1)
        (folder / COMPONENTS_FILE).write_text(text + "\n")


def _explain(name: str, error: Exception) -> str:
    """What failed, and that nothing else is touched."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, DataError):
        found = found.__cause__ or found.__context__
    reason = found or error
    return (
        f"step {name} failed: {reason}\nNothing that was pushed before is "
        "touched. Mend it and give the same command again: the steps before "
        "are served from the cache."
    )
