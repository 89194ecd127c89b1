"""What a file of frames says after a crash, and after damage."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.live import frames
from serving.live.frames import JournalError

PATH = Path("journal")
PAYLOADS = [b"first", b"s" * 300, b"\0\0\0"]
WHOLE = b"".join(map(frames.framed, PAYLOADS))


def test_frames_come_back_as_they_were_written():
    assert frames.parsed(WHOLE, PATH) == (PAYLOADS, len(WHOLE))


def test_wherever_an_append_was_cut_off_the_whole_ones_before_it_stay():
    ends = [sum(12 + len(p) for p in PAYLOADS[:n]) for n in range(4)]
    for length in range(len(WHOLE)):
        found, end = frames.parsed(WHOLE[:length], PATH)
        number = max(n for n in range(4) if ends[n] <= length)
        assert found == PAYLOADS[:number]
        assert end == ends[number]


@pytest.mark.parametrize("kept", [0, 5, 12, 14])
def test_room_without_content_is_a_torn_append(kept):
    torn = frames.framed(b"lost")[:kept] + bytes(40)
    assert frames.parsed(WHOLE + torn, PATH) == (PAYLOADS, len(WHOLE))


@given(st.integers(0, len(WHOLE) - 16), st.integers(1, 255))
def test_damage_before_other_records_is_never_taken_for_a_torn_end(at, bits):
    # Up to here another frame, or its greater part, stands behind.
    damaged = bytearray(WHOLE)
    damaged[at] ^= bits
    with pytest.raises(JournalError, match="nothing was cut off"):
        frames.parsed(bytes(damaged), PATH)


def test_a_place_is_told_from_the_beginning_of_the_file():
    damaged = frames.framed(b"x")[:-1] + b"y" + WHOLE
    with pytest.raises(JournalError, match=f"byte 7 of {7 + 13 + len(WHOLE)}"):
        frames.parsed(damaged, PATH, 7)
