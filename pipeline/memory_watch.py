"""How much memory a block of code needed."""

from __future__ import annotations

import threading

import psutil

_SAMPLE_SECONDS = 0.2


class MemoryWatch:
    """The most memory that this process and its children held in a block.

    What the process held before the block counts too.

    Args:
        sample_seconds: between two looks; what is held for less may be missed.

    Attributes:
        peak_mb: the most that was seen, in 2**20 bytes.
    """

    def __init__(self, *, sample_seconds: float = _SAMPLE_SECONDS) -> None:
        self.peak_mb = 0.0
        self._sample_seconds = sample_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        process = psutil.Process()
        while True:
            held = process.memory_info().rss
            for child in process.children(recursive=True):
                try:
                    held += child.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self.peak_mb = max(self.peak_mb, held / 2**20)
            if self._stop.wait(self._sample_seconds):
                return
