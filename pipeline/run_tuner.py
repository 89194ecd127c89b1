"""A search for settings: KerasTuner chooses, the trainer's run scores.

Apart from the component, because TFX loads this module anew for each search.
"""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import keras_tuner
import tensorflow as tf
from keras_tuner.engine import base_tuner, trial
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from trainer.config import RunConfig
from trainer.job import fingerprint
from trainer.prepare import Prepared
from trainer.records import Records, load_prepared
from trainer.run import Run
from trainer.run_fn import earlier_run, tuned
from trainer.search_space import SEARCH_SPACE
from trainer.settings import as_json

_OBJECTIVE = keras_tuner.Objective("validation_ndcg@10", "max")
_EPOCHS_SHARE = 4  # of the epochs of a training, a trial has one in so many


def trial_config(config: RunConfig) -> RunConfig:
    """The same run, shorter."""
    epochs = max(1, config.training.epochs // _EPOCHS_SHARE)
    training = dataclasses.replace(config.training, epochs=epochs)
    return dataclasses.replace(config, training=training)


def search_space(config: RunConfig) -> keras_tuner.HyperParameters:
    """The space, its defaults as near to the configuration as it reaches."""
    space = keras_tuner.HyperParameters()
    for key, bounds in SEARCH_SPACE.items():
        section, name = key.split(".")
        value = getattr(getattr(config, section), name)
        space.Float(
            key,
            bounds.low,
            bounds.high,
            sampling="log" if bounds.is_log else "linear",
            default=min(max(value, bounds.low), bounds.high),
        )
    return space


class DefaultsFirst(keras_tuner.oracles.BayesianOptimizationOracle):
    """Tries the configuration itself first, so that nothing worse wins."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Values of the next trial, as KerasTuner wants them."""
        if self.trials:
            return super().populate_space(trial_id)
        values = {each.name: each.default for each in self.get_space().space}
        return {"status": trial.TrialStatus.RUNNING, "values": values}


class RunTuner(base_tuner.BaseTuner):
    """Scores settings by short runs of the trainer, which can resume.

    Args:
        prepared: the data.
        config: what all trials have in common.
        folder: local; trials and their checkpoints go below it.
        trials: number of trials.
        warm_start: folder of a run that all trials go on from.
    """

    def __init__(
        self,
        prepared: Prepared,
        config: RunConfig,
        folder: Path,
        *,
        trials: int,
        warm_start: Path | None = None,
    ) -> None:
        cache = config.text.text_cache or str(folder / "text_cache")
        text = dataclasses.replace(config.text, text_cache=cache)
        self._config = dataclasses.replace(config, text=text)
        self._prepared, self._warm_start = prepared, warm_start
        oracle = DefaultsFirst(
            objective=_OBJECTIVE,
            max_trials=trials,
            hyperparameters=search_space(config),
            seed=config.training.seed + 1,  # KerasTuner draws one for 0
        )
        super().__init__(oracle, directory=str(folder), project_name="trials")

    def run_trial(self, trial: Any, **_: Any) -> dict[str, float]:
        """Trains with the trial's values.

        Returns:
            The objective; 0 where the loss stopped being a number, which is
            a property of the values.

        Raises:
            FatalRuntimeError: on any other error. KerasTuner would go on.
        """
        tf.keras.backend.clear_session()
        values = trial.hyperparameters.values
        job_dir = self._job_dir(trial)
        job_dir.mkdir(parents=True, exist_ok=True)
        try:
            score = Run(
                self._prepared,
                tuned(self._config, {"values": values}),
                job_dir,
                warm_start=self._warm_start,
            ).fit()
        except FloatingPointError:
            score = 0.0
        except Exception as error:
            raise keras_tuner.errors.FatalRuntimeError(str(error)) from error
        return {_OBJECTIVE.name: score}

    def on_trial_end(self, trial: Any) -> None:
        """Notes the score, without which the checkpoints are still needed."""
        super().on_trial_end(trial)
        shutil.rmtree(self._job_dir(trial), ignore_errors=True)

    def _job_dir(self, trial: Any) -> Path:
        return Path(self.project_dir) / f"run_{trial.trial_id}"


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """TFX's way to ask for a tuner.

    Args:
        fn_args: of TFX; its `custom_config` holds `config` (JSON of the
            sections), `records` (fields of `Records`) and `trials`. In its
            `working_dir` a search that was killed goes on.
    """
    custom = fn_args.custom_config
    config = trial_config(as_json.from_text(custom["config"]))
    prepared = load_prepared(Records(**custom["records"]), config.text)
    mark = fingerprint(prepared, config)
    folder = Path(fn_args.working_dir) / f"tuner_{mark}"
    folder.mkdir(parents=True, exist_ok=True)
    tuner = RunTuner(
        prepared,
        config,
        folder,
        trials=custom["trials"],
        warm_start=earlier_run(fn_args.base_model, folder),
    )
    return TunerFnResult(tuner=tuner, fit_kwargs={"verbose": 0})
