"""Artifacts as folders of this machine, which TensorFlow's loaders want."""

from __future__ import annotations

from pathlib import Path

from tfx.types import standard_artifacts
from tfx.utils import io_utils, path_utils

_SCHEME = "://"


def is_remote(uri: str) -> bool:
    """Whether a uri is of another file system, such as `gs://`."""
    return _SCHEME in uri


def local_folder(uri: str, scratch: Path) -> Path:
    """The folder itself where it is local, else a copy below `scratch`."""
    if not is_remote(uri):
        return Path(uri)
    copy = scratch / uri.partition(_SCHEME)[2]
    if not copy.exists():
        io_utils.copy_dir(uri, str(copy))
    return copy


def bundle_folder(model: standard_artifacts.Model, scratch: Path) -> Path:
    """The local version folder of the bundle in a Model artifact."""
    return local_folder(path_utils.serving_model_dir(model.uri), scratch)
