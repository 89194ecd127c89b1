"""A span counts from when a gate has let it through, and not before."""

from __future__ import annotations

from typing import Any

import pytest
from ml_metadata.metadata_store.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.types import standard_artifacts
from tfx.types.artifact import Artifact

from pipeline.accepted_data import (
    EXAMPLES,
    STATISTICS,
    AcceptedBefore,
    AcceptedSpans,
)
from pipeline.earlier_models import BESIDE

COMPLETE, FAILED = mlmd.Execution.COMPLETE, mlmd.Execution.FAILED
CACHED = mlmd.Execution.CACHED


class Story:
    """What runs have left in a store of metadata."""

    def __init__(self) -> None:
        config = mlmd.ConnectionConfig()
        config.fake_database.SetInParent()
        self.store = MetadataStore(config)
        self._artifact = self.store.put_artifact_type(
            mlmd.ArtifactType(name="any")
        )
        self._execution = self.store.put_execution_type(
            mlmd.ExecutionType(name="any")
        )
        self.examples: list[Artifact] = []
        self.statistics: list[Artifact] = []

    def _add(self) -> int:
        made = mlmd.Artifact(type_id=self._artifact)
        return int(self.store.put_artifacts([made])[0])

    def execute(
        self, inputs: dict[str, int], output: int | None, state: Any = COMPLETE
    ) -> None:
        execution = mlmd.Execution(
            type_id=self._execution, last_known_state=state
        )
        (number,) = self.store.put_executions([execution])
        events = []
        for name, artifact in inputs.items():
            event = mlmd.Event(
                artifact_id=artifact, execution_id=number,
                type=mlmd.Event.INPUT,
            )
            event.path.steps.add().key = name
            events.append(event)
        if output is not None:
            events.append(mlmd.Event(
                artifact_id=output, execution_id=number,
                type=mlmd.Event.OUTPUT,
            ))
        self.store.put_events(events)

    def ingest(self, span: int, version: int = 0) -> Artifact:
        """Examples of a span, and statistics of them."""
        made = standard_artifacts.Examples()
        made.id = self._add()
        made.set_int_custom_property("span", span)
        made.set_int_custom_property("version", version)
        statistics = standard_artifacts.ExampleStatistics()
        statistics.id = self._add()
        self.execute({EXAMPLES: made.id}, statistics.id)
        self.examples.append(made)
        self.statistics.append(statistics)
        return made

    def gate(
        self, examples: Artifact, state: Any, previous: Artifact | None = None
    ) -> None:
        """Validation of a span, and the gate behind it."""
        anomalies, drift = self._add(), self._add()
        now = self.of(examples).id
        self.execute({STATISTICS: now}, anomalies)
        before = {} if previous is None else {
            "previous_statistics": self.of(previous).id
        }
        self.execute({STATISTICS: now, **before}, drift)
        inputs = {"events_anomalies": anomalies, "events_drift": drift}
        self.execute(inputs, self._add() if state != FAILED else None, state)

    def of(self, examples: Artifact) -> Artifact:
        return self.statistics[self.examples.index(examples)]

    def before(self, now: Artifact) -> Artifact | None:
        found = AcceptedBefore().resolve_artifacts(
            self.store,
            {
                EXAMPLES: list(self.examples),
                STATISTICS: list(self.statistics),
                BESIDE: [now],
            },
        )
        assert found[EXAMPLES] == found[BESIDE] == []
        if not found[STATISTICS]:
            return None
        (statistics,) = found[STATISTICS]
        return self.examples[self.statistics.index(statistics)]

    def window(self, num_spans: int) -> list[Artifact]:
        strategy = AcceptedSpans(num_spans)
        found = strategy.resolve_artifacts(
            self.store, {EXAMPLES: list(self.examples)[::-1]}
        )
        return found[EXAMPLES]


@pytest.fixture
def story() -> Story:
    return Story()


def test_there_is_nothing_before_the_first_span(story: Story) -> None:
    first = story.ingest(1)
    assert story.before(first) is None
    assert story.window(3) == []
    story.gate(first, COMPLETE)
    assert story.before(first) is None  # nor the second time
    assert story.window(3) == [first]


@pytest.mark.parametrize("state", [COMPLETE, CACHED])
def test_a_span_is_compared_with_the_one_before(
    story: Story, state: int
) -> None:
    first, second, third = (story.ingest(span) for span in (1, 2, 3))
    for examples in (second, first):
        story.gate(examples, state)
    assert story.before(third) == second
    assert story.before(second) == first


def test_a_span_that_failed_is_neither_compared_with_nor_trained_on(
    story: Story,
) -> None:
    first, second = story.ingest(1), story.ingest(2)
    story.gate(first, COMPLETE)
    story.gate(second, FAILED, previous=first)
    assert story.before(second) == first  # again, so that it fails again
    third = story.ingest(3)
    assert story.before(third) == first
    story.gate(third, COMPLETE, previous=first)
    assert story.window(9) == [first, third]
    story.gate(second, COMPLETE, previous=first)  # by --allow-drift
    assert story.window(9) == [first, second, third]
    assert story.window(2) == [second, third]


def test_being_compared_with_is_not_being_accepted(story: Story) -> None:
    first, second = story.ingest(1), story.ingest(2)
    story.gate(second, COMPLETE, previous=first)
    assert story.window(9) == [second]


def test_of_a_span_the_last_version_counts(story: Story) -> None:
    late, early = story.ingest(1, version=2), story.ingest(1, version=1)
    again = story.ingest(1, version=2)
    second = story.ingest(2)
    for examples in (late, early, again, second):
        story.gate(examples, COMPLETE)
    assert story.window(9) == [again, second]
    assert story.before(second) == again
    assert story.before(again) is None  # versions of a span are the same data


def test_without_spans_it_is_the_data_before(story: Story) -> None:
    monday, tuesday = story.ingest(0), story.ingest(0)
    story.gate(monday, COMPLETE)
    assert story.before(tuesday) == monday
    story.gate(tuesday, COMPLETE)
    assert story.before(tuesday) == monday
