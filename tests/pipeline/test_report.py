"""The page of a run: whole, right, and safe whatever the data holds."""

from __future__ import annotations

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report_runs import HISTORY, RunBuilder, whole_run, write

from pipeline.report.__main__ import main
from pipeline.report.metadata import read_run
from pipeline.report.page import render

_VOID = {"meta", "br"}


class Page(HTMLParser):
    """What a browser would see: elements, attributes and text."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(markup)
        self.close()
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("report") / "root"
    whole_run(root, "run-1")
    return root


@pytest.fixture(scope="module")
def page(root: Path) -> Page:
    return Page(render(read_run(root)))


def test_every_element_is_closed(page):
    assert page.open == []
    assert page.tags.count("section") == 8
    assert page.tags[0] == "html"


def test_nothing_of_the_data_becomes_markup(page):
    assert "script" not in page.tags
    assert "img" not in page.tags
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    for text in (
        "<script>alert(1)</script>", "<img src=x onerror=alert(2)>",
        "</style><script>alert(3)</script>", "Tea & honey",
    ):
        assert text in page.text


def test_the_page_asks_a_network_for_nothing(root, page):
    assert not {"link", "iframe", "object", "base"} & set(page.tags)
    linked = [v for name, v in page.attributes if name in ("href", "src")]
    assert linked
    assert all(target.startswith("#") for target in linked)
    markup = render(read_run(root))
    assert "url(" not in markup
    assert "@import" not in markup


def test_links_lead_to_sections(page):
    ids = {value for name, value in page.attributes if name == "id"}
    links = {v for name, v in page.attributes if name == "href"}
    assert links == {f"#{name}" for name in ids}


@pytest.mark.parametrize(
    "said",
    [
        "run-1",
        "BLESSED Pushed as version 7.",
        "recall@10 0.1065 >= 0.05",
        "The exported model gives the same answers as the trained one.",
        # quality
        "0.1065 0.1031 – 0.1099",
        "coverage@10 0.4321 – ",
        "item:cold (0 train events) 1,234 0.0213",
        "32+ 77 0.2468 0.1600 – 0.3400",
        "98.7 % of the exact top ten",
        "ScaNN 0.75 ms 1.50 ms",
        "On 4,567 targets that are items of the last blessed model.",
        "recall@10 0.1122 0.1133",
        # training
        "3 epochs in 3 min 1 s; the model is the one of epoch 2",
        # data
        "events 1,000 rows",
        "scenario string 2.5 % 2 – –",
        "timestamp int 0 % – 1970-01-02 1970-01-11",
        "home 700",
        # anomalies and rows
        "reject unknown_item events.item_id 17 row 3, 5 add it to items",
        "events 1,000 983 17 yes",
        # drift
        "compared with the statistics before, span 1",
        "scenario drift largest difference of a share 0.3400 0.1000 alarm",
        "scenario has moved",
        # cost, configuration
        "trainer complete 3 min 1 s 1,834 MB",
        "events_statistics cached 0.5 s 401 MB",
        '"seed": 3',
    ],
)
def test_the_page_says(page, said):
    assert said in page.text


def test_columns_of_the_pipelines_own_are_left_out(page):
    assert "_row" not in page.text
    assert "_malformed" not in page.text


def test_a_run_that_goes_on_from_another_began_with_a_score(tmp_path):
    run = RunBuilder(tmp_path / "root", "run-1")
    start = {"epoch": 0, "validation_ndcg@10": 0.05, "seconds": 2.0}
    artifact = run.artifact("trainer", {})
    write(artifact, "history.json", [start, *HISTORY])
    run.node("trainer", {"model_run": artifact})
    page = Page(render(read_run(run.root)))
    assert "3 epochs in 3 min 3 s; the model is the one of epoch 0" in page.text


def test_a_run_that_failed_says_where_and_why(tmp_path):
    run = RunBuilder(tmp_path / "root", "run-1")
    run.node(
        "data_gate", state="FAILED",
        properties={
            "__execution_result__": '{"resultMessage": "item_id is <gone>"}'
        },
    )
    page = Page(render(read_run(run.root)))
    assert page.open == []
    assert "FAILED No version was pushed" in page.text
    assert "data_gate failed item_id is <gone>" in page.text


def test_missing_parts_are_said_to_be_missing(tmp_path):
    run = RunBuilder(tmp_path / "root", "run-1")
    gone = run.artifact("events_statistics")
    run.node("events_statistics", {"statistics": gone})
    page = Page(render(read_run(run.root)))
    for said in (
        "NOT EVALUATED",
        "has not come to an evaluation",
        "no sample users",
        "no finished epoch",
        "The statistics of events are not there (any more).",
        "has not come to a review",
        "has compared no statistics",
        "No times and memory were recorded",
    ):
        assert said in page.text


def test_the_newest_run_is_shown_unless_another_is_named(tmp_path):
    for name in ("run-1", "run-2"):
        RunBuilder(tmp_path / "root", name).node("pusher")
    assert read_run(tmp_path / "root").id == "run-2"
    assert read_run(tmp_path / "root", "run-1").id == "run-1"
    with pytest.raises(ValueError, match="no run 'run-3'; .* run-1, run-2"):
        read_run(tmp_path / "root", "run-3")


def test_the_command_writes_the_page(root, tmp_path, capsys):
    file = tmp_path / "page.html"
    given = ["--pipeline-root", str(root), "--output", str(file)]
    assert main([*given, "--run", "run-1"]) == 0
    assert capsys.readouterr().out == f"{file}\n"
    assert Page(file.read_text()).open == []


def test_a_root_without_a_run_is_named(tmp_path, capsys):
    assert main(["--pipeline-root", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "metadata.sqlite; give the --pipeline-root of a pipeline" in error
    assert not (tmp_path / "metadata.sqlite").exists()


def test_the_command_loads_neither_tensorflow_nor_tfx(root, tmp_path):
    code = (
        "import sys\nfrom pipeline.report.__main__ import main\n"
        f"main(['--pipeline-root', {str(root)!r}, '--output', 'p.html'])\n"
        "print(*sys.modules)"
    )
    folder = Path(sys.modules["pipeline"].__file__).parents[1]
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True,
        capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(folder)},
    ).stdout.split()
    assert (tmp_path / "p.html").exists()
    assert not {"tensorflow", "tfx", "apache_beam"} & set(loaded)
