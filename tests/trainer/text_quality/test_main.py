from __future__ import annotations

import json
from pathlib import Path

import pytest

from trainer.text_quality.__main__ import main


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "items.csv").write_text(
        "item_id,title\na,<b>Red tea cup</b>\nb,Red tea cup\nc,红茶杯\n",
        encoding="utf-8",
    )
    return folder


def test_it_tells_writes_and_says_what_comes_next(logs, tmp_path, capsys):
    report, output = tmp_path / "report.json", tmp_path / "out"
    assert main([
        "--data-dir", str(logs), "--report", str(report),
        "--output", str(output),
    ]) == 0
    told = capsys.readouterr().out
    assert "title: markup in 1 (33.3%)" in told
    assert "2 (66.7%) items in 1 groups" in told
    assert f"python -m trainer.task --data-dir {output}" in told
    written = report.read_text(encoding="utf-8")
    assert json.loads(written)["near_duplicates"]["items"] == 2
    assert (output / "items.csv").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "logs", "out", "report.json"
    ]


def test_without_folders_nothing_is_written(logs, tmp_path, capsys):
    assert main(["--data-dir", str(logs)]) == 0
    assert "near-duplicates" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--similarty", "0.9"], "Did you mean --similarity?"),
        (["--similarity", "0.2"], "similarity must be at least 0.5"),
        (["--text-columns", "titel"], "text_columns takes each of"),
        (["more"], "unexpected argument 'more'"),
    ],
)
def test_wrong_settings_end_with_one_line(logs, capsys, wrong, said):
    with pytest.raises(SystemExit) as caught:
        main(["--data-dir", str(logs), *wrong])
    assert caught.value.code == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--data-dir", "nowhere"], "there is no folder nowhere"),
        (["--boilerplate", "gone.txt"], "gone.txt"),
        (["--report", "gone/report.json"], "there is no folder gone"),
        (["--output", "."], "another --output"),
    ],
)
def test_what_cannot_be_done_is_said(
    logs, tmp_path, monkeypatch, capsys, flags, said
):
    monkeypatch.chdir(tmp_path)
    assert main(["--data-dir", str(logs), *flags]) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: ") and said in told
