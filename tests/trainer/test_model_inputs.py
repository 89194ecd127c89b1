"""Which texts are read before training."""

from __future__ import annotations

import dataclasses

import numpy as np

from trainer.model_inputs import build_inputs
from trainer.run import Run


def test_texts_that_nobody_reads_are_not_encoded(small_run: Run, tmp_path):
    def inputs(parts: str):
        model = dataclasses.replace(small_run.config.model, item_parts=parts)
        config = dataclasses.replace(small_run.config, model=model)
        return build_inputs(
            small_run.prepared, small_run.encoder, config, tmp_path / parts
        )

    unread, read = inputs("id,brand"), inputs("id,text")
    assert not list((tmp_path / "id,brand").rglob("*"))
    assert list((tmp_path / "id,text").rglob("*"))
    for name in ("text", "profiles"):
        nothing, vectors = getattr(unread, name), getattr(read, name)
        assert nothing.shape == vectors.shape
        assert not nothing.any()
    lengths = np.linalg.norm(read.text, axis=1)
    np.testing.assert_allclose(lengths[lengths > 0], 1, rtol=1e-5)
    assert lengths.any()
