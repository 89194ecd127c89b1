"""Records that are missing, empty or not of one run.

That good ones give what the tables give is tested with the pipeline.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf

from trainer.records import Records, load_prepared, read_vocabulary
from trainer.text_config import TextConfig

NO_NAMES = "49d0cd50-04bb-48c0-bc6f-5b575dce351a"  # TensorFlow Transform's
GZIP = tf.io.TFRecordOptions(compression_type="GZIP")


def write(path: Path, records: list[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path), GZIP) as writer:
        for record in records:
            writer.write(record)


def example(**values: list) -> bytes:
    def feature(items: list) -> tf.train.Feature:
        if isinstance(items[0], str):
            texts = [item.encode() for item in items]
            return tf.train.Feature(
                bytes_list=tf.train.BytesList(value=texts)
            )
        if isinstance(items[0], float):
            return tf.train.Feature(
                float_list=tf.train.FloatList(value=items)
            )
        return tf.train.Feature(int64_list=tf.train.Int64List(value=items))

    features = {name: feature(items) for name, items in values.items()}
    return tf.train.Example(
        features=tf.train.Features(feature=features)
    ).SerializeToString()


class Run:
    """What Transform would write of two items and two users."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.vocabulary("catalogue", item_id=["b", "a"], categories=["x"])
        self.vocabulary("catalogue", brand=[NO_NAMES])
        self.vocabulary("sequence", event_type=["click"], scenario=["home"])
        self.items(["a", "b"])
        self.users(["b", "a"])

    def vocabulary(self, graph: str, **names: list[str]) -> None:
        for name, values in names.items():
            assets = self.folder / graph / "transform_fn" / "assets"
            records = [value.encode() for value in values]
            write(assets / f"{name}.tfrecord.gz", records)

    def items(self, ids: list[str], **raw: list[str]) -> None:
        write(self.folder / "items" / "part.gz", [
            example(
                item_id=[name], item_code=[["b", "a", "c"].index(name)],
                title=[f"title {name}"], item_text=[f"text {name}"],
                brand=[-1], train_events=[2], categories=[0],
                available_from=[7 if name == "a" else 0],
                **{key: [values[at]] for key, values in raw.items()},
            )
            for at, name in enumerate(ids)
        ])

    def users(
        self, items: list[str], texts: dict[int, list[str]] | None = None
    ) -> None:
        write(self.folder / "users" / "part.gz", [
            example(
                user_id=[f"u{row}"], first_row=[row], profile=[f"p{row}"],
                item_id=items, event_type=[1, 0], scenario=[1, 1], gap=[0, row],
                timestamp=[row, row + 5], rating=[float("nan"), 4.0],
                split=[0, 2], **({"text": texts[row]} if texts else {}),
            )
            for row in (9, 3)
        ])

    @property
    def records(self) -> Records:
        folder = str(self.folder)
        return Records(
            f"{folder}/users/*", f"{folder}/items/*", f"{folder}/sequence",
            f"{folder}/catalogue",
        )


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_users_stand_by_their_first_row_and_items_by_their_code(
    run: Run
) -> None:
    found = load_prepared(run.records)
    assert found.catalogue.item_ids == ["b", "a"]
    assert found.catalogue.titles == ["title b", "title a"]
    assert found.catalogue.brands == []
    assert found.catalogue.available_from.tolist() == [0, 7]
    assert found.sequences.timestamp.tolist() == [3, 8, 9, 14]
    assert found.sequences.gap.tolist() == [0, 3, 0, 9]
    assert found.sequences.item.tolist() == [0, 1, 0, 1]
    assert found.profile_texts == ["", "p3", "p9"]
    assert found.span == (3, 9)


def test_texts_of_events_follow_them(run: Run) -> None:
    assert load_prepared(run.records).event_texts.own_code.tolist() == [0] * 4
    setting = TextConfig(behaviour_text="{like: '{text}'}")
    with pytest.raises(ValueError, match="made without the texts"):
        load_prepared(run.records, setting)
    run.users(["b", "a"], texts={3: ["", " q"], 9: ["r", "q"]})
    texts = load_prepared(run.records).event_texts
    assert [texts.own[code] for code in texts.own_code] == ["", "q", "r", "q"]
    assert texts.spoken is None


def test_events_are_put_in_words_with_raw_columns(run: Run) -> None:
    run.users(["b", "a"], texts={3: ["", "q"], 9: ["r", "q"]})
    setting = TextConfig(behaviour_text="{click: '{brand}: {text}'}")
    run.items(["a", "b"], raw_brand=["A", ""])
    texts = load_prepared(run.records, setting).event_texts
    # An event with code 0 is of an unknown type, which says the title.
    said = [texts.spoken.texts[code] for code in texts.spoken.code]
    assert said == ["title b", "title a", "r", "title a"]


def test_raw_columns_that_transform_did_not_keep_are_named(run: Run) -> None:
    setting = TextConfig(behaviour_text="{click: '{brand}'}")
    with pytest.raises(ValueError, match="raw_brand.*run the pipeline again"):
        load_prepared(run.records, setting)


def test_missing_files_are_named(run: Run) -> None:
    (run.folder / "users" / "part.gz").unlink()
    with pytest.raises(ValueError, match=r"no file .*users/\*; run Transform"):
        load_prepared(run.records)


def test_files_without_a_record_are_refused(run: Run) -> None:
    write(run.folder / "items" / "part.gz", [])
    with pytest.raises(ValueError, match="holds no record"):
        load_prepared(run.records)


def test_a_catalogue_of_another_run_is_refused(run: Run) -> None:
    run.items(["a", "b", "c"])
    with pytest.raises(ValueError, match="3 items and its vocabulary 2"):
        load_prepared(run.records)


def test_events_of_unknown_items_are_refused(run: Run) -> None:
    run.users(["b", "z"])
    with pytest.raises(ValueError, match="2 events are of items"):
        load_prepared(run.records)


def test_a_vocabulary_without_names_is_empty(run: Run) -> None:
    assert read_vocabulary(run.records.catalogue_graph, "brand") == []
