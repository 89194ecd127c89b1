"""Many readers or one writer; a writer that waits comes next."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator


class Turns:
    """Keeps what reads and what writes apart."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._readers = self._writers = 0
        self._is_writing = False

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Beside other readers, not beside a writer."""
        with self._changed:
            self._changed.wait_for(lambda: not self._writers)
            self._readers += 1
        try:
            yield
        finally:
            with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Alone."""
        with self._changed:
            self._writers += 1
            self._changed.wait_for(
                lambda: not self._readers and not self._is_writing
            )
            self._is_writing = True
        try:
            yield
        finally:
            with self._changed:
                self._writers -= 1
                self._is_writing = False
                self._changed.notify_all()
