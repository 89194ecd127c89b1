"""Records on the disk: whole, in order, of this model, and kept."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys

import pytest

from serving.live import frames
from serving.live.frames import JournalError
from serving.live.journal import ADD, REMOVE, Journal, Record
from serving.live.reader import JournalReader


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "shop")


def come(item_id, title="Tea"):
    return Record(ADD, item_id, {"title": title}, 5)


def told(records):
    return [(each.kind, each.item_id, each.position) for each in records]


def test_nothing_is_read_of_a_journal_that_is_not_there(journal):
    assert journal.read() == (None, [])
    assert not journal.folder.exists()


def test_records_come_back_with_their_positions(journal):
    journal.append([come("a"), come("b ☕")])
    journal.append([Record(REMOVE, "a")])
    _, records = Journal(journal.folder.parent).read()
    assert told(records) == [(ADD, "a", 1), (ADD, "b ☕", 2), (REMOVE, "a", 3)]
    assert records[0].columns == {"title": "Tea"}
    assert records[0].available_from == 5


def test_a_torn_end_is_cut_off_before_the_next_record(journal):
    journal.append([come("a")])
    with journal.path.open("ab") as file:
        file.write(frames.framed(b"[]" * 500)[:-3])
    journal.append([come("b")])
    assert told(journal.read()[1]) == [(ADD, "a", 1), (ADD, "b", 2)]


def test_a_damaged_journal_takes_no_records(journal):
    journal.append([come("a")])
    journal.append([come("b")])
    content = journal.path.read_bytes()
    journal.path.write_bytes(content.replace(b'"a"', b'"x"'))
    with pytest.raises(JournalError, match="damaged at byte"):
        journal.append([come("c")])
    assert journal.path.read_bytes().replace(b'"x"', b'"a"') == content


def test_a_fold_keeps_the_last_record_of_each_item(journal):
    journal.append([come("a", "Old"), come("b")])
    journal.append([Record(REMOVE, "b"), come("a", "New"), come("c")])
    before = {r.item_id: r for r in journal.read()[1]}
    assert journal.fold() == 2
    records = journal.read()[1]
    assert told(records) == [(ADD, "a", 4), (REMOVE, "b", 3), (ADD, "c", 5)]
    assert {r.item_id: r for r in records} == before
    assert journal.fold() == 0


def test_positions_go_on_after_a_fold(journal):
    journal.append([come("a"), come("a"), come("a")])
    journal.fold()
    assert journal.append([come("b")])[0].position == 4


def test_the_journal_of_another_model_is_refused(journal, tmp_path):
    journal.append([come("a")])
    shutil.copytree(journal.folder, tmp_path / "books" / "live")
    with pytest.raises(JournalError, match="journal of 'shop' and stands in"):
        Journal(tmp_path / "books").append([come("b")])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no sound header"),
        (b"item_id,title\n" * 9, "no sound header"),
        (frames.framed(b'{"id": "x"}'), "no journal of this release"),
        (frames.framed(b"[" * 9), "no journal of this release"),
        (
            frames.framed(
                json.dumps({"id": "x", "model": "shop", "format": 9}).encode()
            ),
            "format 9",
        ),
    ],
)
def test_a_file_that_is_no_journal_is_refused(journal, content, message):
    journal.folder.mkdir(parents=True)
    journal.path.write_bytes(content)
    for action in (journal.read, lambda: journal.append([come("a")])):
        with pytest.raises(JournalError, match=message):
            action()
    assert journal.path.read_bytes() == content


def test_records_of_another_release_are_refused(journal):
    journal.append([come("a")])
    with journal.path.open("ab") as file:
        file.write(frames.framed(b'[{"kind": "add", "colour": "red"}]'))
    with pytest.raises(JournalError, match="cannot read: .*colour"):
        journal.read()


def test_a_full_disk_is_told_and_nothing_is_written(journal):
    journal.append([come("a")])
    before = journal.path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # As a full disk does, in the middle of the record.
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 60, limits[1]))
    try:
        with pytest.raises(JournalError, match="No space to write"):
            journal.append([come("b", "t" * 1000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert journal.path.read_bytes() == before
    journal.append([come("c")])
    assert told(journal.read()[1]) == [(ADD, "a", 1), (ADD, "c", 2)]


def test_two_writers_do_not_mix(journal):
    code = (
        "import sys, pathlib\n"
        "from serving.live.journal import *\n"
        "base, name = sys.argv[1:]\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "for number in range(60):\n"
        "    record = Record(ADD, f'{name}{number}')\n"
        "    Journal(pathlib.Path(base)).append([record])\n"
    )
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(journal.folder.parent), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for name in "xy"
    ]
    for writer in writers:
        writer.stdout.readline()
    for writer in writers:  # at the same time
        writer.stdin.close()
    assert [writer.wait(60) for writer in writers] == [0, 0]
    records = journal.read()[1]
    assert [each.position for each in records] == list(range(1, 121))
    for name in "xy":
        own = [r.item_id for r in records if r.item_id.startswith(name)]
        assert own == [f"{name}{number}" for number in range(60)]


class TestReader:
    def test_each_record_is_news_once(self, journal):
        reader = JournalReader(journal.folder.parent)
        assert not reader.has_news and reader.news() == []
        journal.append([come("a")])
        assert reader.has_news
        assert told(reader.news()) == [(ADD, "a", 1)]
        assert not reader.has_news
        journal.append([come("b"), come("c")])
        assert told(reader.news()) == [(ADD, "b", 2), (ADD, "c", 3)]

    def test_a_torn_end_is_no_news_and_does_not_hide_what_follows(
        self, journal
    ):
        reader = JournalReader(journal.folder.parent)
        journal.append([come("a")])
        with journal.path.open("ab") as file:
            file.write(b"torn")
        assert told(reader.news()) == [(ADD, "a", 1)]
        journal.append([come("b")])
        assert told(reader.news()) == [(ADD, "b", 2)]

    def test_after_a_fold_what_is_left_is_read_anew(self, journal):
        reader = JournalReader(journal.folder.parent)
        journal.append([come("a"), come("a")])
        reader.news()
        journal.fold()
        journal.append([come("b")])
        assert told(reader.news()) == [(ADD, "a", 2), (ADD, "b", 3)]

    def test_damage_is_told_once_and_later_records_are_not_skipped(
        self, journal
    ):
        reader = JournalReader(journal.folder.parent)
        journal.append([come("a")])
        journal.append([come("b")])
        sound = journal.path.read_bytes()
        journal.path.write_bytes(sound.replace(b'"a"', b'"x"'))
        with pytest.raises(JournalError, match="damaged"):
            reader.news()
        assert not reader.has_news
        journal.path.write_bytes(sound + b"t")  # brought back
        assert told(reader.news()) == [(ADD, "a", 1), (ADD, "b", 2)]
