"""A model whose catalogue changes."""

from __future__ import annotations

import shutil

import pytest


@pytest.fixture
def shop(exact_dir, scann_dir, tmp_path):
    """Toys of 150 items, under the names that they were exported with."""
    from live_shop import Shop

    made = Shop(tmp_path / "recommender", tmp_path / "recommender_scann")
    shutil.copytree(exact_dir, made.base / "1")
    shutil.copytree(scann_dir, made.twin_base / "1")
    return made
