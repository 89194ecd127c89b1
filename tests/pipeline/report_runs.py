"""A metadata store and artifacts, written by hand, for the report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml_metadata.metadata_store.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2

Properties = Mapping[str, str | int]
_NONE: Properties = {}
_NOTHING: Mapping[str, mlmd.Artifact] = {}


class RunBuilder:
    """One run in a store, as TFX's local runner records it.

    Args:
        root: of the pipeline; the store is `metadata.sqlite` in it.
        run_id: name of the run.
    """

    def __init__(self, root: Path, run_id: str) -> None:
        root.mkdir(exist_ok=True)
        self.root = root
        config = mlmd.ConnectionConfig()
        config.sqlite.filename_uri = str(root / "metadata.sqlite")
        config.sqlite.connection_mode = (
            mlmd.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
        )
        self._store = MetadataStore(config)
        self._types = {
            "run": self._store.put_context_type(
                mlmd.ContextType(name="pipeline_run")
            ),
            "node": self._store.put_context_type(mlmd.ContextType(name="node")),
            "execution": self._store.put_execution_type(
                mlmd.ExecutionType(name="Component")
            ),
            "artifact": self._store.put_artifact_type(
                mlmd.ArtifactType(name="Thing")
            ),
        }
        self._run = self._context("run", run_id)

    def _context(self, kind: str, name: str) -> mlmd.Context:
        context = mlmd.Context(type_id=self._types[kind], name=name)
        found = self._store.get_context_by_type_and_name(
            {"run": "pipeline_run", "node": "node"}[kind], name
        )
        if found is None:
            context.id = self._store.put_contexts([context])[0]
        return found or context

    def artifact(
        self, name: str, properties: Properties = _NONE
    ) -> mlmd.Artifact:
        """An artifact in a folder of its own below the root."""
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        made = mlmd.Artifact(type_id=self._types["artifact"], uri=str(folder))
        _set(made, properties)
        return made

    def node(
        self,
        name: str,
        outputs: Mapping[str, mlmd.Artifact] = _NOTHING,
        *,
        inputs: Mapping[str, mlmd.Artifact] = _NOTHING,
        state: str = "COMPLETE",
        properties: Properties = _NONE,
    ) -> None:
        """What one node did: its artifacts and its settings."""
        execution = mlmd.Execution(
            type_id=self._types["execution"],
            last_known_state=mlmd.Execution.State.Value(state),
        )
        _set(execution, properties)
        pairs = []
        for kind, artifacts in (
            (mlmd.Event.INPUT, inputs), (mlmd.Event.OUTPUT, outputs)
        ):
            for key, artifact in artifacts.items():
                event = mlmd.Event(type=kind)
                event.path.steps.add().key = key
                event.path.steps.add().index = 0
                pairs.append((artifact, event))
        contexts = [self._run, self._context("node", f"interest-towers.{name}")]
        _, ids, _ = self._store.put_execution(execution, pairs, contexts)
        for (artifact, _), number in zip(pairs, ids, strict=True):
            artifact.id = number


def _set(proto: mlmd.Artifact | mlmd.Execution, values: Properties) -> None:
    for name, value in values.items():
        if isinstance(value, int):
            proto.custom_properties[name].int_value = value
        else:
            proto.custom_properties[name].string_value = value


def write(artifact: mlmd.Artifact, name: str, content: Any) -> None:
    """Puts a file into an artifact's folder; what is no bytes as JSON."""
    path = Path(artifact.uri, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(content, bytes):
        content = json.dumps(content).encode()
    path.write_bytes(content)


_STRING = statistics_pb2.FeatureNameStatistics.STRING
_INT = statistics_pb2.FeatureNameStatistics.INT


def statistics(rows: int) -> bytes:
    """Statistics of a table with a text, an id and two numbers."""
    found = statistics_pb2.DatasetFeatureStatisticsList()
    data = found.datasets.add(num_examples=rows)
    scenario = data.features.add(type=_STRING)
    scenario.path.step.append("scenario")
    scenario.string_stats.common_stats.num_non_missing = rows - 25
    scenario.string_stats.common_stats.num_missing = 25
    scenario.string_stats.unique = 2
    for value, frequency in (("home", 700), ("<script>alert(1)</script>", 275)):
        scenario.string_stats.top_values.add(value=value, frequency=frequency)
    time = data.features.add(type=_INT)
    time.path.step.append("timestamp")
    time.num_stats.common_stats.num_non_missing = rows
    time.num_stats.min, time.num_stats.max = 86_400, 10 * 86_400
    histogram = time.num_stats.histograms.add(
        type=statistics_pb2.Histogram.STANDARD
    )
    for day, count in ((1, 10.0), (4, 40.0), (7, 20.0)):
        histogram.buckets.add(
            low_value=day * 86_400, high_value=(day + 3) * 86_400,
            sample_count=count,
        )
    row = data.features.add(type=_INT)
    row.path.step.append("_row")
    row.num_stats.common_stats.num_non_missing = rows
    unused = data.features.add(type=_STRING)
    unused.path.step.append("_malformed")
    unused.string_stats.common_stats.num_missing = rows
    return found.SerializeToString()


def drift(column: str, distance: float, allowed: float) -> bytes:
    """What DriftValidator found in one column."""
    found = anomalies_pb2.Anomalies()
    info = found.drift_skew_info.add()
    info.path.step.append(column)
    info.drift_measurements.add(
        type=anomalies_pb2.DriftSkewInfo.Measurement.L_INFTY,
        value=distance, threshold=allowed,
    )
    found.anomaly_info[column].description = f"{column} has moved"
    return found.SerializeToString()


EVALUATION = {
    "model": {
        "recall@10": {"value": 0.1065, "low": 0.1031, "high": 0.1099},
        "coverage@10": {"value": 0.4321, "low": None, "high": None},
    },
    "baselines": {
        "popularity": {"recall@10": 0.0110, "coverage@10": 0.0012},
        "markov": {"recall@10": 0.0665, "coverage@10": 0.3},
        "random": {"recall@10": 0.0008, "coverage@10": 0.99},
    },
    "previous": {"recall@10": 0.1011, "coverage@10": 0.4},
    "slices": {
        "item:cold (0 train events)": {
            "queries": 1234,
            "recall@10": {"value": 0.0213, "low": 0.017, "high": 0.026},
            "ndcg@10": {"value": 0.0099, "low": 0.008, "high": 0.012},
        }
    },
    "index": {
        "recall@10": 0.987,
        "exact_ms": {"p50": 1.25, "p95": 2.5},
        "scann_ms": {"p50": 0.75, "p95": 1.5},
    },
    "cold_curve": [
        {"train_events": "0", "queries": 1234, "recall@10": 0.0213,
         "low": 0.017, "high": 0.026},
        {"train_events": "32+", "queries": 77, "recall@10": 0.2468,
         "low": 0.16, "high": 0.34},
    ],
    "forgetting": {
        "of": "targets that are items of the last blessed model",
        "queries": 4567,
        "model": {"recall@10": 0.1122},
        "previous": {"recall@10": 0.1133},
    },
    "samples": [
        {
            "user": "user 42",
            "history": ["<img src=x onerror=alert(2)>", "Rose lip balm"],
            "target": "Tea & honey",
            "recommended": ["Tea & honey", "</style><script>alert(3)</script>"],
        }
    ],
    "blessing": {"blessed": True, "reasons": ["recall@10 0.1065 >= 0.05"]},
}
HISTORY = [
    {"epoch": 1, "loss": 7.5, "validation_ndcg@10": 0.0312, "seconds": 61.0},
    {"epoch": 2, "loss": 6.25, "validation_ndcg@10": 0.0455, "seconds": 60.0},
    {"epoch": 3, "loss": 6.0, "validation_ndcg@10": 0.0444, "seconds": 60.0},
]
ANOMALY = {
    "name": "unknown_item", "table": "events", "column": "item_id",
    "rows": 17, "first_rows": [3, 5], "remedy": "add it to items",
    "severity": "reject",
}
REVIEW = {
    "anomalies": [ANOMALY],
    "rows": {"events": {"in": 1000, "kept": 983, "rejected": 17}},
}


def whole_run(root: Path, run_id: str) -> RunBuilder:
    """A run that has come to its end, with every part that is reported."""
    run = RunBuilder(root, run_id)
    now, before = (run.artifact(name, {"span": n})
                   for name, n in (("statistics", 2), ("before", 1)))
    write(now, "Split-all/FeatureStats.pb", statistics(1000))
    run.node("events_statistics", {"statistics": now}, state="CACHED")
    moved = run.artifact("drift")
    write(moved, "Split-all/SchemaDiff.pb", drift("scenario", 0.34, 0.1))
    run.node(
        "events_drift", {"anomalies": moved},
        inputs={"statistics": now, "previous_statistics": before},
    )
    parts = [
        ("data_gate", "review", "review.json", {"anomalies": []}, {}),
        ("sequence_builder", "table_review", "review.json", REVIEW, {}),
        ("trainer", "model_run", "history.json", HISTORY, {}),
        ("retrieval_evaluator", "evaluation", "evaluation.json", EVALUATION,
         {}),
        ("parity_validator", "blessing", "parity.json", {}, {"blessed": 1}),
        ("pusher", "pushed_model", "pushed.json", {},
         {"pushed": 1, "pushed_version": "7"}),
    ]
    for node, key, file, content, properties in parts:
        artifact = run.artifact(node, properties)
        write(artifact, file, content)
        run.node(
            node, {key: artifact},
            properties={"config": '{"seed": 3}', "code_fingerprint": "abc"},
        )
    folder = root / "runs" / run_id
    folder.mkdir(parents=True)
    (folder / "components.json").write_text(json.dumps({
        "trainer": {"seconds": 181.0, "peak_memory_mb": 1834.2,
                    "cached": False},
        "events_statistics": {"seconds": 0.5, "peak_memory_mb": 401,
                              "cached": True},
    }))
    return run
