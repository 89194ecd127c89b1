from __future__ import annotations

from typing import Any

import pytest
from ml_metadata.metadata_store.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.types import standard_artifacts
from tfx.types.artifact import Artifact

from pipeline.earlier_models import (
    BESIDE,
    BLESSING,
    MODEL,
    BlessedBefore,
    BlessedOnOtherData,
)


def model(number: int) -> Artifact:
    found = standard_artifacts.Model()
    found.id = number
    return found


def blessing(of: int, *, blessed: bool = True) -> Artifact:
    found = standard_artifacts.ModelBlessing()
    found.set_int_custom_property("current_model_id", of)
    found.set_int_custom_property("blessed", int(blessed))
    return found


def examples(number: int) -> Artifact:
    found = standard_artifacts.Examples()
    found.id = number
    return found


def resolved(strategy: Any, inputs: dict[str, list[Artifact]]) -> int | None:
    """Id of the model that is found, with its own blessing; or None."""
    found = strategy.resolve_artifacts(None, inputs)
    assert set(found) == set(inputs)
    assert found[BESIDE] == []
    if not found[MODEL]:
        assert found[BLESSING] == []
        return None
    (one,), (its,) = found[MODEL], found[BLESSING]
    assert its.get_int_custom_property("current_model_id") == one.id
    return one.id


# Older than the one under test


def before(
    number: int, models: list[int], blessings: list[Artifact]
) -> int | None:
    return resolved(
        BlessedBefore(),
        {
            MODEL: [model(n) for n in models],
            BLESSING: blessings,
            BESIDE: [model(number)],
        },
    )


def test_the_newest_blessed_model_before_this_one() -> None:
    blessings = [blessing(1), blessing(5), blessing(3)]
    assert before(5, [1, 5, 3], blessings) == 3
    assert before(9, [1, 5, 3], blessings) == 5


def test_a_model_that_was_not_blessed_is_passed_over() -> None:
    blessings = [blessing(1), blessing(3, blessed=False)]
    assert before(5, [1, 3, 4, 5], blessings) == 1


def test_the_first_run_has_no_earlier_model() -> None:
    assert before(1, [1], [blessing(1)]) is None
    assert before(2, [2], []) is None


# Trained on other examples


class Store:
    """A store in memory, in which models are trained."""

    def __init__(self) -> None:
        config = mlmd.ConnectionConfig()
        config.fake_database.SetInParent()
        self.store = MetadataStore(config)
        self._artifact = self.store.put_artifact_type(
            mlmd.ArtifactType(name="Thing")
        )
        self._execution = self.store.put_execution_type(
            mlmd.ExecutionType(name="Step")
        )

    def add(self) -> int:
        made = mlmd.Artifact(type_id=self._artifact)
        return self.store.put_artifacts([made])[0]

    def execute(
        self, inputs: list[int], output: int, kind: int = mlmd.Event.OUTPUT
    ) -> None:
        execution = mlmd.Execution(type_id=self._execution)
        (number,) = self.store.put_executions([execution])
        pairs = [(kind, output), *((mlmd.Event.INPUT, i) for i in inputs)]
        self.store.put_events([
            mlmd.Event(
                artifact_id=artifact, execution_id=number, type=of_kind
            )
            for of_kind, artifact in pairs
        ])

    def train(self, *inputs: int, kind: int = mlmd.Event.OUTPUT) -> int:
        made = self.add()
        self.execute([*inputs], made, kind)
        return made

    def on_other_data(self, now: int, *models: int) -> int | None:
        found = BlessedOnOtherData().resolve_artifacts(
            self.store,
            {
                MODEL: [model(n) for n in models],
                BLESSING: [blessing(n) for n in models],
                BESIDE: [examples(now)],
            },
        )
        return found[MODEL][0].id if found[MODEL] else None


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.mark.parametrize(
    "kind", [mlmd.Event.OUTPUT, mlmd.Event.DECLARED_OUTPUT]
)
def test_a_model_of_these_examples_is_passed_over(
    store: Store, kind: int
) -> None:
    old, new, catalogue = store.add(), store.add(), store.add()
    first = store.train(old, catalogue, kind=kind)
    second = store.train(catalogue, new, kind=kind)
    assert store.on_other_data(new, first, second) == first
    assert store.on_other_data(old, first, second) == second
    assert store.on_other_data(store.add(), first, second) == second


def test_the_second_run_on_the_same_data_finds_what_the_first_found(
    store: Store,
) -> None:
    """Or the trainer's inputs would change, and it would train again."""
    data = store.add()
    assert store.on_other_data(data) is None
    trained = store.train(data)
    assert store.on_other_data(data, trained) is None


def test_readers_of_a_model_are_not_its_makers(store: Store) -> None:
    old, new = store.add(), store.add()
    trained = store.train(old)
    store.execute([trained, new], store.add())  # an evaluation on new data
    assert store.on_other_data(new, trained) == trained
