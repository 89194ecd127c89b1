"""The part of the graph that is about a model: trained, judged, pushed."""

from __future__ import annotations

import os
from typing import Any

from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
    LatestBlessedModelStrategy,
)
from tfx.types import BaseChannel, Channel
from tfx.types.standard_artifacts import (
    Model,
    ModelBlessing,
)

from pipeline.bundle_pusher import BundlePusher
from pipeline.config import PipelineConfig
from pipeline.earlier_models import (
    BESIDE,
    BlessedBefore,
    BlessedOnOtherData,
)
from pipeline.index_builder import IndexBuilder
from pipeline.nodes import Nodes, add
from pipeline.parity_validator import ParityValidator
from pipeline.ranking_evaluator import RankingEvaluator
from pipeline.retrieval_evaluator import RetrievalEvaluator
from pipeline.sequence_trainer import SequenceTrainer
from pipeline.sequence_tuner import SequenceTuner
from pipeline.thresholds import Thresholds


def _transformed(nodes: Nodes) -> dict[str, BaseChannel]:
    """What trainer and evaluator read."""
    sequence = nodes["sequence_transform"].outputs
    catalogue = nodes["catalogue_transform"].outputs
    return {
        "sequences": sequence["transformed_examples"],
        "catalogue": catalogue["transformed_examples"],
        "sequence_graph": sequence["transform_graph"],
        "catalogue_graph": catalogue["transform_graph"],
    }


def _blessed(
    nodes: Nodes, name: str, strategy: Any, beside: BaseChannel | None
) -> BaseChannel:
    """A model that an earlier run has blessed; nothing the first time."""
    extra = {} if beside is None else {BESIDE: beside}
    resolver = Resolver(
        strategy_class=strategy,
        model=Channel(type=Model, producer_component_id="trainer"),
        model_blessing=Channel(
            type=ModelBlessing, producer_component_id="retrieval_evaluator"
        ),
        **extra,
    )
    return add(nodes, name, resolver)["model"]


def train(nodes: Nodes, config: PipelineConfig) -> None:
    """The model, from the weights of an earlier one where there is one."""
    records = _transformed(nodes)
    base_model = None
    if config.warm_start:
        base_model = _blessed(
            nodes, "warm_start", BlessedOnOtherData, records["sequences"]
        ) if config.own_resolvers else _blessed(
            nodes, "warm_start", LatestBlessedModelStrategy, None
        )
    best = None
    if config.tuner_trials:
        tuner = SequenceTuner(
            **records,
            config=config.run,
            trials=config.tuner_trials,
            base_model=base_model,
            work_dir=config.work_dir,
        )
        best = add(nodes, "tuner", tuner)["best_hyperparameters"]
    trainer = SequenceTrainer(
        **records,
        config=config.run,
        base_model=base_model,
        hyperparameters=best,
        work_dir=config.work_dir,
    )
    trained = add(nodes, "trainer", trainer)
    index = IndexBuilder(
        trained["model"], min_items=config.run.export.scann_min_items
    )
    add(nodes, "index_builder", index)


def evaluate(nodes: Nodes, config: PipelineConfig) -> None:
    """Is it good enough, and is it what was trained?"""
    model = nodes["trainer"].outputs["model"]
    baseline = _blessed(
        nodes, "latest_blessed", BlessedBefore, model
    ) if config.own_resolvers else _blessed(
        nodes, "latest_blessed", LatestBlessedModelStrategy, None
    )
    thresholds = Thresholds.from_json(config.thresholds)
    evaluated = add(
        nodes,
        "retrieval_evaluator",
        RetrievalEvaluator(
            model,
            **_transformed(nodes),
            config=config.run,
            thresholds=thresholds,
            baseline_model=baseline,
            scann_model=nodes["index_builder"].outputs["scann_model"],
            force_bless_reason=config.force_bless_reason,
        ),
    )
    ranking = RankingEvaluator(
        evaluated["ranking_predictions"], model, thresholds
    )
    add(nodes, "ranking_evaluator", ranking)
    built = nodes["sequence_builder"].outputs
    parity = ParityValidator(
        model,
        nodes["trainer"].outputs["model_run"],
        built["sequences"],
        built["catalogue"],
        _transformed(nodes),
    )
    add(nodes, "parity_validator", parity)


def push(nodes: Nodes, config: PipelineConfig) -> None:
    """Both bundles under one number, or neither."""
    blessings = {
        "model_blessing": nodes["retrieval_evaluator"].outputs["blessing"],
        "infra_blessing": nodes["parity_validator"].outputs["blessing"],
        "ranking_blessing": nodes["ranking_evaluator"].outputs["blessing"],
    }
    base = os.path.join(config.serving_dir, config.run.export.model_name)
    pusher = BundlePusher(
        nodes["trainer"].outputs["model"], **blessings, base_directory=base
    )
    pushed = add(nodes, "pusher", pusher)["pushed_model"]
    twin_pusher = BundlePusher(
        nodes["index_builder"].outputs["scann_model"],
        **blessings,
        base_directory=f"{base}_scann",
        pushed_exact=pushed,
    )
    add(nodes, "scann_pusher", twin_pusher)
