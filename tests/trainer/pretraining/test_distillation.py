"""Distillation from the command line, with a small random teacher."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from trainer.encoder import TextEncoder, load_encoder
from trainer.pretrain import main
from trainer.pretraining.comparison import rank_correlation
from trainer.pretraining.corpus import hold_out
from trainer.pretraining.fit import StageFit
from trainer.sample.__main__ import main as make_sample

_SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 32,
}
# Wide weights: with BERT's own 0.02 all texts have nearly one vector.
_LARGE = {**_SMALL, "hidden_size": 24, "initializer_range": 0.3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("distillation")
    make_sample([str(folder / "logs"), "--users", "60", "--items", "80"])
    (folder / "small.json").write_text(json.dumps(_SMALL))
    (folder / "large.json").write_text(json.dumps(_LARGE))
    corpus = [f"{a} {b}" for a in "abcdefgh" for b in ("lamp", "red shoe")]
    load_encoder(
        str(folder / "large.json"), max_tokens=24, corpus=corpus,
        folder=folder / "teacher",
    )
    return folder


def flags(folder: Path, output: str, *more: str) -> list[str]:
    return [
        "--data-dir", str(folder / "logs"), "--output", str(folder / output),
        "--encoder", str(folder / "small.json"), "--max-tokens", "24",
        "--vocab-size", "600", "--epochs", "0", "--batch-tokens", "256",
        "--distill-from", str(folder / "teacher"), "--distill-epochs", "8",
        "--held-out-share", "0.2", "--save-every-s", "0",
        "--learning-rate", "0.01", *more,
    ]


@pytest.fixture(scope="module")
def finished(folder: Path, request) -> tuple[Path, str]:
    """The folder, and what was printed."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    capture.read_global_capture()
    assert main(flags(folder, "student")) == 0
    return folder / "student", capture.read_global_capture()[0]


def read(folder: Path, name: str) -> TextEncoder:
    return load_encoder(
        str(folder / name), max_tokens=24, corpus=[], folder=folder
    )


def report_of(folder: Path) -> dict:
    report = json.loads((folder / "pretraining.json").read_text())
    return report["distillation"]


def test_the_student_is_nearer_to_its_teacher_on_held_out_texts(finished):
    report = report_of(finished[0])
    assert report["agreement_after"] > report["agreement_before"] + 0.3
    assert report["agreement_after"] > 0.7


def test_agreement_is_measured_on_what_was_not_learnt(
    folder, finished, monkeypatch
):
    asked: list[str] = []
    bulk = TextEncoder.encode_bulk

    def watched(self: TextEncoder, texts) -> np.ndarray:
        asked.append(list(texts))
        return bulk(self, texts)

    monkeypatch.setattr(TextEncoder, "encode_bulk", watched)
    assert main(flags(folder, "watched", "--distill-epochs", "1")) == 0
    held_out = asked[0]  # by the student, before anything is learnt
    assert len(held_out) == report_of(folder / "watched")["held_out_texts"]
    learnt = {text for texts in asked for text in texts} - set(held_out)
    assert hold_out([*held_out, *learnt], 0.2)  # none of them is empty
    expected = rank_correlation(
        read(folder, "watched").encode_bulk(held_out),
        read(folder, "teacher").encode_bulk(held_out),
    )
    found = report_of(folder / "watched")["agreement_after"]
    assert found == pytest.approx(expected, abs=1e-6)


def test_the_report_says_what_both_cost(finished):
    folder, printed = finished
    report = report_of(folder)
    for name in ("teacher", "student"):
        words, width = 3, _LARGE if name == "teacher" else _SMALL
        assert report[name]["weights"] > words * width["hidden_size"]
        assert report[name]["texts_per_s"] > 0
    ratio = report["teacher"]["weights"] / report["student"]["weights"]
    assert ratio != 1
    assert f"{report['student']['weights']:,}" in printed
    assert f"{report['agreement_after']:.3f} after" in printed


def test_a_killed_run_ends_as_one_that_was_not(folder, finished, capsys):
    every = StageFit._batches_from

    def three(self: StageFit, done: int) -> Iterator[tuple[np.ndarray, ...]]:
        yield from itertools.islice(every(self, done), 3)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StageFit, "_batches_from", three)
        with pytest.raises(KeyboardInterrupt):
            main(flags(folder, "killed"))
    assert not (folder / "killed").exists()
    assert main(flags(folder, "killed")) == 0
    told = capsys.readouterr().out
    assert "resuming distillation after step 3 of" in told
    assert " 0 encoded (100% hits)" in told
    killed, whole = (read(folder, name) for name in ("killed", "student"))
    for own, other in zip(
        killed.bert.weights, whole.bert.weights, strict=True
    ):
        if "/pooler/" not in own.name:
            np.testing.assert_allclose(own, other, atol=1e-5)


def test_nothing_but_the_encoder_is_left(folder, finished):
    assert not list(folder.glob(".student*"))
    assert {"config.json", "tf_model.h5", "tokenizer.json"} <= {
        path.name for path in finished[0].iterdir()
    }


def test_a_given_cache_of_vectors_stays_and_is_used(folder, capsys):
    cache = str(folder / "cache")
    more = ["--distill-epochs", "1", "--text-cache", cache]
    assert main(flags(folder, "first", *more)) == 0
    assert " 0 cached" in capsys.readouterr().out
    assert main(flags(folder, "second", *more, "--seed", "1")) == 0
    assert " 0 encoded (100% hits)" in capsys.readouterr().out


def test_masked_training_comes_before_and_contrastive_after(folder, capsys):
    assert main(flags(
        folder, "all", "--epochs", "1", "--distill-epochs", "1",
        "--contrastive-epochs", "1",
    )) == 0
    told = capsys.readouterr()
    bars = [told.err.rindex(name) for name in (
        "language model", "distillation", "contrastive"
    )]
    assert bars == sorted(bars)
    assert "perplexity" in told.out


@pytest.mark.parametrize(
    "more, said",
    [
        (["--distill-from", "{folder}/tacher"],
         "Did you mean {folder}/teacher?"),
        (["--distill-from", "tiny"], "'tiny' is a new encoder"),
        (["--encoder", "{folder}/teacher"],
         "is the encoder that is to learn too"),
        (["--max-tokens", "33"], "max_tokens is 33"),
        (["--held-out-share", "0.001"], "raise held_out_share"),
    ],
)
def test_what_cannot_be_is_refused_before_training(
    folder, tmp_path, capsys, more, said
):
    more = [part.format(folder=folder) for part in more]
    command = flags(folder, "x", *more, "--output", str(tmp_path / "x"))
    assert main(command) == 1
    told = capsys.readouterr()
    assert said.format(folder=folder) in told.err
    assert "language model" not in told.err
    assert len(told.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "wrong, said",
    [
        (["--distill-epochs", "2"], "name one with distill_from"),
        (["--epochs", "0"], "or distill_from"),
        (["--distill-from", "minilm", "--distill-epochs", "0"],
         "distill_epochs must be at least 1, got 0"),
    ],
)
def test_wrong_settings_end_with_one_line(tmp_path, capsys, wrong, said):
    with pytest.raises(SystemExit) as caught:
        main(["--data-dir", "x", "--output", str(tmp_path / "x"), *wrong])
    assert caught.value.code == 2
    assert said in capsys.readouterr().err
