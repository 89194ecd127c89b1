"""Every setting of a run: frozen, typed and checked when it is made.

The command line, the YAML file and `--print-config` are derived from these
classes by `trainer.settings`, so a setting is written down once, here. Field
names are unique over all sections because each is also a flag.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Literal, get_type_hints

from trainer.fields import check_fields, check_names, names_in, option
from trainer.text_config import TextConfig

SplitName = Literal["time", "leave_one_out", "column"]
StrategyName = Literal["none", "mirrored", "multi_worker", "tpu"]
PrecisionName = Literal["float32", "mixed_bfloat16", "mixed_float16"]
RankingLossName = Literal["pointwise", "pairwise", "listwise"]
RankingTrainingName = Literal["joint", "separate"]
ServingEncoderName = Literal["float32", "bfloat16", "int8"]
PresetName = Literal["smoke", "base", "best"]
ITEM_PARTS = ("text", "categories", "brand", "id")
INTERESTS = ("last", "short", "long")


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """Where the tables are, how they are checked and how they are split."""

    events: str | None = option(
        None, "file or glob of the events table; default: DATA_DIR/events.*"
    )
    items: str | None = option(
        None, "file or glob of the items table; default: DATA_DIR/items.*"
    )
    users: str | None = option(
        None, "file or glob of the users table; default: DATA_DIR/users.*"
    )
    scenarios: str | None = option(
        None, "file or glob of the scenarios table; default: "
        "DATA_DIR/scenarios.*"
    )
    split: SplitName = option(
        "time", "time: global cut at two moments; leave_one_out: each user's "
        "last event is the test target and the one before the validation "
        "target; column: the events' `split` column says train, validation "
        "or test"
    )
    validation_share: float = option(
        0.1, "share of events in the validation span, split `time`; also the "
        "share of train users held out where `column` has no validation rows",
        low=0.0, high=0.4,
    )
    test_share: float = option(
        0.1, "share of events in the test span, split `time`",
        low=0.0, high=0.4,
    )
    max_reject_share: float = option(
        0.01, "share of a table's rows that may be set aside as bad before "
        "the run stops", low=0.0, high=1.0,
    )
    max_history: int = option(
        200, "events of a user that the model reads at most, the latest ones",
        low=1, high=1000,
    )
    exclude_seen: bool = option(
        True, "leave items of the user's history out of recommendations, in "
        "evaluation and in serving alike"
    )

    def __post_init__(self) -> None:
        check_fields(self)


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """Sizes and regularisation of the two towers and the ranking head."""

    embedding_dim: int = option(
        128, "width of item and query vectors", low=4, high=1024
    )
    text_part_dim: int = option(
        128, "width of the part of item and query vectors that holds texts "
        "as the encoder sees them, at most the encoder's; 0 for none", low=0,
        high=4096,
    )
    new_item_scale: float = option(
        1.04, "length of the vectors of items without train events; above 1 "
        "they are recommended more than the towers alone would. Weighed anew "
        "where validation has 100 events of such items", low=0.1, high=10.0,
    )
    lstm_units: int = option(
        256, "width of the user tower's LSTM", low=4, high=4096
    )
    item_parts: str = option(
        "text,categories,brand,id", "what an item vector is the sum of; "
        "without text, profiles are not read either"
    )
    interests: str = option(
        "last,short,long", "what a query holds beside the LSTM's state: the "
        "last item, a short and a long running mean of items"
    )
    num_experts: int = option(
        4, "expert heads that scenarios share; one where there is a single "
        "scenario", low=1, high=64,
    )
    dropout: float = option(
        0.2, "share of LSTM input and state units dropped in training",
        low=0.0, high=0.9,
    )
    id_dropout: float = option(
        0.2, "share of items whose id part is hidden in a training step, so "
        "that text alone must do", low=0.0, high=1.0,
    )
    id_shrinkage: float = option(
        5.0, "train events at which an item's id part counts half; with fewer "
        "its text says more; 0 lets it count in full from the first", low=0.0,
        high=1e6,
    )
    recent_popularity: str = option(
        "", "half-lives in hours, as 1,24,168, of the counts of recent events "
        "that items are scored by beside a user's interest; for catalogues "
        "whose items live for days, as news; none by default"
    )
    temperature: float = option(
        0.07, "divides the cosine scores; higher flattens the softmax",
        low=0.001, high=10.0,
    )

    def __post_init__(self) -> None:
        check_fields(self)
        check_names("item_parts", self.item_part_names, ITEM_PARTS)
        check_names("interests", self.interest_parts, INTERESTS)
        if not self.item_part_names:
            raise ValueError(
                "item_parts is empty; name at least one of "
                f"{', '.join(ITEM_PARTS)}."
            )
        try:
            half_lives = self.half_lives
        except ValueError:
            half_lives = [0.0]
        if not all(0 < hours < math.inf for hours in half_lives):
            raise ValueError(
                "recent_popularity takes half-lives in hours above 0, as "
                f"1,24,168; got {self.recent_popularity!r}."
            )

    @property
    def half_lives(self) -> list[float]:
        """The hours in `recent_popularity`."""
        return [float(hours) for hours in names_in(self.recent_popularity)]

    @property
    def item_part_names(self) -> list[str]:
        """The names in `item_parts`."""
        return names_in(self.item_parts)

    @property
    def reads_text(self) -> bool:
        """Whether items, and so profiles, are known by their texts."""
        return "text" in self.item_part_names

    @property
    def interest_parts(self) -> list[str]:
        """The names in `interests`."""
        return names_in(self.interests)


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How the model is fitted."""

    epochs: int = option(12, "passes over the users at most", low=1)
    patience: int = option(
        3, "epochs without a better validation NDCG@10 before training stops",
        low=1,
    )
    batch_size: int = option(
        64, "users per step, over all replicas", low=1
    )
    learning_rate: float = option(
        0.002, "peak step size of Adam, decayed to zero along a cosine",
        low=1e-7, high=1.0,
    )
    weight_decay: float = option(
        0.0, "decoupled weight decay (AdamW)", low=0.0, high=1.0
    )
    clip_norm: float = option(
        1.0, "global norm that gradients are clipped to", low=1e-3
    )
    num_negatives: int = option(
        8192, "negatives drawn uniformly per step from the items with train "
        "events, beside those of the batch; up to full_softmax_items of them "
        "are scored whole instead", low=0,
    )
    full_softmax_items: int = option(
        50_000, "most items with train events whose softmax is computed in "
        "full", low=0,
    )
    retrieval_weight: float = option(
        1.0, "weight of the retrieval loss", low=0.0
    )
    ranking_weight: float = option(
        0.1, "weight of the ranking loss, where ratings or several event "
        "types exist", low=0.0,
    )
    ranking_loss: RankingLossName = option(
        "pointwise", "what the ranking head learns: pointwise, the label "
        "itself (squared error); pairwise, which of two events of a user has "
        "the higher one (RankNet); listwise, all of a user's at once (ListNet)"
    )
    ranking_training: RankingTrainingName = option(
        "joint", "when the ranking head learns: joint, with the towers; "
        "separate, after them, on the towers of the best epoch as they are"
    )
    strategy: StrategyName = option(
        "none", "tf.distribute strategy: none, mirrored (the GPUs of this "
        "machine), multi_worker (TF_CONFIG) or tpu"
    )
    precision: PrecisionName = option(
        "float32", "Keras dtype policy of the towers; losses stay in float32"
    )
    warm_start: str | None = option(
        None, "job folder of an earlier run whose best weights this one "
        "starts from; what it learnt of a name follows that name, and new "
        "items start from their text"
    )
    seed: int = option(0, "seed of every random draw", low=0)

    def __post_init__(self) -> None:
        check_fields(self)


