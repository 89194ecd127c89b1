"""Which blessed model a run is compared with, and which it goes on from.

TFX's LatestBlessedModelStrategy would find a run's own model the second time,
and so nothing that reads it could ever come from the cache.
"""

from __future__ import annotations

from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.components.common import resolver
from tfx.types.artifact import Artifact

MODEL, BLESSING, BESIDE = "model", "model_blessing", "beside"
_OUTPUTS = (
    metadata_store_pb2.Event.OUTPUT,
    metadata_store_pb2.Event.DECLARED_OUTPUT,
)
Artifacts = dict[str, list[Artifact]]


class BlessedBefore(resolver.ResolverStrategy):
    """The latest blessed model that is older than the one in `beside`."""

    def resolve_artifacts(self, store: Any, input_dict: Artifacts) -> Artifacts:
        """Returns at most one model with its blessing."""
        limit = min((model.id for model in input_dict[BESIDE]), default=0)
        return _latest(
            input_dict,
            [model for model in input_dict[MODEL] if model.id < limit],
        )


class BlessedOnOtherData(resolver.ResolverStrategy):
    """The latest blessed model not trained on the examples in `beside`."""

    def resolve_artifacts(self, store: Any, input_dict: Artifacts) -> Artifacts:
        """Returns at most one model with its blessing."""
        examples = {artifact.id for artifact in input_dict[BESIDE]}
        return _latest(
            input_dict,
            [
                model
                for model in input_dict[MODEL]
                if not examples & _inputs_of(store, model)
            ],
        )


def _latest(input_dict: Artifacts, models: list[Artifact]) -> Artifacts:
    """Of these models the newest that has a blessing."""
    blessings = {
        blessing.get_int_custom_property("current_model_id"): blessing
        for blessing in input_dict[BLESSING]
        if blessing.get_int_custom_property("blessed") == 1
    }
    blessed = [model for model in models if model.id in blessings]
    nothing: Artifacts = {name: [] for name in input_dict}
    if not blessed:
        return nothing
    model = max(blessed, key=lambda model: model.id)
    return {**nothing, MODEL: [model], BLESSING: [blessings[model.id]]}


def _inputs_of(store: Any, model: Artifact) -> set[int]:
    """Ids of all artifacts that the executions behind a model have read."""
    makers = [
        event.execution_id
        for event in store.get_events_by_artifact_ids([model.id])
        if event.type in _OUTPUTS
    ]
    return {
        event.artifact_id
        for event in store.get_events_by_execution_ids(makers)
        if event.type not in _OUTPUTS
    }
