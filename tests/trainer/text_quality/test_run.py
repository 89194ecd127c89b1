from __future__ import annotations

import json
from pathlib import Path

import pytest

from trainer.anomalies import DataError
from trainer.config import DataConfig
from trainer.sample.__main__ import main as make_sample
from trainer.tables import load_dataset
from trainer.text_quality.config import TextQualityConfig
from trainer.text_quality.run import run

FREE = "Free shipping!"
ITEMS = "item_id,title,description\n" + "".join(
    f"i{n},<b>Item {n}</b>,<p>About {word}.</p>{FREE}\n"
    for n, word in enumerate(["tea", "cups", "pots", "mats", "trays", "milk"])
)
EVENTS = "user_id,item_id,timestamp\n" + "".join(
    f"u{n % 5},i{n % 6},{1_700_000_000 + n}\n" for n in range(30)
)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "items.csv").write_text(ITEMS)
    (folder / "events.csv").write_text(EVENTS)
    (folder / "users.csv").write_text("user_id,profile\nu0,likes <b>tea</b>\n")
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_trainer_reads_what_was_cleaned(logs, tmp_path):
    before = files(logs)
    report = run(logs, TextQualityConfig(), tmp_path / "out")
    assert files(logs) == before
    dataset = load_dataset(
        str(tmp_path / "out"), DataConfig(),
        rejects_dir=tmp_path / "rejects", now=1_800_000_000,
    )
    assert dataset.anomalies == []
    assert dataset.items.columns == {
        "title": [f"Item {n}" for n in range(6)],
        "description": [
            f"About {word}." for word in
            ("tea", "cups", "pots", "mats", "trays", "milk")
        ],
    }
    assert len(dataset.events.item) == 30
    assert files(tmp_path / "out")["users.csv"] == before["users.csv"]
    assert report["boilerplate"] == [{"sentence": FREE, "items": 6}]


def test_cleaned_tables_have_nothing_to_clean(logs, tmp_path):
    run(logs, TextQualityConfig(), tmp_path / "out")
    again = run(tmp_path / "out", TextQualityConfig(), tmp_path / "twice")
    assert again["cleaning"] == []
    first, second = files(tmp_path / "out"), files(tmp_path / "twice")
    assert first["items.csv"] == second["items.csv"]


def test_new_items_are_cleaned_as_the_trained_ones_were(logs, tmp_path):
    run(logs, TextQualityConfig(), tmp_path / "out")
    new = tmp_path / "new"
    new.mkdir()
    (new / "items.csv").write_text(
        f"item_id,title,description\nn1,Jug,About jugs. {FREE}\n"
    )
    known = str(tmp_path / "out" / "boilerplate.txt")
    run(new, TextQualityConfig(boilerplate=known), tmp_path / "new_out")
    assert files(tmp_path / "new_out") == {
        "items.csv": b'"item_id","title","description"\n'
        b'"n1","Jug","About jugs."\n',
        "boilerplate.txt": f"{FREE}\n".encode(),
    }


def test_popular_twins_are_false_negatives_more_often(logs):
    # i0 and i1 read alike; they have 5 of 30 events each, then 25 of 50.
    (logs / "items.csv").write_text(
        ITEMS.replace("Item 1", "Item 0").replace("cups", "tea")
    )
    even = run(logs, TextQualityConfig(batch_events=2))["false_negatives"]
    more = "".join(f"v{n},i{n % 2},{1_700_000_100 + n}\n" for n in range(20))
    (logs / "events.csv").write_text(EVENTS + more)
    skewed = run(logs, TextQualityConfig(batch_events=2))["false_negatives"]
    assert even["in_batch"] == pytest.approx(2 * (1 / 6) ** 2)
    assert skewed["in_batch"] == pytest.approx(2 * (15 / 50) ** 2)


def test_items_are_enough_and_count_alike(logs):
    (logs / "events.csv").unlink()
    report = run(logs, TextQualityConfig())
    assert report["items"] == 6
    with pytest.raises(DataError, match="no file 'gone.csv'"):
        run(logs, TextQualityConfig(events="gone.csv"))


def test_a_damaged_events_table_is_no_missing_one(logs):
    (logs / "events.csv").write_text("user,item\n")
    with pytest.raises(DataError, match="missing_column"):
        run(logs, TextQualityConfig())


def test_two_events_tables_are_no_missing_one(logs):
    (logs / "events.parquet").touch()
    with pytest.raises(DataError, match="ambiguous_table"):
        run(logs, TextQualityConfig())


def test_too_many_bad_items_stop_it(logs, tmp_path):
    (logs / "items.csv").write_text(ITEMS + ",nobody,\n")
    with pytest.raises(DataError, match="1 of the 7 rows of items"):
        run(logs, TextQualityConfig(), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    run(logs, TextQualityConfig(max_reject_share=0.2), tmp_path / "out")
    assert (tmp_path / "out" / "rejects" / "items.csv").exists()


def test_a_used_output_is_refused_before_any_work(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").touch()
    with pytest.raises(FileExistsError):
        run(tmp_path / "nowhere", TextQualityConfig(), tmp_path / "out")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_planted_copies_are_found(tmp_path, language):
    folder = tmp_path / "sample"
    make_sample([
        str(folder), "--users", "60", "--items", "300",
        "--near-duplicates", "0.1", "--language", language,
    ])
    report = run(folder, TextQualityConfig(similarity=0.7))
    group_of = {
        item["item_id"]: number
        for number, group in enumerate(report["near_duplicates"]["groups"])
        for item in group["items"]
    }
    truth = json.loads((folder / "truth.json").read_text())["items"]
    copies = {i: t["copy_of"] for i, t in truth.items() if t["copy_of"]}
    assert len(copies) == 30
    # What a copy's title adds may be much of a text that is short.
    found = [
        copy for copy, original in copies.items()
        if copy in group_of and group_of[copy] == group_of.get(original)
    ]
    assert len(found) >= 28
