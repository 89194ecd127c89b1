from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from trainer.tables.raw_table import RawTable
from trainer.tables.review import Review
from trainer.tables.users import Users, check_scenarios, check_users


def review_of(**columns: list[str]) -> Review:
    arrays = {name: pa.array(values) for name, values in columns.items()}
    count = len(next(iter(columns.values())))
    return Review(RawTable("users", arrays, np.arange(1, count + 1)))


def test_a_single_column_is_the_profile_as_it_is():
    review = review_of(user_id=["b", "a"], about=[" likes jazz ", ""])
    assert check_users(review) == Users(["b", "a"], ["likes jazz", ""])


def test_several_columns_are_joined_with_their_names():
    review = review_of(
        user_id=["a", "b", "c"],
        age_group=["18-24", "", ""],
        gender=["F", "M", " "],
    )
    assert check_users(review).profiles == [
        "age group: 18-24, gender: F", "gender: M", "",
    ]


def test_ids_alone_are_users_without_profile():
    assert check_users(review_of(user_id=["a"])) == Users(["a"], [""])


@pytest.mark.parametrize("answer", ["true", "TRUE", "1", "1.0", " yes "])
def test_a_profile_is_read_with_consent(answer):
    review = review_of(user_id=["a"], profile=["x"], consent=[answer])
    assert check_users(review).profiles == ["x"]
    assert review.anomalies == []


@pytest.mark.parametrize("answer", ["false", "0", "no", "", "perhaps"])
def test_no_profile_is_read_without_clear_consent(answer):
    review = review_of(user_id=["a"], profile=["x"], consent=[answer])
    assert check_users(review).profiles == [""]
    assert [(a.name, a.severity) for a in review.anomalies] == [
        ("no_consent", "note")
    ]


def test_consent_stays_with_its_user_when_rows_before_are_rejected():
    review = review_of(
        user_id=["", "a", "b"],
        profile=["x", "y", "z"],
        consent=["true", "false", "true"],
    )
    assert check_users(review) == Users(["a", "b"], ["", "z"])


def test_the_first_row_of_a_user_is_kept():
    review = review_of(user_id=["a", "a", "a"], profile=["x", "x", "y"])
    assert check_users(review) == Users(["a"], ["x"])
    assert [(a.name, a.first_rows) for a in review.anomalies] == [
        ("duplicate_user", (2,)), ("conflicting_user", (3,)),
    ]


def test_scenarios_are_described_by_name():
    review = review_of(scenario=["home", "deals"], description=["Start", ""])
    assert check_scenarios(review) == {"home": "Start", "deals": ""}


def test_scenarios_need_no_description():
    assert check_scenarios(review_of(scenario=["home"])) == {"home": ""}


def test_a_scenario_described_twice_keeps_the_first():
    review = review_of(scenario=["home", "home"], description=["A", "B"])
    assert check_scenarios(review) == {"home": "A"}
    assert review.anomalies[0].name == "conflicting_scenario"
