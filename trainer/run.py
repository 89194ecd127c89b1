"""One run, whatever door it came through: train, evaluate, export."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import tensorflow as tf

from serving import index, versions
from trainer import behaviour, evaluation, reduced_encoder
from trainer.calibration import calibrate
from trainer.config import RunConfig
from trainer.encoder import TextEncoder
from trainer.encoder_loading import load_encoder, source_of
from trainer.evaluation import Queries
from trainer.export import export_exact
from trainer.held_out import held_out_report
from trainer.job import (
    CHECKPOINTS,
    TOWERS,
    Clock,
    peak_memory_mb,
    write_json,
)
from trainer.late_tuning import (
    settings_of_towers,
    settings_of_tuning,
    tunes_late,
)
from trainer.model import TwoTower
from trainer.model_inputs import build_inputs
from trainer.prepare import Prepared
from trainer.ranking_training import HeadAlone, fit_head
from trainer.refresh import Refresh
from trainer.scoring import ModelScorer
from trainer.served import ServedModel
from trainer.strategies import open_strategy
from trainer.training import Batches, Fit
from trainer.tuned_part import TunedPart
from trainer.tuning import Tuning
from trainer.tuning.adapter_folder import Adapter
from trainer.tuning.rank_allocation import table_of
from trainer.warm_start import EarlierRun, record

_ADAPTER = "adapter"  # folder below the job folder
# Validation runs after every epoch; more queries than this change nothing.
_VALIDATION_QUERIES = 20_000


class Run:
    """All stages of one run over one job folder; each stage can resume.

    Args:
        prepared: the data.
        config: all settings.
        job_dir: everything that the run writes lies below it.
        warm_start: job folder of the run that this one goes on from; by
            default what `config.training.warm_start` says.

    Attributes:
        model: the trained model, once `fit` is through.
        encoder: its text encoder.
        clock: seconds by stage.
    """

    model: TwoTower
    encoder: TextEncoder

    def __init__(
        self,
        prepared: Prepared,
        config: RunConfig,
        job_dir: Path,
        warm_start: Path | None = None,
    ) -> None:
        self.prepared, self.config, self.job_dir = prepared, config, job_dir
        folder = warm_start or config.training.warm_start
        self._earlier = EarlierRun.read(Path(folder)) if folder else None
        self._tunes_late = tunes_late(config.text, self._earlier)
        self._training = (
            settings_of_tuning(config) if self._tunes_late else config.training
        )
        self.clock = Clock()

    def execute(self, build_twin: bool = True) -> dict[str, Any]:
        """Trains, evaluates, exports. Returns what `metrics.json` holds.

        Args:
            build_twin: whether the ScaNN twin is built too.
        """
        self.fit()
        metrics = held_out_report(
            self.model, self.prepared, self.queries, self.clock
        )
        if self.encoder.tuning and (ranks := self.encoder.tuning.ranks()):
            metrics["ranks"] = ranks
        encoder = self._serving_encoder(metrics)
        served = ServedModel(self.model, encoder, self.prepared)
        self._export(served, metrics, build_twin)
        metrics["seconds"] = self.clock.seconds
        metrics["peak_memory_mb"] = round(peak_memory_mb(), 1)
        write_json(self.job_dir / "metrics.json", metrics)
        return metrics

    def fit(self) -> float:
        """Trains. Returns the validation NDCG@10 of the best epoch."""
        return self._fit_under(open_strategy(self.config.training.strategy))

    def _fit_under(self, strategy: tf.distribute.Strategy) -> float:
        if self._tunes_late and not self._earlier:
            self._earlier = self._fitted_towers(strategy)
        settings = self.config.training
        tf.keras.utils.set_random_seed(settings.seed)
        tf.keras.mixed_precision.set_global_policy(settings.precision)
        self.model, self.encoder = self.build(strategy)
        with self.clock.stage("train"):
            best = self._fit(self.model, strategy)
        if self.encoder.tuning:
            base = source_of(
                self.config.text.text_encoder, self.job_dir / "text_encoder"
            )
            Adapter.of(base, self.encoder.tuning).save(
                self.job_dir / _ADAPTER
            )
            if ranks := self.encoder.tuning.ranks():
                print(table_of(ranks))
        return best

    def _fitted_towers(
        self, strategy: tf.distribute.Strategy
    ) -> EarlierRun | None:
        """Towers fitted by the encoder as it is; None once that is over."""
        if tf.train.latest_checkpoint(str(self.job_dir / CHECKPOINTS / "last")):
            return None
        print("the towers, by the encoder as it is:")
        folder = self.job_dir / TOWERS
        config = settings_of_towers(self.config, self._text_cache)
        with self.clock.stage("towers"):
            Run(self.prepared, config, folder)._fit_under(strategy)
        return EarlierRun.read(folder)

    @property
    def _text_cache(self) -> Path:
        return Path(self.config.text.text_cache or self.job_dir / "text_cache")

    def build(
        self, strategy: tf.distribute.Strategy
    ) -> tuple[TwoTower, TextEncoder]:
        """The model before training, and its text encoder."""
        text, earlier = self.config.text, self._earlier
        if earlier:
            earlier.check(self.config)
            earlier.copy_encoder(self.job_dir / "text_encoder")
        with self.clock.stage("encode"):
            with strategy.scope():  # an encoder may be trained there
                encoder = self._load_encoder()
                if text.tunes_encoder:
                    encoder.tuning = Tuning.start(
                        encoder.bert, text.tune, text.tune_size
                    )
            inputs = build_inputs(
                self.prepared, encoder, self.config, self._text_cache
            )
        with strategy.scope():
            model = TwoTower(self.config, inputs, encoder)
        if earlier:
            item_ids = self.prepared.catalogue.item_ids
            model.keep_id_trust(earlier.id_trust(item_ids))
        return model, encoder

    def queries(self, split: int, limit: int | None = None) -> Queries:
        """What is asked of a split; `limit` draws that many at most."""
        sequences = self.prepared.sequences
        return evaluation.build_queries(
            sequences,
            behaviour.target_rows(
                sequences, split, limit=limit, seed=self.config.training.seed
            ),
            num_items=len(self.prepared.catalogue),
            exclude_seen=self.config.data.exclude_seen,
        )

    def _fit(
        self, model: TwoTower, strategy: tf.distribute.Strategy
    ) -> float:
        settings = self._training
        windows = behaviour.train_windows(
            self.prepared.sequences, self.config.data.max_history
        )
        batches = Batches(self.prepared, windows, settings)
        fit = self._start(model, batches, strategy)
        if self._earlier and not fit.is_begun:
            self._earlier.load_into(model, self.prepared)
            print(f"starting from the weights of {self._earlier.job_dir}")
        record(self.job_dir, self.prepared, model, self.config)
        queries = self.queries(behaviour.VALIDATION, _VALIDATION_QUERIES)
        head = HeadAlone(model, batches)
        is_joint = settings.ranking_training == "joint"

        def validate() -> float:
            if is_joint:
                head.calibrate()
            scorer = ModelScorer(model, self.prepared, queries)
            ranking = evaluation.rank_targets(
                queries, scorer.products, "validation"
            )
            return float(ranking.summary().get("ndcg@10", 0.0))

        # Where nothing is asked no epoch could be better than the start.
        counts_start = self._earlier is not None and len(queries) > 0
        best = float(fit.run(validate, counts_start=counts_start).best)
        shutil.rmtree(self.job_dir / TOWERS / CHECKPOINTS, ignore_errors=True)
        has_late_head = model.has_labels and not is_joint
        if has_late_head:
            fit_head(
                head, self.prepared, queries,
                strategy=strategy, job_dir=self.job_dir,
            )
        calibrate(model, self.prepared, queries)
        fit.replace_best()
        return best

    def _start(
        self,
        model: TwoTower,
        batches: Batches,
        strategy: tf.distribute.Strategy,
    ) -> Fit:
        """The fit of the towers, where it was left or at its beginning."""
        settings = self._training
        steps = len(batches) * settings.epochs
        with strategy.scope():
            tuned = self._tuned_part(model, steps)
        return Fit(
            model,
            batches,
            settings,
            strategy=strategy,
            job_dir=self.job_dir,
            tuned=tuned,
        )

    def _tuned_part(self, model: TwoTower, steps: int) -> TunedPart | None:
        """The encoder, if it is trained too, in `steps` steps."""
        text, tuning = self.config.text, self.encoder.tuning
        if tuning is None:
            return None
        return TunedPart(
            self.encoder.tuned_weights,
            text.tune_learning_rate or tuning.learning_rate,
            Refresh(
                model.refresh_texts, model.texts_moved,
                every=text.refresh_steps, limit=text.refresh_moved,
            ),
            tuning.allocation(steps),
        )

    def _serving_encoder(self, metrics: dict[str, Any]) -> TextEncoder:
        """What texts of requests are read by; notes what it costs."""
        precision = self.config.export.serving_encoder
        merged = self.encoder.merged()
        if precision == "float32":
            return merged
        with self.clock.stage("reduce"):
            reduced = self._load_encoder(tuned=self.encoder.tuning is not None)
            reduced_encoder.reduce(reduced, precision)
            texts = self.prepared.catalogue.texts
            found = reduced_encoder.compare(
                merged, reduced, texts, precision
            )
        print(found)
        metrics["serving_encoder"] = dataclasses.asdict(found)
        return reduced

    def _load_encoder(self, tuned: bool = False) -> TextEncoder:
        """The text encoder, as it was before this run or as it is after."""
        text = self.config.text
        name = str(self.job_dir / _ADAPTER) if tuned else text.text_encoder
        return load_encoder(
            name,
            max_tokens=text.max_tokens,
            corpus=self.prepared.catalogue.texts,
            folder=self.job_dir / "text_encoder",
        )

    def _export(
        self, served: ServedModel, metrics: dict[str, Any], build_twin: bool
    ) -> None:
        """Both bundles; what a killed run has already written stays."""
        export = self.job_dir / "export"
        settings = self.config.export
        exact_dir = export / settings.model_name
        twin_dir = export / f"{settings.model_name}_scann"
        state = self.job_dir / "exported.json"
        with self.clock.stage("export"):
            if state.exists():
                version = json.loads(state.read_text())["version"]
            else:
                version = versions.next_version(exact_dir)
                write_json(state, {"version": version})
            if version not in versions.versions(exact_dir):
                export_exact(
                    served, self.prepared, self.config,
                    model_dir=exact_dir, version=version, metrics=metrics,
                )
            if build_twin and version not in versions.versions(twin_dir):
                index.build(
                    exact_dir / str(version), twin_dir, version,
                    min_items=settings.scann_min_items,
                )
