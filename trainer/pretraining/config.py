"""Settings of `python -m trainer.pretrain`."""

from __future__ import annotations

import dataclasses

from trainer.config import PrecisionName
from trainer.fields import check_fields, option

_DISTILL_EPOCHS = 10  # where a teacher is given and no number


@dataclasses.dataclass(frozen=True)
class PretrainingConfig:
    """Which encoder is trained on the text, and how."""

    encoder: str = option(
        "small", "tiny, small, medium or base (a new BERT of 2, 4, 8 or 12 "
        "layers), a BERT configuration .json, or a local folder or hub name "
        "to go on from, with its own tokenizer"
    )
    vocab_size: int = option(
        8192, "word pieces that a new encoder learns at most", low=100,
        high=200_000,
    )
    lowercase: bool = option(
        True, "whether a new encoder's tokenizer drops case and accents"
    )
    text_columns: str = option(
        "title,brand,categories,description,keywords", "item columns that "
        "are joined, in this order, into the text of an item; as in "
        "trainer.task"
    )
    max_tokens: int = option(
        64, "word pieces of a text that are read, the first ones", low=4,
        high=512,
    )
    epochs: int = option(
        10, "passes of masked-language-model training over all texts", low=0
    )
    contrastive_epochs: int = option(
        0, "passes of contrastive training after it: texts of one item, and "
        "of items near each other in a user's train events, against others",
        low=0,
    )
    distill_from: str | None = option(
        None, "teacher whose vectors of the same texts are learnt, between "
        "masked and contrastive training: minilm, a folder, JOB/adapter or a "
        "hub name, as of trainer.task --text-encoder; default: none"
    )
    distill_epochs: int | None = option(
        None, "passes over texts, titles, their rests and profiles in which a "
        f"teacher is learnt from; default: {_DISTILL_EPOCHS} with "
        "distill_from", low=1,
    )
    text_cache: str | None = option(
        None, "folder of the cache of the teacher's vectors, which may be "
        "that of trainer.task; default: one that is removed at the end"
    )
    learning_rate: float | None = option(
        None, "peak step size of AdamW after its warm-up, decayed to zero "
        "along a cosine; default: 5e-4 for a new encoder, 5e-5 for a given "
        "one", low=1e-7, high=1.0,
    )
    warmup_share: float = option(
        0.06, "share of a stage's steps in which the step size grows", low=0.0,
        high=1.0,
    )
    weight_decay: float = option(
        0.01, "decoupled weight decay", low=0.0, high=1.0
    )
    masked_share: float = option(
        0.15, "share of words that are hidden, whole words at a time",
        low=0.01, high=0.9,
    )
    batch_tokens: int = option(
        4096, "word pieces of a batch of masked-language-model training, "
        "padding included", low=16,
    )
    held_out_share: float = option(
        0.05, "share of texts that are only measured on",
        low=0.001, high=0.5,
    )
    batch_pairs: int = option(
        512, "pairs of a contrastive batch, each pair's text being compared "
        "with all others", low=2,
    )
    max_pairs: int = option(
        200_000, "pairs of an epoch, drawn anew for each", low=2
    )
    pair_distance: int = option(
        5, "events between the two items of a pair at most; 1 is neighbours",
        low=1, high=1000,
    )
    view_share: float = option(
        0.3, "share of an epoch's pairs that are two views of one item: title "
        "against the rest, or, where there is one text, that text twice",
        low=0.0, high=1.0,
    )
    dropped_share: float = option(
        0.3, "share of words that are left out of each text of a pair; higher "
        "teaches likeness of words, lower what users read together",
        low=0.0, high=0.9,
    )
    contrastive_temperature: float = option(
        0.05, "divides the cosines; higher flattens the softmax", low=0.001,
        high=10.0,
    )
    save_every_s: int = option(
        60, "seconds between checkpoints", low=0
    )
    precision: PrecisionName = option(
        "float32", "Keras dtype policy; losses stay in float32"
    )
    seed: int = option(
        0, "seed of every random draw, and of the split as in trainer.task",
        low=0,
    )

    def __post_init__(self) -> None:
        check_fields(self)
        if self.distill_from is None:
            self._check_without_teacher()

    def _check_without_teacher(self) -> None:
        if self.distill_epochs is not None:
            raise ValueError(
                f"distill_epochs is {self.distill_epochs}, but there is no "
                "teacher; name one with distill_from."
            )
        if not self.epochs and not self.contrastive_epochs:
            raise ValueError(
                "epochs and contrastive_epochs are both 0; give one of them, "
                "or distill_from."
            )

    @property
    def distillation_passes(self) -> int:
        """Passes of distillation; 0 without a teacher."""
        if self.distill_from is None:
            return 0
        return self.distill_epochs or _DISTILL_EPOCHS
