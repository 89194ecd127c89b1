"""Settings of the language model: which one reads the text, and how."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from trainer.fields import check_fields, names_in, option
from trainer.template_setting import NONE, resolved

TuneName = Literal[
    "frozen", "last_n", "lora", "adalora", "adapter", "prefix", "bitfit",
    "full",
]
CachePrecisionName = Literal["float32", "float16"]
SIZED_TUNES = ("last_n", "lora", "adalora", "adapter", "prefix")


@dataclasses.dataclass(frozen=True)
class TextConfig:
    """Which language model reads the text, and how."""

    text_encoder: str = option(
        "minilm", "minilm (the packaged all-MiniLM-L6-v2), tiny (a small "
        "BERT with random weights, for trials), a folder of trainer.pretrain "
        "or JOB/adapter, or any folder or hub name of a BERT-family model "
        "with the tokenizer of BERT (WordPiece) or of RoBERTa"
    )
    tune: TuneName = option(
        "frozen", "what of the encoder is trained with the towers: frozen, "
        "nothing, so that it runs once per text, ever; last_n, the last "
        "layers; lora, low-rank products beside attention's projections; "
        "adalora, the same beside all kernels, with rank where it is needed; "
        "adapter, bottlenecks after each layer's two halves; prefix, keys and "
        "values that attention sees too; bitfit, biases; full, everything"
    )
    tune_size: int | None = option(
        None, "layers of last_n (default 2), rank of lora (8), mean rank of "
        "adalora (4), width of an adapter (64), length of a prefix (16)",
        low=1, high=4096,
    )
    tune_learning_rate: float | None = option(
        None, "peak step size of the weights of a tuned encoder, decayed as "
        "learning_rate is; default: 1e-4, 2e-3 of prefix", low=1e-7, high=1.0,
    )
    tune_epochs: int = option(
        5, "epochs at most in which the encoder is tuned, with the towers at "
        "a quarter of learning_rate, after they have learnt by it as it is; "
        "0 tunes it with new towers, from the first of epochs on", low=0,
    )
    texts_per_step: int = option(
        16, "texts that a tuned encoder learns by in a training step, drawn "
        "by how much they matter to the loss, to stand for all that the step "
        "scores", low=1,
    )
    refresh_steps: int = option(
        0, "steps after which a tuned encoder reads all texts anew, beside "
        "after each epoch and where they have moved; 0 for these alone", low=0,
    )
    refresh_moved: float = option(
        0.001, "mean of 1 - cosine by which texts may have moved, looked at "
        "every ten steps by 64 of them, before a tuned encoder reads all "
        "texts anew", low=0.0, high=2.0,
    )
    recompute: bool = option(
        False, "whether a tuned encoder's gradients are taken in less memory "
        "and more time: each layer is computed again where it is needed "
        "(gradient checkpointing)"
    )
    max_tokens: int = option(
        64, "word pieces of a text that are read, the first ones",
        low=4, high=512,
    )
    text_columns: str = option(
        "title,brand,categories,description,keywords", "item columns that "
        "are joined, in this order, into the text of an item"
    )
    text_cache: str | None = option(
        None, "folder of the content-addressed cache of text vectors; "
        "default: JOB_DIR/text_cache"
    )
    text_cache_precision: CachePrecisionName = option(
        "float32", "of cached vectors on disk; float16 takes half the room"
    )
    behaviour_text: str = option(
        NONE, "how events are put in words that the user tower reads: none, "
        "shop, news or media, or a .yaml file of `event_type: template` lines "
        "such as `search: \"{text}\"`; needs a frozen encoder"
    )

    def __post_init__(self) -> None:
        check_fields(self)
        try:
            # In place of a file's name stands what it says.
            templates = resolved(self.behaviour_text)
        except ValueError as error:
            raise ValueError(f"behaviour_text {error}") from error
        object.__setattr__(self, "behaviour_text", templates)
        if self.tunes_encoder and self.reads_behaviour:
            raise ValueError(
                "behaviour_text needs a frozen encoder, which reads each text "
                "once; leave tune or behaviour_text out."
            )
        if not self.tunes_encoder:
            self._refuse_settings_of_tuning()
        if self.tune_size is not None and self.tune not in SIZED_TUNES:
            raise ValueError(
                f"tune_size is {self.tune_size}, but {self.tune} has no size; "
                f"it belongs to {', '.join(SIZED_TUNES)}."
            )

    def _refuse_settings_of_tuning(self) -> None:
        for name, default in _OF_TUNING.items():
            if getattr(self, name) != default:
                raise ValueError(
                    f"{name} is {getattr(self, name)}, but tune is frozen: "
                    "the encoder reads each text once and learns nothing; "
                    f"leave {name} out, or say how it is tuned by tune."
                )

    @property
    def tunes_encoder(self) -> bool:
        """Whether any weight of the encoder is trained."""
        return self.tune != "frozen"

    def frozen(self) -> TextConfig:
        """The same of an encoder that is left as it is."""
        return dataclasses.replace(
            self, tune="frozen", tune_size=None, **_OF_TUNING
        )

    @property
    def reads_behaviour(self) -> bool:
        """Whether the user tower reads what events say."""
        return self.behaviour_text != NONE

    @property
    def column_names(self) -> list[str]:
        """The names in `text_columns`."""
        return names_in(self.text_columns)


# What has a meaning in tuning alone, and its default.
_OF_TUNING: dict[str, Any] = {
    field.name: field.default
    for field in dataclasses.fields(TextConfig)
    if field.name in (
        "tune_learning_rate", "tune_epochs", "texts_per_step",
        "refresh_steps", "refresh_moved", "recompute",
    )
}
