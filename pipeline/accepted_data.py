"""What a data gate has let through: to be compared with, to be trained on.

TFX's strategies know of no gate. By theirs a span that raised an alarm would
be what the next one is compared with, and the command given again would find
the span to be like itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.components.common import resolver
from tfx.types.artifact import Artifact

from pipeline.earlier_models import BESIDE, Artifacts
from pipeline.reading import span_of

EXAMPLES, STATISTICS = "examples", "statistics"
_INPUT = metadata_store_pb2.Event.INPUT
_OUTPUT = metadata_store_pb2.Event.OUTPUT
_PASSED = (
    metadata_store_pb2.Execution.COMPLETE,
    metadata_store_pb2.Execution.CACHED,
)


def made_of(store: Any, sources: Mapping[int, int], key: str) -> dict[int, int]:
    """What was made of some artifacts.

    Args:
        store: of ML Metadata.
        sources: id of an artifact -> id of what it stands for.
        key: name of the input as which they were read.

    Returns:
        Id of an output of such an execution -> id of what it stands for.
    """
    if not sources:
        return {}
    makers = {
        event.execution_id: sources[event.artifact_id]
        for event in store.get_events_by_artifact_ids(list(sources))
        if event.type == _INPUT and event.path.steps[0].key == key
    }
    if not makers:
        return {}
    return {
        event.artifact_id: makers[event.execution_id]
        for event in store.get_events_by_execution_ids(list(makers))
        if event.type == _OUTPUT
    }


def passed_gate(store: Any, statistics: Mapping[int, int]) -> set[int]:
    """Of statistics that stand for something, for what a gate passed.

    Their anomalies are read by gates alone.
    """
    anomalies = made_of(store, statistics, STATISTICS)
    if not anomalies:
        return set()
    gates: dict[int, set[int]] = {}
    for event in store.get_events_by_artifact_ids(list(anomalies)):
        if event.type == _INPUT:
            found = gates.setdefault(event.execution_id, set())
            found.add(anomalies[event.artifact_id])
    if not gates:
        return set()
    return {
        source
        for execution in store.get_executions_by_id(list(gates))
        if execution.last_known_state in _PASSED
        for source in gates[execution.id]
    }


def _by_itself(artifacts: list[Artifact]) -> dict[int, int]:
    return {artifact.id: artifact.id for artifact in artifacts}


def _age(examples: Artifact) -> tuple[tuple[int, int], int]:
    return span_of(examples), examples.id


class AcceptedBefore(resolver.ResolverStrategy):
    """Statistics of the newest earlier data that a gate let through.

    Earlier is a lower span; without spans, any other data. Inputs are all
    `examples` and `statistics` of a table, and this run's examples `beside`.
    """

    def resolve_artifacts(self, store: Any, input_dict: Artifacts) -> Artifacts:
        """Returns at most one artifact of statistics."""
        now = max(map(span_of, input_dict[BESIDE]))[0]
        this_run = _by_itself(input_dict[BESIDE])
        source = made_of(store, _by_itself(input_dict[EXAMPLES]), EXAMPLES)
        passed = passed_gate(store, source)
        earlier = {
            examples.id: _age(examples)
            for examples in input_dict[EXAMPLES]
            if examples.id in passed
            and examples.id not in this_run
            and (span_of(examples)[0] < now or now == 0)
        }
        found = [
            statistics
            for statistics in input_dict[STATISTICS]
            if source.get(statistics.id) in earlier
        ]
        found.sort(key=lambda each: (earlier[source[each.id]], each.id))
        nothing: Artifacts = {name: [] for name in input_dict}
        return {**nothing, STATISTICS: found[-1:]}


class AcceptedSpans(resolver.ResolverStrategy):
    """Examples of the newest spans that a gate let through, in order.

    Args:
        num_spans: how many at most.
    """

    def __init__(self, num_spans: int) -> None:
        self._num_spans = num_spans

    def resolve_artifacts(self, store: Any, input_dict: Artifacts) -> Artifacts:
        """Returns one artifact per span: its newest version."""
        every = _by_itself(input_dict[EXAMPLES])
        passed = passed_gate(store, made_of(store, every, EXAMPLES))
        last = {
            span_of(examples)[0]: examples
            for examples in sorted(input_dict[EXAMPLES], key=_age)
            if examples.id in passed
        }
        newest = sorted(last)[-self._num_spans :]
        return {EXAMPLES: [last[span] for span in newest]}
