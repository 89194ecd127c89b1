"""A hash of our source, because TFX's cache key does not cover it.

Every component of ours carries the fingerprint of the modules that it runs
as an execution property: when they change it runs again, and nothing else
does.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

CODE_FINGERPRINT = "code_fingerprint"  # name of the execution property


def source_fingerprint(*modules: str) -> str:
    """Hashes the source of modules, of packages with all below them.

    Args:
        modules: dotted names, such as `trainer.tables`.

    Returns:
        16 hexadecimal digits.

    Raises:
        ValueError: if there is no such module.
    """
    digest = hashlib.sha256()
    for module in sorted(modules):
        for path in _source_files(module):
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _source_files(module: str) -> list[Path]:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ValueError(
            f"there is no module {module!r} to fingerprint; name one that can "
            "be imported."
        )
    path = Path(spec.origin)
    if path.name != "__init__.py":
        return [path]
    return sorted(
        file
        for file in path.parent.rglob("*")
        if file.suffix in (".py", ".pbtxt")
    )
