"""A whole pretraining: from texts to a folder that an encoder loads from."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import transformers

from trainer.encoder import positions
from trainer.encoder_loading import (
    load_encoder,
    load_tokenizer,
    load_weights,
    locate,
)
from trainer.encoder_sizes import is_made_here
from trainer.fresh_encoder import bert_config, learn_tokenizer
from trainer.job import write_json
from trainer.pretraining.config import PretrainingConfig
from trainer.pretraining.contrast import ContrastiveStage
from trainer.pretraining.corpus import Corpus, hold_out
from trainer.pretraining.distillation import Distillation
from trainer.pretraining.fit import Stage, StageFit
from trainer.pretraining.language_model import LanguageModelStage
from trainer.pretraining.masking import Vocabulary
from trainer.pretraining.pairs import PairTexts
from trainer.pretraining.token_batches import tokenize

REPORT = "pretraining.json"  # in the folder of the finished encoder
_NEW_RATE, _GIVEN_RATE = 5e-4, 5e-5


class Pretraining:
    """One run. What is not finished lies beside the output folder.

    Args:
        corpus: texts and events.
        config: all settings.
        output: folder of the encoder; there once all is done.

    Raises:
        ValueError: if the output folder holds something else.
    """

    def __init__(
        self, corpus: Corpus, config: PretrainingConfig, output: Path
    ) -> None:
        self._corpus, self._config, self._output = corpus, config, output
        self._work = output.with_name(f".{output.name}.work")
        self._mark = _fingerprint(corpus, config)
        self._learnt, self._held_out = hold_out(
            corpus.distinct, config.held_out_share
        )
        if output.exists() and not self.is_finished:
            raise ValueError(
                f"{output} is there already and was not made by this command "
                "with these settings and data; give another --output, or "
                "remove it."
            )

    @property
    def is_finished(self) -> bool:
        """Whether the output is this run's."""
        report = self._output / REPORT
        if not report.exists():
            return False
        content = json.loads(report.read_text(encoding="utf-8"))
        return bool(content.get("fingerprint") == self._mark)

    def execute(self) -> dict[str, Any]:
        """Trains and saves. Returns what `pretraining.json` holds."""
        if self.is_finished:
            report: dict[str, Any] = json.loads(
                (self._output / REPORT).read_text(encoding="utf-8")
            )
            return report
        config = self._config
        tf.keras.utils.set_random_seed(config.seed)
        tf.keras.mixed_precision.set_global_policy(config.precision)
        self._claim_work()
        tokenizer = self._tokenizer()
        model = self._model(tokenizer)
        # Before any training: what it refuses is refused in seconds.
        distillation = self._distillation(model, tokenizer)
        report = self._train(model, tokenizer, distillation)
        self._finish(model, tokenizer, report, distillation)
        return report

    def _distillation(
        self, model: Any, tokenizer: Any
    ) -> Distillation | None:
        if self._config.distill_from is None:
            return None
        return Distillation(
            model, tokenizer, self._corpus, self._held_out, self._config,
            self._work,
        )

    def _claim_work(self) -> None:
        """Begins a work folder, or finds that of the same run."""
        mark = self._work / "fingerprint"
        if not mark.exists() or mark.read_text() != self._mark:
            shutil.rmtree(self._work, ignore_errors=True)
            self._work.mkdir(parents=True)
            mark.write_text(self._mark)

    def _tokenizer(self) -> Any:
        name = self._config.encoder
        if not is_made_here(name):
            return load_tokenizer(locate(name))
        made = self._work / "tokenizer"
        if not made.exists():
            partial = self._work / ".tokenizer"
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            learn_tokenizer(
                self._corpus.distinct, self._config.vocab_size, partial,
                lowercase=self._config.lowercase,
            ).save_pretrained(partial)
            os.replace(partial, made)
        return load_tokenizer(str(made))

    def _model(self, tokenizer: Any) -> Any:
        name, limit = self._config.encoder, self._config.max_tokens
        if is_made_here(name):
            model = transformers.TFBertForMaskedLM(
                bert_config(name, len(tokenizer))
            )
            model.build_in_name_scope()
        else:
            model = load_weights(
                locate(name), transformers.TFAutoModelForMaskedLM
            )
        if limit > positions(model.config):
            raise ValueError(
                f"max_tokens is {limit}, but this encoder has positions for "
                f"{positions(model.config)}; lower max_tokens."
            )
        return model

    def _train(
        self, model: Any, tokenizer: Any, distillation: Distillation | None
    ) -> dict[str, Any]:
        """Runs the stages. Returns the report."""
        config = self._config
        report: dict[str, Any] = {
            "fingerprint": self._mark,
            "settings": dataclasses.asdict(config),
            "texts": len(self._learnt), "held_out_texts": len(self._held_out),
            "vocabulary": len(tokenizer), "weights": model.count_params(),
        }
        if config.epochs:
            report |= self._train_on_masked_text(model, tokenizer)
        if distillation:
            before = self._once("agreement.json", distillation.agreement)
            report["distillation"] = {"agreement_before": before}
            self._fit(distillation.stage(), model)
        if config.contrastive_epochs:
            pairs = PairTexts(self._corpus)
            table = tokenize(tokenizer, pairs.texts, config.max_tokens)
            self._fit(ContrastiveStage(model, pairs, table, config), model)
        return report

    def _train_on_masked_text(
        self, model: Any, tokenizer: Any
    ) -> dict[str, float]:
        """Returns the perplexity of held-out texts before and after."""
        config = self._config
        table = tokenize(tokenizer, self._learnt, config.max_tokens)
        measured = tokenize(tokenizer, self._held_out, config.max_tokens)
        stage = LanguageModelStage(
            model, Vocabulary.of(tokenizer), table, config
        )
        before = self._once("before.json", lambda: stage.perplexity(measured))
        self._fit(stage, model)
        after = self._once("after.json", lambda: stage.perplexity(measured))
        return {"perplexity_before": before, "perplexity_after": after}

    def _fit(self, stage: Stage, model: Any) -> None:
        rate = self._config.learning_rate or (
            _NEW_RATE if is_made_here(self._config.encoder) else _GIVEN_RATE
        )
        StageFit(stage, model, self._config, rate, self._work).run()

    def _once(self, name: str, measure: Any) -> float:
        """A figure that is measured once per run, kills included."""
        path = self._work / name
        if not path.exists():
            write_json(path, measure())
        return float(json.loads(path.read_text()))

    def _finish(
        self,
        model: Any,
        tokenizer: Any,
        report: dict[str, Any],
        distillation: Distillation | None,
    ) -> None:
        """Saves in Hugging Face's format; the folder is whole or not there."""
        done = self._work / "done"
        shutil.rmtree(done, ignore_errors=True)
        model.save_pretrained(done)
        tokenizer.save_pretrained(done)
        if distillation:
            student = load_encoder(
                str(done), max_tokens=self._config.max_tokens, corpus=[],
                folder=done,
            )
            report["distillation"] |= distillation.report(student)
        write_json(done / REPORT, report)
        self._output.parent.mkdir(parents=True, exist_ok=True)
        os.replace(done, self._output)
        shutil.rmtree(self._work)


def _fingerprint(corpus: Corpus, config: PretrainingConfig) -> str:
    """Names what decides the result: settings, texts and train events."""
    settings = dataclasses.asdict(config)
    for name in ("save_every_s", "text_cache"):
        del settings[name]
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for texts in (
        corpus.texts, corpus.titles, corpus.rests, corpus.profiles
    ):
        digest.update("\0".join(texts).encode("utf-8", "surrogatepass"))
    for part in (corpus.sequences.item, corpus.sequences.split):
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()[:16]
