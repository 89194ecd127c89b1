"""The journal's records, applied to the variables of a loaded version."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving.live.journal import FOLDER, NAME, REMOVE, Record
from serving.live.marks import mark
from serving.live.reader import JournalReader
from serving.live.turns import Turns
from serving.manifest import BundleError, Manifest

if TYPE_CHECKING:
    from serving.fields import Array, Arrays
    from serving.live.loaded_stock import LoadedStock

_LOG = logging.getLogger(__name__)
# Raw columns of items, [b] each -> [b, d] vectors.
Embed = Callable[["Arrays"], "Array"]
_TWIN = "_scann"
_STOCK = "stock"  # which models of earlier releases lack
PATIENCE_S = 1.0
_BATCH = 64  # items whose text is encoded together


def exact_base(base: Path, described: Manifest) -> Path:
    """The folder of exact versions whose journal a version follows.

    A twin stands beside its exact model: `shop_scann` beside `shop`, or, under
    another name, beside the model that it was built from.
    """
    exact_model = described.index.get("exact_model")
    if exact_model is None:
        return base
    if base.name.endswith(_TWIN):
        return base.with_name(base.name.removesuffix(_TWIN))
    return base.with_name(exact_model)


class LiveCatalogue:
    """Keeps a loaded version's items as the journal says.

    Args:
        version_dir: of the version.
        described: its manifest.
        model: what was saved; its `stock` is written to.
        embed: the version's own `embed_item`.

    Attributes:
        base: folder of the exact versions, with the journal.
        position: of the last record that the version has.
        pending: items that the version did not bring along.

    Raises:
        BundleError: if there is a journal and it cannot be applied.
    """

    def __init__(
        self, version_dir: Path, described: Manifest, model: Any, embed: Embed
    ) -> None:
        self.base = exact_base(version_dir.parent, described)
        self._described, self._embed = described, embed
        self._stock = _loaded(model)
        self._reader = JournalReader(self.base)
        self._turns = Turns()
        self.position, self.pending = 0, set[str]()
        self._waiting: dict[str, Record] = {}  # read and not applied
        self._worker: threading.Thread | None = None
        self._starting = threading.Lock()
        try:
            self._take()
        # A journal that cannot be read, an item that cannot be encoded.
        except (OSError, ValueError) as error:
            raise BundleError(
                f"{version_dir} cannot take the journal: {error}"
            ) from error

    def warm_up(self) -> None:
        """Changes nothing, once, so that the first change is quick."""
        if self._stock is not None:
            self._apply(self._stock, [])

    @property
    def journal_id(self) -> str:
        """Of the journal that is followed, "" for none."""
        header = self._reader.header
        return header.id if header else ""

    def catch_up(self, patience_s: float | None = None) -> None:
        """Applies what the journal has got since; a `stat` where nothing.

        Many items with long texts take longer to encode than a request can
        wait: then they join, a batch at a time, while requests are answered.

        Args:
            patience_s: that is waited for it at most; None for a second.
        """
        if not self._reader.has_news and not self._is_working:
            return
        wait_s = PATIENCE_S if patience_s is None else patience_s
        end = time.monotonic() + wait_s
        while self._reader.has_news or self._is_working:
            left = end - time.monotonic()
            if left <= 0:
                return
            self._working().join(left)

    @property
    def _is_working(self) -> bool:
        return self._worker is not None and self._worker.is_alive()

    def _working(self) -> threading.Thread:
        """The thread that applies the journal's news."""
        with self._starting:
            if self._worker is None or not self._worker.is_alive():
                self._worker = threading.Thread(target=self._work, daemon=True)
                self._worker.start()
            return self._worker

    def _work(self) -> None:
        try:
            self._take()
        # A journal that cannot be read, an item that cannot be encoded.
        except Exception as error:
            _LOG.error("The catalogue stays as it is: %s", error)

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """While it lasts no record is applied."""
        with self._turns.reading():
            yield

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """While it lasts nothing else reads the model or applies records."""
        with self._turns.writing():
            yield

    def _take(self) -> None:
        before = self.journal_id
        records = self._reader.news()
        if not self.journal_id:
            return
        if self._stock is None:
            raise BundleError(
                f"{self.base / FOLDER / NAME} is there, but "
                f"version {self._described.version} was exported by an "
                "earlier release and cannot take it; export the version "
                "again, or move the journal away."
            )
        if before != self.journal_id:
            self.position = mark(self._described, self.journal_id)
        news = [each for each in records if each.position > self.position]
        self._waiting |= {record.item_id: record for record in news}
        self.pending |= {record.item_id for record in news}
        for batch in _batches(list(self._waiting.values())):
            self._apply(self._stock, batch)
        self.position = max([self.position, *(each.position for each in news)])

    def _apply(self, stock: LoadedStock, batch: list[Record]) -> None:
        from serving.live.changes import planned

        change = planned(stock, batch, self._embed)
        with self._turns.writing():
            change.commit(stock)
        for record in batch:
            del self._waiting[record.item_id]


def _loaded(model: Any) -> LoadedStock | None:
    """The catalogue of a model; None of one that has none that may change."""
    from serving.live.loaded_stock import LoadedStock

    stock = getattr(model, _STOCK, None)
    return None if stock is None else LoadedStock(stock)


def _batches(records: list[Record]) -> list[list[Record]]:
    """What goes at once, for it is quick; then what comes, in batches."""
    gone = [record for record in records if record.kind == REMOVE]
    come = [record for record in records if record.kind != REMOVE]
    batches = [come[at : at + _BATCH] for at in range(0, len(come), _BATCH)]
    return [gone, *batches] if gone else batches
