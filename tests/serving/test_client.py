"""The command line and what it prints."""

from __future__ import annotations

import socket

import pytest

from serving import client
from serving.client import Answer, Client, Policy, User


@pytest.fixture
def ask(server_process, capsys):
    def run(*arguments):
        code = client.main([*arguments, "--server", server_process.target])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("a,b", ["a", "b"]),
        ("a, b,", ["a", "b"]),
        ("", []),
        ('"a,b",c', ["a,b", "c"]),
        ("书 1,☕", ["书 1", "☕"]),
    ],
)
def test_ids_are_separated_by_commas(text, wanted):
    assert client.ids(text) == wanted


def test_a_table_shows_rank_id_title_and_score():
    answers = [Answer("b", "A  long\ntitle", 0.5), Answer("a77", "", -1)]
    lines = client.answer_table(answers).splitlines()
    assert lines[0].split() == ["rank", "id", "score", "title"]
    assert lines[1].split() == ["1", "b", "0.5000", "A", "long", "title"]
    assert lines[2].split() == ["2", "a77", "-1.0000"]


def test_a_title_is_cut_to_the_line():
    line = client.answer_table([Answer("a", "x" * 200, 0)]).splitlines()[1]
    assert line.endswith("x" * 59 + "…")


def test_an_empty_table_is_a_sentence():
    assert "No item" in client.answer_table([])


def test_recommend_prints_the_best_items_with_titles(ask, oracle):
    code, out, _ = ask("recommend", "--history", "i4,i9", "-k", "3")
    wanted = [item for item, _ in oracle.recommend(["i4", "i9"], 3)]
    rows = [line.split() for line in out.splitlines()[1:]]
    assert code == 0
    assert [row[1] for row in rows] == wanted
    assert rows[0][3:] == ["Title", wanted[0][1:], "☕"]


def test_every_flag_of_recommend_reaches_the_model(ask, oracle):
    first = oracle.recommend(["i4"], 1, scenario="night", profile="i8")[0][0]
    context = ("--scenario", "night", "--profile", "i8")
    _, out, _ = ask(
        "recommend", "--history", "i4", *context, "--exclude", first, "-k", "2"
    )
    wanted = oracle.recommend(
        ["i4"], 2, [first], scenario="night", profile="i8"
    )
    rows = [line.split() for line in out.splitlines()[1:]]
    assert [row[1] for row in rows] == [item for item, _ in wanted]


def test_every_rule_of_the_command_line_reaches_the_policy():
    asked = client.parser().parse_args(
        [
            "recommend", "--allow", "a,b", "--now", "5", "--rerank", "0.5",
            "--min_available_from", "4", "--max_per_category", "2",
            "--diversity", "0.3", "--diversity_method", "dpp",
            "--exploration", "0.1", "--seed", "9",
        ]
    )
    policy = client.policy_of(asked)
    assert policy == Policy(
        allow=["a", "b"], now=5, min_available_from=4, max_per_category=2,
        rerank=0.5, diversity=0.3, diversity_method="dpp", exploration=0.1,
        seed=9,
    )
    inputs = policy.inputs()
    assert inputs.pop("allow_item_ids").tolist() == [["a", "b"]]
    assert {k: v.tolist() for k, v in inputs.items()} == {
        "now": [5], "min_available_from": [4], "max_per_category": [2],
        "rerank": [0.5], "diversity": [pytest.approx(0.3)],
        "diversity_method": ["dpp"], "exploration": [pytest.approx(0.1)],
        "seed": [9],
    }


def test_rules_are_kept_over_the_network(server_process, oracle):
    allowed = [f"i{row}" for row in range(20, 60)]
    with Client(server_process.target) as asking:
        answers = asking.recommend(
            User(history=["i4"]), k=4, policy=Policy(
                allow=allowed, max_per_category=1, exploration=0.25, seed=3
            ),
        )
    rows = [int(answer.item_id[1:]) for answer in answers]
    assert {answer.item_id for answer in answers} <= set(allowed)
    counted = [row % 7 for row in rows if row % 7]
    assert len(rows) == 4 and len(set(counted)) == len(counted)
    assert [answer.source for answer in answers] == ["exact"] * 3 + ["explore"]
    assert {answer.reason for answer in answers} == {"history:i4"}
    assert answers[0].propensity == 1.0 > answers[3].propensity > 0.0


def test_rank_prints_the_best_candidate_first(ask, oracle):
    scores = oracle.scores(oracle.query(["i1"]))
    names = ["i5", "i6", "i7"]
    _, out, _ = ask("rank", "--history", "i1", "--candidates", ",".join(names))
    found = [line.split()[1] for line in out.splitlines()]
    assert found == sorted(names, key=lambda name: -scores[name])


def test_explain_prints_each_event_and_the_score(ask, oracle):
    _, out, _ = ask("explain", "i7", "--history", "i1,i2")
    score = oracle.scores(oracle.query(["i1", "i2"]))["i7"]
    values = [float(line.split()[0]) for line in out.splitlines()]
    assert values[2] == pytest.approx(score, abs=1e-4)
    assert values[0] + values[1] == pytest.approx(score, abs=2e-4)


def test_an_unknown_model_is_an_error_of_one_sentence(ask):
    code, _, err = ask("similar", "i1", "--model", "shop")
    assert code == 1
    assert "NOT_FOUND" in err and "Latest(shop)" in err


def test_a_server_that_is_down_is_named_with_a_remedy(capsys):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        target = f"127.0.0.1:{unused.getsockname()[1]}"
        assert client.main(["similar", "i1", "--server", target]) == 1
    message = capsys.readouterr().err
    assert target in message and "python -m serving.server" in message


@pytest.mark.parametrize(
    "arguments",
    [["recommend", "-k", "-1"], ["recommend", "-k", "x"], ["recomend"], []],
)
def test_a_wrong_argument_is_refused(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        client.main(arguments)


def test_a_user_has_one_entry_per_event_or_none():
    with pytest.raises(ValueError, match="timestamps has 1 .* history of 2"):
        User(history=["a", "b"], timestamps=[1])


def test_a_user_s_events_keep_their_order():
    user = User(
        history=["a", "b"],
        event_types=["view", "cart"],
        timestamps=[5, 6],
        scenarios=["x", ""],
    )
    inputs = user.inputs()
    assert inputs["history_item_ids"].tolist() == [["a", "b"]]
    assert inputs["history_event_types"].tolist() == [["view", "cart"]]
    assert inputs["history_timestamps"].tolist() == [[5, 6]]
    assert inputs["history_scenarios"].tolist() == [["x", ""]]
    assert "history_texts" not in inputs


def test_texts_are_sent_where_there_are_any():
    silent = User(history=["a", "b"], texts=["", ""])
    assert "history_texts" not in silent.inputs()
    inputs = User(history=["a", "b"], texts=["", "red, soft"]).inputs()
    assert inputs["history_texts"].tolist() == [["", "red, soft"]]
    with pytest.raises(ValueError, match="texts has 1 .* history of 2"):
        User(history=["a", "b"], texts=["x"])


def test_texts_of_the_command_line_may_be_empty_and_quoted():
    asked = client.parser().parse_args(
        ["recommend", "--history", "a,b,c", "--texts", ',"red, soft",']
    )
    assert asked.texts == ["", "red, soft", ""]
