"""The page, as its questions and in a browser."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request

import browser
import pytest

from serving.client import Client, Event, Policy, User

IDS = "[...document.querySelectorAll('#answers li')].map((li) => li.dataset.id)"


@pytest.fixture(scope="module")
def page(server_process):
    process = subprocess.Popen(
        [
            sys.executable, "-m", "serving.demo", "--server",
            server_process.target, "--port", "0", "--scenarios", "night, ,day",
        ],
        stdout=subprocess.PIPE, text=True,
    )
    line = process.stdout.readline()
    yield re.search("http://[^ ]+", line)[0]
    process.terminate()
    process.communicate()


@pytest.fixture
def client(server_process):
    with Client(server_process.target) as client:
        yield client


def ask(page, question, body):
    request = urllib.request.Request(
        f"{page}/api/{question}", data=json.dumps(body).encode()
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def listed(answer):
    return [item["item_id"] for item in answer["answers"]]


def test_each_event_changes_the_list_to_that_of_the_longer_history(
    page, client
):
    _, answer = ask(page, "start", {"profile_text": "i8", "k": 5})
    user = User(profile_text="i8")
    assert listed(answer) == [a.item_id for a in client.recommend(user, k=5)]
    history = ["i3", "i9"]
    for number, item in enumerate(history, start=1):
        _, answer = ask(page, "next", {
            "state": answer["state"], "item_id": item, "k": 5,
            "history": history[:number],
        })
        user = User(profile_text="i8", history=history[:number])
        wanted = [a.item_id for a in client.recommend(user, k=5)]
        assert listed(answer) == wanted


def test_wishes_and_scenario_reach_the_server(page, client):
    rules = {"diversity": 0.6, "exploration": 0.5, "seed": 7}
    _, answer = ask(page, "start", {
        "history": ["i4"], "scenario": "night", "k": 6, "policy": rules,
    })
    answers, _ = client.recommend_next(
        client.state(User(history=["i4"], scenario="night")),
        Event(scenario="night"), exclude=["i4"], k=6, policy=Policy(**rules),
    )
    assert listed(answer) == [a.item_id for a in answers]
    assert any(item["source"] == "explore" for item in answer["answers"])


def test_why_names_each_event_s_part(page, client):
    _, answer = ask(page, "why", {"history": ["i3", "i9"], "item_id": "i5"})
    parts, score = client.explain(User(history=["i3", "i9"]), "i5")
    assert answer["score"] == pytest.approx(score)
    assert [part["score"] for part in answer["parts"]] == pytest.approx(
        [part.score for part in parts]
    )


@pytest.mark.parametrize(
    "question, body, status, told",
    [
        ("next", {"item_id": "i1"}, 400, "state"),
        ("next", {"item_id": "i1", "state": "?"}, 400, "ValueError"),
        ("next", {"item_id": "i1", "state": [1.0]}, 502, "state"),
        ("start", {"policy": {"colour": 1}}, 400, "colour"),
        ("start", [], 400, "list"),
        ("sell", {}, 404, "sell"),
    ],
)
def test_a_bad_question_is_refused_with_the_reason(
    page, question, body, status, told
):
    code, answer = ask(page, question, body)
    assert code == status
    assert told in answer["error"]


@pytest.mark.parametrize(
    "port, told", [("99999", "0 to 65535"), ("taken", "pass another --port")]
)
def test_a_port_that_cannot_be_had_is_named(page, port, told, capsys):
    from serving.demo.__main__ import main

    port = page.rpartition(":")[2] if port == "taken" else port
    try:
        code = main(["--port", port])
    except SystemExit as error:
        code = error.code
    assert code in (1, 2)
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("path", ["page.py", "../client.py", "app.py"])
def test_only_the_page_s_own_files_are_given(page, path):
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{page}/{path}", timeout=30)


@pytest.mark.skipif(not browser.PROGRAM, reason="no Chromium here")
def test_a_person_sees_the_list_change_and_why(page, client, tmp_path):
    async def look():
        async with browser.Tab(page, tmp_path) as tab:
            first = await tab.until(f"({IDS}).length === 10 && {IDS}")
            scenarios = await tab.run(
                "[...document.querySelectorAll('#scenario option')]"
                ".map((option) => option.value)"
            )
            await tab.run(
                "document.querySelectorAll('#answers button')[1].click()"
            )
            second = await tab.until(
                "document.querySelectorAll('#history li').length === 1 && "
                f"!({IDS}).includes('{first[0]}') && {IDS}"
            )
            await tab.run("document.querySelector('#answers button').click()")
            why = await tab.until("document.querySelector('.why')?.textContent")
            await tab.run("document.querySelector('#history button').click()")
            third = await tab.until(
                "!document.querySelector('#history li') && "
                f"({IDS}).includes('{first[0]}') && {IDS}"
            )
            await tab.run(
                "document.querySelector('#text').value = 'i8';"
                "document.querySelector('#find').requestSubmit()"
            )
            found = await tab.until(
                "document.querySelector('#found .title')?.textContent"
            )
            return first, second, third, why, found, scenarios, tab.errors

    first, second, third, why, found, scenarios, errors = asyncio.run(look())
    assert errors == []
    assert first == [a.item_id for a in client.recommend(User())]
    after = client.recommend(User(history=[first[0]]))
    assert second == [a.item_id for a in after]
    assert third == first
    titles = {a.item_id: a.title for a in client.recommend(User(), k=200)}
    assert why.startswith(f"{titles[first[0]]}: ")
    assert found == client.recommend(User(profile_text="i8"), k=1)[0].title
    assert scenarios == ["", "night", "day"]
