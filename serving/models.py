"""All models of a server: finds what a request asks for, and reloads.

A configuration is taken as a whole or not at all: new models are loaded and
labels checked before anything changes for the requests.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Callable, Mapping, Sequence

from serving.checks import RequestError
from serving.errors import ConfigError, UnknownModelError
from serving.manifest import BundleError
from serving.model_config import ModelConfig
from serving.model_host import ModelHost, VersionStatus
from serving.recommender import Recommender

_LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class ModelSpec:
    """The model that a request asks for.

    Attributes:
        version: None for the highest one in service.
        label: instead of a version, "" for none.
    """

    name: str
    version: int | None = None
    label: str = ""


@dataclasses.dataclass(frozen=True)
class _Served:
    host: ModelHost
    labels: Mapping[str, int]


class Models:
    """The models in service, by name.

    Args:
        configs: of all models.
        labels_may_wait: whether a label may point at a version that is not
            in service yet.

    Raises:
        BundleError: if a model has no version that can be served.
        ConfigError: if a label points at a version that is not in service.
    """

    def __init__(
        self,
        configs: Sequence[ModelConfig],
        *,
        labels_may_wait: bool = False,
    ) -> None:
        self._labels_may_wait = labels_may_wait
        self._served: dict[str, _Served] = {}  # replaced, never changed
        self._followers: list[Callable[[], None]] = []
        self._reloading = threading.Lock()
        self._take(configs)

    @property
    def names(self) -> list[str]:
        """Of all models in service, sorted."""
        return sorted(self._served)

    @property
    def hosts(self) -> list[ModelHost]:
        """Of all models, by name."""
        return [served.host for _, served in sorted(self._served.items())]

    def find(self, spec: ModelSpec) -> Recommender:
        """The version that a request asks for.

        Raises:
            RequestError: if no model is named, or its label is unknown.
            UnknownModelError: if model or version is not in service.
        """
        if not spec.name:
            raise RequestError("ModelSpec has no name specified.")
        version = self._version(spec)
        served = self._served.get(spec.name)
        if served is None:
            asked = (
                f"Latest({spec.name})"
                if version is None
                else f"Specific({spec.name}, {version})"
            )
            raise UnknownModelError(f"Servable not found for request: {asked}")
        return served.host.find(version)

    def statuses(self, spec: ModelSpec) -> list[VersionStatus]:
        """States of all versions of a model, or of the one asked for.

        Raises:
            RequestError: if no model is named, or its label is unknown.
            UnknownModelError: if there is nothing to tell.
        """
        if not spec.name:
            raise RequestError("Missing model name in request.")
        version = self._version(spec)
        served = self._served.get(spec.name)
        seen = served.host.statuses() if served else []
        found = [s for s in seen if version in (None, s.version)]
        if not found:
            which = (
                "any versions" if version is None else f"version {version}"
            )
            raise UnknownModelError(
                f"Could not find {which} of model {spec.name}"
            )
        return found

    def reload(self, configs: Sequence[ModelConfig]) -> None:
        """Serves what a new configuration says, or everything as before.

        Raises:
            ConfigError: saying why it cannot be served.
        """
        try:
            self._take(configs)
        except BundleError as error:
            raise ConfigError(str(error)) from error

    def follow(self, follower: Callable[[], None]) -> None:
        """Calls a function after each reload."""
        self._followers.append(follower)

    def refresh(self) -> None:
        """Takes new versions of all models into service."""
        for host in self.hosts:
            try:
                host.refresh()
            except OSError as error:  # e.g. a share that went away
                _LOG.error("Cannot read %s: %s", host.base_path, error)

    def _take(self, configs: Sequence[ModelConfig]) -> None:
        with self._reloading:
            served = {
                config.name: _Served(self._host(config), config.labels)
                for config in configs
            }
            if not self._labels_may_wait:
                _check_labels(served)
            self._served = served
            for follower in self._followers:
                follower()

    def _host(self, config: ModelConfig) -> ModelHost:
        known = self._served.get(config.name)
        if known and known.host.base_path == config.base_path:
            if known.host.policy == config.policy:
                return known.host
            return ModelHost(
                config.name, config.base_path, config.policy, known.host
            )
        return ModelHost(config.name, config.base_path, config.policy)

    def _version(self, spec: ModelSpec) -> int | None:
        if not spec.label:
            return spec.version
        served = self._served.get(spec.name)
        if served is None or spec.label not in served.labels:
            raise RequestError(
                f"Unrecognized servable version label: {spec.label}"
            )
        return served.labels[spec.label]


def _check_labels(served: Mapping[str, _Served]) -> None:
    for name, model in served.items():
        for label, version in model.labels.items():
            if version not in model.host.served_versions:
                raise ConfigError(
                    f"Request to assign label to version {version} of model "
                    f"{name}, which is not currently available for inference: "
                    f"label {label!r}; in service are "
                    f"{model.host.served_versions}."
                )


class Poller:
    """Repeats something in a thread of its own until it is stopped.

    Args:
        seconds: between two times.
        action: what is repeated; an error of it is logged, and it goes on.
    """

    def __init__(self, seconds: float, action: Callable[[], None]) -> None:
        self._seconds, self._action = seconds, action
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends it, after the time that runs."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            try:
                self._action()
            # A thread that died would look like a folder without news.
            except Exception:
                _LOG.exception("Looking for news failed.")
