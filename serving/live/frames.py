"""Frames of bytes in a file that is only appended to.

    4 bytes  length of the payload, little-endian
    4 bytes  CRC-32 of those four
    4 bytes  CRC-32 of the payload
    payload  one byte or more

Whoever is killed, or loses power, in the middle of an append leaves a torn
frame at the end, or zeros where the disk had only made room: these were never
acknowledged, and what stands before them is sound. Anything else that does not
check was damaged after it was written.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import BinaryIO

_HEAD = struct.Struct("<III")
_LENGTH = struct.Struct("<I")
_MAX_FIRST = 1 << 16


class JournalError(ValueError):
    """A journal that cannot be read or written, and why."""


def framed(payload: bytes) -> bytes:
    """A payload of one byte or more as it stands in the file."""
    length = len(payload)
    check = zlib.crc32(_LENGTH.pack(length))
    return _HEAD.pack(length, check, zlib.crc32(payload)) + payload


def parsed(content: bytes, path: Path, at: int = 0) -> tuple[list[bytes], int]:
    """Payloads from a place on, and where the last of them ends.

    Args:
        content: of the file from `at` on.
        path: of the file, for messages.
        at: where in the file the content begins.

    Raises:
        JournalError: naming the place, if a frame is damaged that was whole.
    """
    payloads, start = [], 0
    while start < len(content):
        payload = _payload(content, start)
        if payload is None:
            if _is_torn(content, start):
                break
            raise JournalError(
                f"{path} is damaged at byte {at + start} of "
                f"{at + len(content)}. Records follow: nothing was cut off. "
                "Bring the file back from a copy, or move it away and add and "
                "remove again what is missing."
            )
        payloads.append(payload)
        start += _HEAD.size + len(payload)
    return payloads, at + start


def first(file: BinaryIO, path: Path) -> tuple[bytes, int]:
    """The first payload of an open file, and where it ends.

    Raises:
        JournalError: if there is none.
    """
    head = file.read(_HEAD.size)
    length = _LENGTH.unpack_from(head)[0] if len(head) == _HEAD.size else 0
    payload = _payload(head + file.read(min(length, _MAX_FIRST)), 0)
    if payload is None:
        raise JournalError(
            f"{path} has no sound header: it is no journal, or was damaged. "
            "Bring it back from a copy, or move it away."
        )
    return payload, _HEAD.size + length


def _payload(content: bytes, start: int) -> bytes | None:
    """The payload of a whole and sound frame."""
    body = start + _HEAD.size
    if body > len(content):
        return None
    length, length_check, check = _HEAD.unpack_from(content, start)
    payload = content[body : body + length]
    is_sound = (
        length > 0
        and zlib.crc32(_LENGTH.pack(length)) == length_check
        and len(payload) == length
        and zlib.crc32(payload) == check
    )
    return payload if is_sound else None


def _is_torn(content: bytes, start: int) -> bool:
    """Whether what begins here is an append that did not come to its end."""
    rest = content[start:]
    if len(rest) < _HEAD.size or not any(rest):
        return True
    length, length_check, _ = _HEAD.unpack_from(rest)
    if zlib.crc32(_LENGTH.pack(length)) != length_check:
        return not any(rest[_HEAD.size :])
    return not any(rest[_HEAD.size + length :])
