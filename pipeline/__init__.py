"""The TFX pipeline: from raw logs to a blessed, pushed model.

The only package that imports TFX, Beam, TFT, TFDV and TFMA.
"""

from __future__ import annotations

from typing import Any

_ARTIFACTS = ("DataReview", "TableReview", "RetrievalEvaluation")


def __getattr__(name: str) -> Any:
    """The artifact types by the names under which Kubeflow looks for them.

    Only when they are asked for: they need TFX, which takes seconds.
    """
    if name not in _ARTIFACTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pipeline import artifacts

    return getattr(artifacts, name)
