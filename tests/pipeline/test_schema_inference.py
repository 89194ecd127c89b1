from __future__ import annotations

import pytest

import schema
from pipeline.schema_inference import differences, infer_schema
from trainer.anomalies import DataError

ROWS = "user_id,item_id,timestamp,event_type,mood\n" + (
    "a,b,1,click,x\n" * 60 + "a,b,2,tap,y\n" * 60 + ",b,3,tap,y\n"
)


def test_where_a_table_is_unlike_the_contract_is_said(tmp_path):
    (tmp_path / "events.csv").write_text(ROWS)
    proposed = infer_schema(str(tmp_path), "events")
    assert [feature.name for feature in proposed.feature] == [
        "user_id", "item_id", "timestamp", "event_type", "mood",
    ]
    lines = differences(proposed, schema.load("events"))
    assert [line for line in lines if "not in the table" not in line] == [
        "event_type: holds values that the contract lacks: 'tap'.",
        "mood: is not in the contract.",
        "user_id: is required and missing in some rows.",
    ]


def test_a_type_unlike_the_contract_is_said():
    proposed = schema.load("events")
    proposed.feature[2].type = schema.load("events").feature[0].type
    assert "timestamp: is BYTES in the table and INT in the contract." in (
        differences(proposed, schema.load("events"))
    )


def test_a_schema_is_like_itself():
    for table in ("events", "items", "users", "scenarios"):
        found = differences(schema.load(table), schema.load(table))
        assert [line for line in found if "required" not in line] == []


def test_a_table_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match="missing_table"):
        infer_schema(str(tmp_path), "users")
