"""Which models, versions and labels a server has.

From `--model_config_file`, a text proto of TensorFlow Serving's
ModelServerConfig, or from a HandleReloadConfigRequest.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from serving import config_files
from serving.errors import ConfigError

_PLATFORM = "tensorflow"


@dataclasses.dataclass(frozen=True)
class VersionPolicy:
    """Versions of a folder that are served at the same time.

    Attributes:
        latest: how many of the highest numbers; all of them if 0.
        specific: these alone, where there are any.
    """

    latest: int = 1
    specific: tuple[int, ...] = ()

    def candidates(self, there: Sequence[int]) -> list[int]:
        """Versions that may be served, the highest first.

        Args:
            there: complete versions of the folder.
        """
        wanted = set(self.specific or there)
        return sorted(wanted & set(there), reverse=True)

    def is_enough(self, served: int) -> bool:
        """Whether no further version is to be served beside so many."""
        return not self.specific and 0 < self.latest <= served


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """One model.

    Attributes:
        name: by which requests ask for it.
        base_path: folder of the version folders.
        policy: versions that are served.
        labels: version by label, such as `{"canary": 4}`.
    """

    name: str
    base_path: Path
    policy: VersionPolicy = VersionPolicy()
    labels: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.name or set(self.name) & set("/:"):
            raise ConfigError(
                f"A model's name is not empty and has no '/' and no ':', got "
                f"{self.name!r}."
            )
        if not self.base_path.is_absolute():
            raise ConfigError(
                f"Expected model {self.name} to have an absolute path; got "
                f"base_path()={self.base_path}"
            )


def read(path: Path) -> list[ModelConfig]:
    """Models of a `--model_config_file`.

    Raises:
        ConfigError: saying what is wrong with it.
    """
    from tensorflow_serving.config import model_server_config_pb2

    message = model_server_config_pb2.ModelServerConfig()
    try:
        return from_proto(config_files.parse_file(path, message))
    except ConfigError as error:
        raise ConfigError(f"--model_config_file {path}: {error}") from error


def from_proto(config: Any) -> list[ModelConfig]:
    """Models of a ModelServerConfig message.

    Raises:
        ConfigError: if it has no model list, or names one twice, or asks for
            what this server does not have.
    """
    if config.WhichOneof("config") != "model_config_list":
        raise ConfigError(
            "ServerModelConfig type not supported. Only ModelConfigList is "
            "currently supported"
        )
    models = [_model(entry) for entry in config.model_config_list.config]
    names = [model.name for model in models]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(
                f"Illegal to list model {name} multiple times in config list"
            )
    return models


def _model(entry: Any) -> ModelConfig:
    if entry.model_platform != _PLATFORM:
        raise ConfigError(
            f"Model {entry.name} requests unsupported platform "
            f"{entry.model_platform!r}; write model_platform: {_PLATFORM!r}."
        )
    return ModelConfig(
        name=entry.name,
        base_path=Path(entry.base_path),
        policy=_policy(entry),
        labels=dict(entry.version_labels),
    )


def _policy(entry: Any) -> VersionPolicy:
    policy = entry.model_version_policy
    choice = policy.WhichOneof("policy_choice")
    if choice == "all":
        return VersionPolicy(latest=0)
    if choice == "specific":
        if not policy.specific.versions:
            raise ConfigError(f"Model {entry.name}: specific names no version.")
        return VersionPolicy(specific=tuple(policy.specific.versions))
    # 0 versions are 1, as in TensorFlow Serving.
    return VersionPolicy(latest=policy.latest.num_versions or 1)
