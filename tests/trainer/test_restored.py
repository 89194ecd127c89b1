"""A model that comes back from its job folder is the one that was trained."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from trainer.restored import restore
from trainer.run import Run


def test_a_restored_model_has_the_vectors_of_the_trained_one(
    small_run: Run, tmp_path: Path
) -> None:
    job_dir = tmp_path / "job"
    shutil.copytree(small_run.job_dir, job_dir)
    model, _ = restore(small_run.prepared, small_run.config, job_dir)
    np.testing.assert_allclose(
        model.catalogue_vectors(), small_run.model.catalogue_vectors(),
        atol=1e-6,
    )
    for mine, trained in zip(
        model.user_tower.variables, small_run.model.user_tower.variables,
        strict=True,
    ):
        np.testing.assert_array_equal(mine, trained)


def test_a_folder_without_a_checkpoint_is_refused(
    small_run: Run, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="holds no checkpoint"):
        restore(small_run.prepared, small_run.config, tmp_path)
