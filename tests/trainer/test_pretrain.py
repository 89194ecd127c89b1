"""Pretraining from the command line: text in, an encoder folder out."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import transformers

from trainer.encoder_loading import load_encoder
from trainer.pretrain import main
from trainer.pretraining.fit import StageFit
from trainer.sample.__main__ import main as make_sample

_BERT = {
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 32,
}


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pretrain")
    make_sample([
        str(folder / "logs"), "--users", "60", "--items", "60",
        "--language", "zh",
    ])
    (folder / "bert.json").write_text(json.dumps(_BERT))
    return folder / "logs"


def flags(logs: Path, output: Path, *more: str) -> list[str]:
    return [
        "--data-dir", str(logs), "--output", str(output),
        "--encoder", str(logs.parent / "bert.json"), "--max-tokens", "24",
        "--vocab-size", "600", "--epochs", "6", "--batch-tokens", "256",
        "--contrastive-epochs", "1", "--batch-pairs", "64",
        "--held-out-share", "0.2", "--save-every-s", "0",
        "--learning-rate", "0.005", *more,
    ]


@pytest.fixture(scope="module")
def killed(logs: Path) -> int:
    """A run that was stopped in its fourth step; returns where it stood."""
    every = StageFit._batches_from

    def three(self: StageFit, done: int) -> Iterator[tuple[np.ndarray, ...]]:
        yield from itertools.islice(every(self, done), 3)
        raise KeyboardInterrupt

    patch = pytest.MonkeyPatch()
    patch.setattr(StageFit, "_batches_from", three)
    with pytest.raises(KeyboardInterrupt):
        main(flags(logs, logs.parent / "encoder"))
    patch.undo()
    assert not (logs.parent / "encoder").exists()
    return 3


@pytest.fixture(scope="module")
def finished(logs: Path, killed: int, request) -> tuple[Path, str]:
    """The same command again: the folder, and what was printed."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    capture.read_global_capture()
    assert main(flags(logs, logs.parent / "encoder")) == 0
    return logs.parent / "encoder", capture.read_global_capture()[0]


@pytest.fixture(scope="module")
def report(finished: tuple[Path, str]) -> dict:
    return json.loads((finished[0] / "pretraining.json").read_text())


def test_a_killed_run_goes_on_from_its_last_step(finished, killed):
    assert f"resuming language_model after step {killed} of" in finished[1]


def test_held_out_text_is_better_known_after_than_before(report, finished):
    assert report["perplexity_after"] < 0.7 * report["perplexity_before"]
    # An untrained model knows no more than the size of its vocabulary.
    assert report["perplexity_before"] > 0.5 * report["vocabulary"]
    assert f"{report['perplexity_after']:.1f} after" in finished[1]


def test_nothing_but_the_encoder_is_left(finished):
    folder = finished[0]
    assert {path.name for path in folder.parent.iterdir()} == {
        "logs", "bert.json", "encoder"
    }
    assert {"config.json", "tf_model.h5", "tokenizer.json", "vocab.txt"} <= {
        path.name for path in folder.iterdir()
    }


def test_the_recommender_reads_with_what_was_trained(finished, tmp_path):
    folder = finished[0]
    text = "帐篷 Zelt 2024"
    encoder = load_encoder(
        str(folder), max_tokens=24, corpus=[], folder=tmp_path
    )
    model = transformers.TFAutoModelForMaskedLM.from_pretrained(folder)
    states = model(
        dict(encoder.hf_tokenizer(text, return_tensors="tf")),
        output_hidden_states=True,
    ).hidden_states[-1][0]
    mean = np.mean(states, axis=0)
    found = encoder.encode_strings(tf.constant([text]))[0]
    np.testing.assert_allclose(
        found, mean / np.linalg.norm(mean), atol=1e-5
    )


def test_two_processes_would_name_it_the_same(finished, tmp_path):
    names = {
        load_encoder(
            str(finished[0]), max_tokens=24, corpus=[], folder=tmp_path
        ).fingerprint()
        for _ in range(2)
    }
    assert len(names) == 1


def test_the_same_command_again_has_nothing_to_do(logs, finished, capsys):
    before = (finished[0] / "tf_model.h5").stat().st_mtime_ns
    assert main(flags(logs, finished[0])) == 0
    assert "after" in capsys.readouterr().out
    assert (finished[0] / "tf_model.h5").stat().st_mtime_ns == before


def test_another_run_does_not_overwrite_it(logs, finished, capsys):
    assert main(flags(logs, finished[0], "--seed", "5")) == 1
    assert "give another --output" in capsys.readouterr().err


def test_a_given_encoder_is_gone_on_from(logs, finished, report, tmp_path):
    output = tmp_path / "again"
    assert main(flags(
        logs, output, "--encoder", str(finished[0]), "--epochs", "1",
        "--contrastive-epochs", "0", "--learning-rate", "1e-6",
    )) == 0
    again = json.loads((output / "pretraining.json").read_text())
    # Its head came with it; contrastive training has cost it little.
    assert again["perplexity_before"] < 0.8 * report["perplexity_before"]


@pytest.mark.parametrize(
    "wrong, said",
    [
        (["--epochs", "0", "--contrastive-epochs", "0"], "both 0"),
        (["--maxtokens", "3"], "Did you mean --max-tokens?"),
        (["--masked-share", "0"], "masked_share must be at least 0.01"),
    ],
)
def test_wrong_settings_end_with_one_line(logs, tmp_path, capsys, wrong, said):
    with pytest.raises(SystemExit) as caught:
        main(flags(logs, tmp_path / "x", *wrong))
    assert caught.value.code == 2
    assert said in capsys.readouterr().err


def test_more_tokens_than_positions_are_refused(logs, tmp_path, capsys):
    assert main(flags(logs, tmp_path / "x", "--max-tokens", "33")) == 1
    told = capsys.readouterr().err
    assert "max_tokens is 33, but this encoder has positions for 32" in told