@dataclasses.dataclass(frozen=True)
class ExportConfig:
    """What the served bundles hold."""

    model_name: str = option(
        "recommender", "name of the exact bundle; its ScaNN twin is "
        "NAME_scann"
    )
    scann_min_items: int = option(
        100, "smallest catalogue that gets a ScaNN index; below it the twin "
        "searches exactly and its manifest says so", low=16,
    )
    serving_encoder: ServingEncoderName = option(
        "float32", "of the encoder's weights that texts of requests are read "
        "with; bfloat16 is half the size, int8 a quarter; vectors of the "
        "catalogue are computed as they are trained"
    )

    def __post_init__(self) -> None:
        check_fields(self)


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """All sections of one run."""

    data: DataConfig = dataclasses.field(default_factory=DataConfig)
    text: TextConfig = dataclasses.field(default_factory=TextConfig)
    model: ModelConfig = dataclasses.field(default_factory=ModelConfig)
    training: TrainingConfig = dataclasses.field(
        default_factory=TrainingConfig
    )
    export: ExportConfig = dataclasses.field(default_factory=ExportConfig)

    def __post_init__(self) -> None:
        if self.text.tunes_encoder and not self.model.reads_text:
            raise ValueError(
                f"tune is {self.text.tune}, but items are not known by their "
                f"texts: item_parts is {self.model.item_parts!r}; add text to "
                "it, or leave tune out."
            )


def config_from(content: Mapping[str, Mapping[str, Any]]) -> RunConfig:
    """The configuration that `dataclasses.asdict` has turned into mappings.

    Raises:
        TypeError: if a section or field is unknown.
        ValueError: if a value is not legal.
    """
    kinds = get_type_hints(RunConfig)
    return RunConfig(
        **{name: kinds[name](**fields) for name, fields in content.items()}
    )


# What a preset changes, by section. `base` is the defaults themselves.
PRESETS: dict[PresetName, dict[str, dict[str, Any]]] = {
    "smoke": {
        "text": {"text_encoder": "tiny", "max_tokens": 16},
        "model": {"embedding_dim": 32, "text_part_dim": 32, "lstm_units": 32},
        "training": {"epochs": 12, "learning_rate": 0.003},
    },
    "base": {},
    "best": {
        "model": {"lstm_units": 512, "embedding_dim": 256},
        "training": {"epochs": 60, "patience": 6},
    },
}
