"""What has to change in a compiled pipeline before a cluster can run it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def drop_resolvers(spec: dict[str, Any], *, keep_blessed: bool) -> list[str]:
    """Takes out the tasks that look for artifacts of earlier runs.

    TFX compiles "the latest statistics of events" to "the latest statistics":
    the producer is lost, and tables would be compared with each other. Those
    go for every backend. The last blessed model is found by its type alone,
    which Vertex can do; the open-source backend runs no resolver at all
    ("resolver not implemented yet", backend/src/v2/compiler/argocompiler).
    What they feed are optional inputs.

    Args:
        spec: the `pipelineSpec`, changed in place.
        keep_blessed: whether the last blessed model may be looked for.

    Returns:
        Names of the tasks that are gone.
    """
    executors = spec["deploymentSpec"]["executors"]
    components, tasks = spec["components"], spec["root"]["dag"]["tasks"]
    gone = []
    for task, definition in list(tasks.items()):
        component = definition["componentRef"]["name"]
        executor = components[component]["executorLabel"]
        resolver = executors[executor].get("resolver")
        if resolver and not (keep_blessed and _is_of_blessed(resolver)):
            del tasks[task], components[component], executors[executor]
            gone.append(task)
    for task in tasks.values():
        _disconnect(task, components[task["componentRef"]["name"]], gone)
    return gone


def _is_of_blessed(resolver: Mapping[str, Any]) -> bool:
    """Whether it asks for a blessing or its model, and not for any artifact."""
    queries = resolver["outputArtifactQueries"].values()
    return any(
        "metadata" in query["filter"] or "name=" in query["filter"]
        for query in queries
    )


def _disconnect(
    task: dict[str, Any], component: dict[str, Any], gone: Sequence[str]
) -> None:
    """Removes the inputs that came from tasks that are gone."""
    artifacts = task.get("inputs", {}).get("artifacts", {})
    for name, source in list(artifacts.items()):
        if source["taskOutputArtifact"]["producerTask"] in gone:
            del artifacts[name]
            del component["inputDefinitions"]["artifacts"][name]
    if "dependentTasks" in task:
        kept = [name for name in task["dependentTasks"] if name not in gone]
        task["dependentTasks"] = kept
