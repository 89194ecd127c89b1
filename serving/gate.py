"""Who may compute now, who waits, and who is sent away.

A server that takes every request answers none in time and ends without
memory. So many run, so many wait in order of arrival, the rest is refused at
once. Who waited past the deadline, or whose caller has gone, is not computed.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

from serving.errors import BusyError, CancelledError, DeadlineError

# gRPC tells infinity where a call has no deadline; threads cannot wait so long.
_FOREVER = 3e7


class Call:
    """Time and caller of one request.

    Args:
        seconds: until the deadline; None for none, and so is a year.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self._deadline: float | None = None
        if seconds is not None and seconds < _FOREVER:
            self._deadline = time.monotonic() + seconds
        self._cancelled = threading.Event()
        self._wake: Callable[[], None] | None = None

    @property
    def remaining(self) -> float | None:
        """Seconds until the deadline, 0 or more; None without one."""
        if self._deadline is None:
            return None
        return max(0.0, self._deadline - time.monotonic())

    def cancel(self) -> None:
        """The caller has gone."""
        self._cancelled.set()
        wake = self._wake  # read once: the waiter may end meanwhile
        if wake:
            wake()

    def check(self) -> None:
        """Returns while an answer is of use to somebody.

        Raises:
            CancelledError: if the caller has gone.
            DeadlineError: if the time is over.
        """
        if self._cancelled.is_set():
            raise CancelledError("The caller has gone.")
        if self.remaining == 0:
            raise DeadlineError("Deadline exceeded before the answer.")

    def wait(self, event: threading.Event) -> None:
        """Waits for an event, the deadline or the caller's going."""
        self._wake = event.set
        if not self._cancelled.is_set():
            event.wait(self.remaining)
        self._wake = None


class Gate:
    """Lets a number of requests run and a number wait.

    Args:
        running: at the same time, 1 or more.
        waiting: beside them; one more is refused.
    """

    def __init__(self, running: int, waiting: int) -> None:
        self._free, self._max_running = running, running
        self._max_waiting = waiting
        self._queue: deque[threading.Event] = deque()
        self._lock = threading.Lock()

    @property
    def capacity(self) -> int:
        """Requests that may run and wait."""
        return self._max_running + self._max_waiting

    @property
    def running(self) -> int:
        """Requests that compute now."""
        return self._max_running - self._free

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return len(self._queue)

    @contextlib.contextmanager
    def turn(self, call: Call) -> Iterator[None]:
        """Waits for a turn and holds it.

        Raises:
            BusyError: if too many wait already.
            CancelledError: if the caller went while it waited.
            DeadlineError: if its time was over before its turn.
        """
        call.check()
        turn = self._enter()
        if turn:
            call.wait(turn)
            with self._lock:
                if turn in self._queue:  # woken by caller or clock
                    self._queue.remove(turn)
                    turn = None
            if turn is None:
                call.check()
                raise DeadlineError("Deadline exceeded before the answer.")
        try:
            call.check()
            yield
        finally:
            self._leave()

    def _enter(self) -> threading.Event | None:
        """A turn to wait for, or None if it has begun."""
        with self._lock:
            if self._free:
                self._free -= 1
                return None
            if len(self._queue) >= self._max_waiting:
                raise BusyError(
                    f"{self._max_running} requests run and "
                    f"{self._max_waiting} wait; try again later."
                )
            self._queue.append(turn := threading.Event())
            return turn

    def _leave(self) -> None:
        with self._lock:
            if self._queue:
                self._queue.popleft().set()  # the turn is handed over
            else:
                self._free += 1
