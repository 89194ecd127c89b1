"""Learning from a teacher: its vectors, the stage, the figures."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainer.encoder import TextEncoder
from trainer.pretraining.comparison import costs, rank_correlation
from trainer.pretraining.config import PretrainingConfig
from trainer.pretraining.corpus import Corpus
from trainer.pretraining.imitation import ImitationStage, unit_rows, width_map
from trainer.pretraining.teacher import load_teacher
from trainer.pretraining.token_batches import tokenize
from trainer.text_cache import TextCache

_FEWEST = 3  # texts: of two there is one cosine, which has no rank
_MOST = 1000  # texts that are measured on: half a million cosines


class Distillation:
    """A teacher, what it is asked, and what is measured.

    Args:
        model: the student, a TensorFlow `...ForMaskedLM`.
        tokenizer: of the student.
        corpus: the catalogue's texts.
        held_out: texts of it that nothing is learnt from.
        config: with a teacher.
        work: folder of the run's files.

    Raises:
        ValueError: if there is no such teacher, too little text, or a student
            that the recommender could not read with.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        corpus: Corpus,
        held_out: Sequence[str],
        config: PretrainingConfig,
        work: Path,
    ) -> None:
        self._model, self._config, self._work = model, config, work
        body = getattr(model, model.base_model_prefix)
        self._student = TextEncoder(body, tokenizer, config.max_tokens)
        self._texts = corpus.apart_from(held_out)
        self._held_out = list(held_out)[:_MOST]
        if len(self._held_out) < _FEWEST:
            raise ValueError(
                f"distill_from: of {len(corpus.distinct)} distinct texts "
                f"{len(held_out)} are held out, and it takes {_FEWEST} to "
                "compare cosines; raise held_out_share."
            )
        self._teacher = load_teacher(config)
        self._cache = TextCache(
            Path(config.text_cache or work / "text_cache"),
            self._teacher.fingerprint(), self._teacher.dim,
        )

    def _taught(self, texts: Sequence[str]) -> np.ndarray:
        """[texts, T] vectors of the teacher."""
        return self._cache.vectors(texts, self._teacher.encode_bulk)

    def agreement(self, student: TextEncoder | None = None) -> float:
        """Rank correlation of both encoders' cosines of held-out texts.

        Args:
            student: in another state than it is in now.
        """
        reader = student or self._student
        return rank_correlation(
            reader.encode_bulk(self._held_out), self._taught(self._held_out)
        )

    def stage(self) -> ImitationStage:
        """What is fitted; asks the teacher for what it has not said yet."""
        taught = self._taught(self._texts)
        print(f"teacher's vectors: {self._cache.account}")
        path = self._work / "width_map.npy"
        if not path.exists():
            # Kept: axes of equal weight may come out turned if made anew.
            partial = path.with_name(".width_map.npy")
            np.save(partial, width_map(taught, self._student.dim))
            partial.replace(path)
        table = tokenize(
            self._student.hf_tokenizer, self._texts, self._config.max_tokens
        )
        wanted = unit_rows(taught @ np.load(path))
        return ImitationStage(self._model, table, wanted, self._config)

    def report(self, student: TextEncoder) -> dict[str, Any]:
        """Costs of both, and how far they agree.

        Args:
            student: as it was saved.
        """
        teacher, own = costs(
            [self._teacher, student], self._held_out, self._work / "size"
        )
        return {
            "texts": len(self._texts),
            "held_out_texts": len(self._held_out),
            "teacher": dataclasses.asdict(teacher),
            "student": dataclasses.asdict(own),
            "agreement_after": self.agreement(student),
        }
