"""The pipeline's door to a run: translates what TFX's Trainer is told.

The other door is `trainer.task`; behind both is `trainer.run.Run`.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from trainer import export
from trainer.config import RunConfig
from trainer.job import claim_job_dir, fingerprint
from trainer.records import Records, load_prepared
from trainer.run import Run
from trainer.settings import as_json

if TYPE_CHECKING:
    from tfx.components.trainer.fn_args_utils import FnArgs

WARM_START = "run"  # folder of a Model artifact: what a later run goes on from
_WARM_START_FILES = ("vocabularies.json", "text_encoder", "checkpoints/best")


def run_fn(fn_args: FnArgs) -> None:
    """Trains, evaluates and exports one model.

    Args:
        fn_args: of TFX; its `custom_config` holds `config` (JSON of the
            sections), `records` (fields of `Records`) and `work_dir`, where a
            killed run goes on from its last checkpoint.
    """
    custom = fn_args.custom_config
    config = tuned(
        as_json.from_text(custom["config"]), fn_args.hyperparameters
    )
    prepared = load_prepared(Records(**custom["records"]), config.text)
    with tempfile.TemporaryDirectory() as scratch:
        mark = fingerprint(prepared, config)
        work_dir = Path(custom.get("work_dir") or scratch)
        job_dir = work_dir / mark
        claim_job_dir(job_dir, mark)
        earlier = earlier_run(fn_args.base_model, Path(scratch))
        run = Run(prepared, config, job_dir, warm_start=earlier)
        run.execute(build_twin=False)
        bundle = export.latest_bundle(job_dir, config)
        # The bundle last: it is what says that the training is complete.
        copy_tree(str(job_dir), fn_args.model_run_dir)
        model_dir = str(Path(fn_args.serving_model_dir).parent)
        for name in _WARM_START_FILES:
            if (job_dir / name).exists():
                copy_tree(
                    str(job_dir / name), f"{model_dir}/{WARM_START}/{name}"
                )
        copy_tree(str(bundle), fn_args.serving_model_dir)
        tf.io.gfile.rmtree(str(job_dir))


def tuned(
    config: RunConfig, hyperparameters: Mapping[str, Any] | None
) -> RunConfig:
    """The configuration with what a Tuner found, `section.field` by name."""
    if not hyperparameters:
        return config
    for key, value in hyperparameters["values"].items():
        section, name = key.split(".")
        old = getattr(config, section)
        new = dataclasses.replace(old, **{name: value})
        config = dataclasses.replace(config, **{section: new})
    return config


def earlier_run(base_model: str | None, scratch: Path) -> Path | None:
    """A local copy of what the base model's run left for warm starts."""
    if not base_model:
        return None
    folder = f"{Path(base_model).parent}/{WARM_START}"
    copy_tree(folder, str(scratch / WARM_START))
    return scratch / WARM_START


def copy_tree(source: str, target: str) -> None:
    """Copies a file or folder between any two file systems."""
    files = tf.io.gfile
    if not files.isdir(source):
        files.makedirs(target.rpartition("/")[0])
        files.copy(source, target, overwrite=True)
        return
    files.makedirs(target)
    for name in files.listdir(source):
        name = name.rstrip("/")
        copy_tree(f"{source}/{name}", f"{target}/{name}")
