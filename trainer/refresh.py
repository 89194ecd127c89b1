"""When the texts that a tuned encoder has read are read anew."""

from __future__ import annotations

from collections.abc import Callable

_LOOK_STEPS = 10  # from one look to the next


class Refresh:
    """When tables of texts are read anew in training.

    After each epoch, every so many steps within one, and whenever they have
    moved too far: what a step scores would tell the encoder too late where it
    is going.

    Args:
        read: reads them; returns how far they had moved.
        look: how far they have moved, by some of them.
        every: steps; 0 for none within an epoch but where they have moved.
        limit: how far they may have moved.

    Attributes:
        moved: how far they had, the last time.
        times: that they were read in this epoch.
    """

    def __init__(
        self,
        read: Callable[[], float],
        look: Callable[[], float],
        every: int,
        limit: float,
    ) -> None:
        self._read, self._look = read, look
        self._every, self._limit = every, limit
        self.moved, self.times = 0.0, 0

    @property
    def note(self) -> dict[str, float]:
        """What `history.json` says of it."""
        return {"texts_moved": self.moved, "texts_refreshed": self.times}

    def after(self, step: int, steps: int) -> None:
        """Reads them if step `step` of an epoch of `steps` calls for it."""
        if step == 1:
            self.times = 0
        is_due = step == steps or (self._every and step % self._every == 0)
        if is_due or (step % _LOOK_STEPS == 0 and self._look() > self._limit):
            self.now()

    def now(self) -> None:
        """Reads them."""
        self.moved = self._read()
        self.times += 1
