"""TFX's Evaluator on a small file of predictions, numbers worked by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma
from model_artifacts import artifact
from tfx.types import Channel, artifact_utils, standard_artifacts

from pipeline.ranking_evaluator import (
    NO_LABELS,
    Executor,
    RankingEvaluator,
)
from pipeline.ranking_predictions import SPLIT, example
from pipeline.thresholds import Thresholds

# label, prediction, scenario, item_popularity
ROWS = [
    (1.0, 0.9, "home", "head"),
    (0.0, 0.2, "home", "tail"),
    (1.0, 0.5, "deals", "head"),
    (0.0, 0.6, "deals", "head"),
]


def evaluate(
    folder: Path, rows: list[Any], **bounds: float
) -> tuple[Any, Any]:
    """The blessing and the evaluation of an execution, and the model."""
    examples = artifact(standard_artifacts.Examples, folder / "examples")
    examples.split_names = artifact_utils.encode_split_names([SPLIT])
    split = folder / "examples" / f"Split-{SPLIT}"
    split.mkdir()
    with tf.io.TFRecordWriter(str(split / "p-0-of-1.gz"), "GZIP") as writer:
        for label, prediction, scenario, popularity in rows:
            names = {
                "scenario": scenario, "item_popularity": popularity,
                "event_type": "click",
            }
            made = example(label, prediction, names)
            writer.write(made.SerializeToString())
    model = artifact(standard_artifacts.Model, folder / "model")
    blessing = artifact(standard_artifacts.ModelBlessing, folder / "blessing")
    evaluation = artifact(
        standard_artifacts.ModelEvaluation, folder / "evaluation"
    )
    wired = RankingEvaluator(
        Channel(type=standard_artifacts.Examples),
        Channel(type=standard_artifacts.Model),
        Thresholds(**bounds),
    )
    Executor().Do(
        {"examples": [examples], "model": [model]},
        {"blessing": [blessing], "evaluation": [evaluation]},
        dict(wired.exec_properties),
    )
    assert blessing.get_int_custom_property("current_model_id") == model.id
    return blessing, evaluation


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    return evaluate(tmp_path_factory.mktemp("kept"), ROWS)


def test_metrics_are_those_worked_by_hand(kept: tuple[Any, Any]) -> None:
    result = tfma.load_eval_result(kept[1].uri)
    by_slice = result.get_metrics_for_all_slices()
    metrics = {k: v["doubleValue"] for k, v in by_slice[()].items()}
    squares = 0.1**2 + 0.2**2 + 0.5**2 + 0.6**2
    assert metrics["root_mean_squared_error"] == pytest.approx(
        math.sqrt(squares / 4), abs=1e-5
    )
    # Of the four pairs of a positive and a negative one is the wrong way.
    assert metrics["auc"] == pytest.approx(0.75, abs=1e-3)
    assert metrics["mean_prediction"] == pytest.approx(0.55, abs=1e-5)
    counts = {
        key: v["example_count"]["doubleValue"] for key, v in by_slice.items()
    }
    assert counts == {
        (): 4.0,
        (("scenario", "home"),): 2.0,
        (("scenario", "deals"),): 2.0,
        (("item_popularity", "head"),): 3.0,
        (("item_popularity", "tail"),): 1.0,
        (("event_type", "click"),): 4.0,
    }


def test_a_head_that_keeps_the_thresholds_is_blessed(
    kept: tuple[Any, Any]
) -> None:
    assert kept[0].get_int_custom_property("blessed") == 1
    assert (Path(kept[0].uri) / "BLESSED").is_file()


@pytest.mark.parametrize(
    "bound", [{"max_ranking_rmse": 0.3}, {"min_ranking_auc": 0.8}]
)
def test_a_head_that_misses_one_is_not(
    bound: dict[str, float], tmp_path: Path
) -> None:
    blessing, _ = evaluate(tmp_path, ROWS, **bound)
    assert blessing.get_int_custom_property("blessed") == 0
    assert (Path(blessing.uri) / "NOT_BLESSED").is_file()


def test_without_a_label_it_is_blessed_with_that_message(
    tmp_path: Path
) -> None:
    blessing, _ = evaluate(tmp_path, [])
    assert blessing.get_int_custom_property("blessed") == 1
    message = blessing.get_string_custom_property("blessing_message")
    assert message == NO_LABELS
