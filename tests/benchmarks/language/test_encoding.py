"""Ways to encode the same texts, over small logs."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.language.encoders import OURS, package_cached
from benchmarks.language.encoding import Way, main, table
from trainer.encoder import TextEncoder
from trainer.encoder_loading import load_encoder
from trainer.sample.__main__ import main as make_sample


def test_ratios_are_medians_of_each_turn_s() -> None:
    vectors = np.array([[1.0, 0.0], [0.6, 0.8]])
    turned = np.array([[0.8, 0.6], [0.6, 0.8]])
    found = table(
        ["ours", "theirs"],
        {"ours": [1.0, 4.0, 0.5], "theirs": [2.0, 4.0, 2.0]},
        {"ours": vectors, "theirs": turned},
    )
    assert found.splitlines()[2:] == [
        "| ours | 2 | 1.00 | 1.0000 |",
        "| theirs | 1 | 0.50 | 0.8000 |",
    ]


def test_all_of_ours_give_the_same_vectors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_sample([str(tmp_path / "logs"), "--users", "20", "--items", "40"])
    load_encoder(
        "tiny", max_tokens=16, corpus=["trail shoes", "dice"],
        folder=tmp_path / "encoder",
    )
    main([
        "--data-dir", str(tmp_path / "logs"), "--texts", "30", "--turns", "1",
        "--text-encoder", str(tmp_path / "encoder"), "--max-tokens", "16",
    ])
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in capsys.readouterr().out.strip().splitlines()[-4:]
    ]
    assert [row[0] for row in rows] == list(OURS)
    cosines = {row[0]: float(row[3]) for row in rows}
    assert cosines.pop("mixed_bfloat16") > 0.99
    assert set(cosines.values()) == {1.0}


def test_the_cached_way_encodes_a_text_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["trail shoes", "dice", "a set of dice"]
    load_encoder("tiny", max_tokens=16, corpus=texts, folder=tmp_path / "tiny")
    encode = package_cached(str(tmp_path / "tiny"), 16)
    first = encode(texts)
    read: list[str] = []

    def encode_bulk(self: TextEncoder, new: list[str]) -> np.ndarray:
        read.extend(new)
        return np.zeros((len(new), self.dim), np.float32)

    monkeypatch.setattr(TextEncoder, "encode_bulk", encode_bulk)
    np.testing.assert_array_equal(encode(texts), first)
    assert not read
    encode([*texts, "a new one"])
    assert read == ["a new one"]


def test_tables_that_cannot_be_read_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--data-dir", str(tmp_path / "nowhere")])
    said = capsys.readouterr().err
    assert said.startswith("error: The tables cannot be read.")
    assert "nowhere; check --data-dir" in said


@pytest.mark.parametrize(
    ("flags", "message"),
    [(["--peers", "nowhere/python"], "nowhere/python is no Python"),
     (["--texts", "0"], "above 0")],
)
def test_wrong_flags_are_refused_before_anything_is_read(
    flags: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--data-dir", "unread", *flags])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_a_way_that_fails_is_named(tmp_path: Path) -> None:
    way = Way(sys.executable, ["float32", str(tmp_path), "nowhere.json", "16"])
    with pytest.raises(RuntimeError, match="float32 failed"):
        way.wait()
    way.close()
