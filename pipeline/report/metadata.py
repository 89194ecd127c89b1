"""What the metadata store knows of a run."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from ml_metadata.metadata_store.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

_OUTPUTS = (mlmd.Event.OUTPUT, mlmd.Event.DECLARED_OUTPUT)
_INPUTS = (mlmd.Event.INPUT, mlmd.Event.DECLARED_INPUT)


@dataclasses.dataclass(frozen=True)
class Artifact:
    """One artifact of a run.

    Attributes:
        id: in the store.
        uri: where its files are.
        properties: its own and its custom ones, by name.
        created: milliseconds since 1970.
    """

    id: int
    uri: str
    properties: dict[str, Any]
    created: int


@dataclasses.dataclass(frozen=True)
class Node:
    """What one node of the graph did in a run.

    Attributes:
        id: of the node.
        state: COMPLETE, CACHED, FAILED, RUNNING, ...
        started, ended: milliseconds since 1970.
        inputs, outputs: artifacts by key.
        properties: execution properties by name.
    """

    id: str
    state: str
    started: int
    ended: int
    inputs: dict[str, list[Artifact]]
    outputs: dict[str, list[Artifact]]
    properties: dict[str, Any]

    @property
    def error(self) -> str:
        """What a failed node said last, or nothing."""
        said = self.properties.get("__execution_result__", "")
        try:
            return str(json.loads(said).get("resultMessage", said))
        except (ValueError, AttributeError, TypeError):
            return str(said)


@dataclasses.dataclass(frozen=True)
class RunRecord:
    """A run of the pipeline.

    Attributes:
        id: of the run.
        root: of the pipeline.
        nodes: by id, in the order in which they started.
    """

    id: str
    root: Path
    nodes: dict[str, Node]

    @property
    def started(self) -> int:
        """Milliseconds since 1970 at which the first node started."""
        return min((node.started for node in self.nodes.values()), default=0)

    def output(self, node: str, key: str) -> Artifact | None:
        """The last artifact that a node put out or found in the cache."""
        if node not in self.nodes:
            return None
        found = self.nodes[node].outputs.get(key, [])
        return found[-1] if found else None

    def input(self, node: str, key: str) -> Artifact | None:
        """The last artifact that a node was given."""
        if node not in self.nodes:
            return None
        found = self.nodes[node].inputs.get(key, [])
        return found[-1] if found else None


def read_run(pipeline_root: Path, run_id: str = "") -> RunRecord:
    """Reads a run, the newest unless told, from `metadata.sqlite`.

    Raises:
        ValueError: if there is no store or no such run.
    """
    path = pipeline_root / "metadata.sqlite"
    if not path.exists():
        raise ValueError(
            f"there is no {path}; give the --pipeline-root of a pipeline that "
            "has run."
        )
    store = MetadataStore(_connection(path))
    runs = store.get_contexts_by_type("pipeline_run")
    if not runs:
        raise ValueError(f"{path} holds no run; run the pipeline first.")
    by_id = {run.name: run for run in runs}
    if run_id and run_id not in by_id:
        raise ValueError(
            f"there is no run {run_id!r}; the newest are "
            f"{', '.join(sorted(by_id)[-3:])}."
        )
    run = by_id[run_id] if run_id else max(runs, key=_age)
    return RunRecord(run.name, pipeline_root, _nodes(store, run.id))


def _connection(path: Path) -> mlmd.ConnectionConfig:
    config = mlmd.ConnectionConfig()
    config.sqlite.filename_uri = str(path)
    config.sqlite.connection_mode = mlmd.SqliteMetadataSourceConfig.READONLY
    return config


def _age(run: mlmd.Context) -> tuple[int, int]:
    return run.create_time_since_epoch, run.id


def _nodes(store: MetadataStore, context: int) -> dict[str, Node]:
    executions = store.get_executions_by_context(context)
    # A node that was tried again has several; the last one counts.
    executions.sort(key=lambda each: each.id)
    by_id = {each.id: each for each in executions}
    events = store.get_events_by_execution_ids(list(by_id)) if by_id else []
    wanted = {event.artifact_id for event in events}
    found = store.get_artifacts_by_id(list(wanted)) if wanted else []
    artifacts = {each.id: _artifact(each) for each in found}
    nodes: dict[str, Node] = {}
    for execution in executions:
        own = [e for e in events if e.execution_id == execution.id]
        node = Node(
            id=_node_id(store, execution.id),
            state=mlmd.Execution.State.Name(execution.last_known_state),
            started=execution.create_time_since_epoch,
            ended=execution.last_update_time_since_epoch,
            inputs=_by_key(own, _INPUTS, artifacts),
            outputs=_by_key(own, _OUTPUTS, artifacts),
            properties=_values(execution),
        )
        nodes[node.id] = node
    return nodes


def _node_id(store: MetadataStore, execution: int) -> str:
    for context in store.get_contexts_by_execution(execution):
        if context.type == "node":  # named pipeline.node
            return context.name.rpartition(".")[2]
    return f"execution {execution}"


def _by_key(
    events: list[mlmd.Event],
    kinds: tuple[int, ...],
    artifacts: dict[int, Artifact],
) -> dict[str, list[Artifact]]:
    found: dict[str, list[Artifact]] = {}
    for event in events:
        steps = event.path.steps
        if event.type in kinds and steps and event.artifact_id in artifacts:
            found.setdefault(steps[0].key, []).append(
                artifacts[event.artifact_id]
            )
    return found


def _artifact(proto: mlmd.Artifact) -> Artifact:
    return Artifact(
        proto.id, proto.uri, _values(proto), proto.create_time_since_epoch
    )


def _values(proto: mlmd.Artifact | mlmd.Execution) -> dict[str, Any]:
    both = {**proto.properties, **proto.custom_properties}
    return {
        name: getattr(value, value.WhichOneof("value"))
        for name, value in both.items()
        if value.WhichOneof("value")
    }
