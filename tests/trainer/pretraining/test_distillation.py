"""Distillation from the command line, with a small random teacher."""

from __future__ import annotations

import contextlib
import csv
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from trainer.catalogue import join_text
from trainer.encoder import TextEncoder
from trainer.encoder_loading import load_encoder
from trainer.pretrain import main
from trainer.pretraining.comparison import rank_correlation
from trainer.pretraining.corpus import hold_out
from trainer.pretraining.distillation import Distillation
from trainer.pretraining.fit import StageFit
from trainer.pretraining.imitation import ImitationStage
from trainer.sample.__main__ import main as make_sample

_SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 32,
}
_LARGE = {**_SMALL, "hidden_size": 24}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("distillation")
    make_sample([str(folder / "logs"), "--users", "60", "--items", "200"])
    (folder / "small.json").write_text(json.dumps(_SMALL))
    (folder / "large.json").write_text(json.dumps(_LARGE))
    corpus = (folder / "logs" / "items.csv").read_text().splitlines()
    for size, name in (("large", "teacher"), ("small", "given")):
        load_encoder(
            str(folder / f"{size}.json"), max_tokens=24, corpus=corpus,
            folder=folder / name,
        )
    return folder


def flags(folder: Path, output: str, *more: str) -> list[str]:
    return [
        "--data-dir", str(folder / "logs"), "--output", str(folder / output),
        "--encoder", str(folder / "small.json"), "--max-tokens", "24",
        "--vocab-size", "600", "--epochs", "0", "--batch-tokens", "256",
        "--distill-from", str(folder / "teacher"), "--distill-epochs", "10",
        "--held-out-share", "0.2", "--save-every-s", "60",
        "--learning-rate", "0.01", *more,
    ]


@contextlib.contextmanager
def steps(most: int | None = None) -> Iterator[list[tuple]]:
    """What is read in each step; after `most` of them the run is killed."""
    every = StageFit._batches_from
    read: list[tuple] = []

    def watched(self: StageFit, done: int) -> Iterator[tuple[np.ndarray, ...]]:
        for batch in itertools.islice(every(self, done), most):
            read.append(batch)
            yield batch
        if most is not None:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StageFit, "_batches_from", watched)
        yield read


def same(folder: Path) -> list[str]:
    """What two runs must share to read the same.

    Word pieces of equal count come in any order where they are learnt anew.
    """
    return [
        "--text-cache", str(folder / "vectors"),
        "--encoder", str(folder / "given"),
    ]


@pytest.fixture(scope="module")
def whole(folder: Path, request) -> tuple[list[tuple], str]:
    """A run's steps, and what it printed."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    capture.read_global_capture()
    with steps() as read:
        assert main(flags(folder, "student", *same(folder))) == 0
    return read, capture.read_global_capture()[0]


@pytest.fixture(scope="module")
def finished(folder: Path, whole: tuple[list[tuple], str]) -> tuple[Path, str]:
    """The folder, and what was printed."""
    return folder / "student", whole[1]


def read(folder: Path, name: str) -> TextEncoder:
    return load_encoder(
        str(folder / name), max_tokens=24, corpus=[], folder=folder
    )


def weights_of(folder: Path) -> int:
    """Numbers in a BERT of one layer, by its configuration."""
    config = json.loads((folder / "config.json").read_text())
    wide, inner = config["hidden_size"], config["intermediate_size"]
    rows = config["vocab_size"] + config["max_position_embeddings"] + 2
    attention = 4 * (wide * wide + wide)
    feed_forward = 2 * wide * inner + inner + wide
    return rows * wide + attention + feed_forward + 3 * 2 * wide


def report_of(folder: Path) -> dict:
    report = json.loads((folder / "pretraining.json").read_text())
    return report["distillation"]


def test_the_student_is_nearer_to_its_teacher_on_held_out_texts(finished):
    report = report_of(finished[0])
    assert report["agreement_after"] > report["agreement_before"] + 0.25


def test_what_is_measured_on_is_not_learnt(folder, monkeypatch):
    taught: list[str] = []
    stage = Distillation.stage

    def watched(self: Distillation) -> ImitationStage:
        taught.extend(self._texts)
        return stage(self)

    monkeypatch.setattr(Distillation, "stage", watched)
    assert main(flags(folder, "watched", "--distill-epochs", "1")) == 0
    rows = csv.DictReader((folder / "logs" / "items.csv").open())
    items = [
        join_text(
            [row["title"], row["brand"], row["categories"],
             row["description"], row["keywords"]]
        )
        for row in rows
    ]
    _, held_out = hold_out(list(dict.fromkeys(items)), 0.2)
    assert len(held_out) == report_of(folder / "watched")["held_out_texts"]
    assert set(items) - set(taught) == set(held_out)
    assert len(taught) > len(items)  # titles and profiles are among them
    found = report_of(folder / "watched")["agreement_after"]
    assert found == pytest.approx(
        rank_correlation(
            read(folder, "watched").encode_bulk(held_out),
            read(folder, "teacher").encode_bulk(held_out),
        ),
        abs=1e-4,
    )


def test_the_report_says_what_both_cost(finished):
    folder, printed = finished
    report = report_of(folder)
    for name in ("teacher", "student"):
        assert report[name]["weights"] == weights_of(folder.parent / name)
        assert report[name]["texts_per_s"] > 0
    # What is in float32 takes four bytes; the rest is the tokenizer.
    smallest = report["student"]["weights"] * 4 / 1e6
    assert smallest < report["student"]["size_mb"] < smallest + 0.2
    assert f"{report['student']['weights']:,}" in printed
    assert f"{report['agreement_after']:.3f} after" in printed


def test_a_killed_run_ends_as_one_that_was_not(folder, whole, capsys):
    command = flags(folder, "killed", *same(folder))
    with steps(3) as first, pytest.raises(KeyboardInterrupt):
        main([*command, "--save-every-s", "0"])
    assert not (folder / "killed").exists()
    with steps() as rest:
        assert main(command) == 0
    told = capsys.readouterr().out
    assert "resuming distillation after step 3 of" in told
    assert len(first) == 3
    for found, expected in zip(first + rest, whole[0], strict=True):
        np.testing.assert_array_equal(found[0], expected[0])  # ids
        np.testing.assert_allclose(found[1], expected[1], atol=1e-3)
    texts = ["a red lamp", "tent for two", "green cotton shoe"]
    # Two runs without a kill differ as much, by the order of sums.
    np.testing.assert_allclose(
        read(folder, "killed").encode_bulk(texts),
        read(folder, "student").encode_bulk(texts),
        atol=0.06,
    )


def test_nothing_but_the_encoder_is_left(folder, finished):
    assert not list(folder.glob(".student*"))
    assert {"config.json", "tf_model.h5", "tokenizer.json"} <= {
        path.name for path in finished[0].iterdir()
    }


def test_a_killed_run_does_not_ask_its_teacher_again(folder, capsys):
    command = flags(folder, "again", "--distill-epochs", "1")
    with steps(1), pytest.raises(KeyboardInterrupt):
        main(command)
    assert " 0 encoded" not in capsys.readouterr().out
    assert main(command) == 0
    assert " 0 encoded (100% hits)" in capsys.readouterr().out


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
