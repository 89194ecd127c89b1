"""What it costs to tune an encoder, over small logs."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.language.tuning import (
    as_row,
    in_fresh_process,
    main,
    make_parser,
    measure,
)
from trainer.sample.__main__ import main as make_sample


@pytest.fixture(scope="module")
def flags(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("tuning")
    make_sample([str(folder / "logs"), "--users", "60", "--items", "40"])
    return [
        "--data-dir", str(folder / "logs"), "--text-encoder", "tiny",
        "--users", "4", "--length", "6", "--folder", str(folder),
    ]


def test_a_row_compares_with_frozen() -> None:
    frozen = {"trained": 0, "weights": 100, "seconds": 0.5, "peak_mb": 1000.0}
    tuned = {"trained": 5, "weights": 125, "seconds": 2.0, "peak_mb": 1250.4}
    assert as_row("lora", tuned, frozen) == (
        "| `lora` | 5 | 4.00% | 2.000 | 4.0 | 1250 | +250 |"
    )


def test_a_step_of_lora_trains_its_products_alone(flags: list[str]) -> None:
    asked = make_parser().parse_args(flags)
    found = measure("lora", asked)
    # Rank 8 beside query, key and value of two layers of width 128.
    assert found["trained"] == 2 * 3 * 2 * 128 * 8
    assert found["weights"] > 20 * found["trained"]
    assert found["seconds"] > 0
    assert found["peak_mb"] > 100


def test_a_step_of_a_frozen_encoder_trains_nothing_of_it(
    flags: list[str],
) -> None:
    found = measure("frozen", make_parser().parse_args(flags))
    assert found["trained"] == 0


def test_a_length_that_nobody_has_is_refused(
    flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([*flags, "--length", "900", "--only", "lora"])
    assert "error: nobody has 900 events" in capsys.readouterr().err


def test_what_fails_in_its_process_is_told(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="--tune lora failed(.|\n)*nowhere"):
        in_fresh_process("lora", ["--data-dir", str(tmp_path / "nowhere")])
