"""What events say: their own texts, and the texts that a model reads.

Axes: N events, R distinct texts that are read, S distinct templates, C items.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from schema import features
from trainer.behaviour import Sequences
from trainer.verbalise import SPACE, Template, Templates


@dataclasses.dataclass(frozen=True)
class Spoken:
    """Behaviours in words. Row 0 of `texts` is "", the text of no event.

    Attributes:
        texts: [R] distinct texts, those of all items under all templates
            among them.
        code: [N] int32 row of each event.
        template_of: [event types + 1] int32 template of each code.
        item_rows: [S, C] int32 row of an item's text under a template, where
            the event has no text of its own.
        reads_text: [S] bool, whether a template reads the event's text.
        before, after: [S, C] object, what stands around the event's text;
            "" for templates that do not read it.
    """

    texts: list[str]
    code: np.ndarray
    template_of: np.ndarray
    item_rows: np.ndarray
    reads_text: np.ndarray
    before: np.ndarray
    after: np.ndarray

    def recoded(self, texts: Sequence[str]) -> Spoken:
        """The same events with rows of another table.

        Raises:
            ValueError: if it lacks a text of an event.
        """
        row = {text: i for i, text in enumerate(texts)}
        used = np.unique(self.code)
        table = np.zeros(len(self.texts), np.int32)
        for code in used.tolist():
            if self.texts[code] not in row:
                raise ValueError(
                    "an event has a text that the model's table lacks; both "
                    "must come of one set of tables and templates."
                )
            table[code] = row[self.texts[code]]
        return dataclasses.replace(
            self, texts=list(texts), code=table[self.code]
        )


@dataclasses.dataclass(frozen=True)
class EventTexts:
    """The texts of all events in the order of `Sequences`.

    Attributes:
        own: distinct texts that events came with, stripped; row 0 is "".
        own_code: [N] int32 row of each event.
        spoken: what a model reads; None where it reads nothing.
    """

    own: list[str]
    own_code: np.ndarray
    spoken: Spoken | None = None

    @property
    def read_code(self) -> np.ndarray | None:
        """[N] int32 row of each event in `spoken.texts`; None without them."""
        return None if self.spoken is None else self.spoken.code

    @classmethod
    def of(cls, texts: Sequence[str], places: np.ndarray) -> EventTexts:
        """Own texts alone.

        Args:
            texts: of events, repeats allowed.
            places: [N] int places in them.
        """
        used, first = np.unique(places, return_index=True)
        # By first appearance, whatever order the texts were found in.
        used = used[np.argsort(first)]
        row = {"": 0}
        table = np.zeros(len(texts), np.int32)
        for place in used.tolist():
            table[place] = _row(row, texts[place].strip(SPACE))
        return cls(list(row), table[places])

    def in_rows_of(self, other: EventTexts) -> EventTexts:
        """The same events, what is read of them in the rows of another table.

        Raises:
            ValueError: if that table lacks a text of an event.
        """
        if self.spoken is None or other.spoken is None:
            return self
        spoken = self.spoken.recoded(other.spoken.texts)
        return dataclasses.replace(self, spoken=spoken)

    @classmethod
    def silent(cls, count: int) -> EventTexts:
        """Events without a word."""
        return cls([""], np.zeros(count, np.int32))

    def put_in_words(
        self,
        templates: Templates,
        columns: Mapping[str, Sequence[str]],
        sequences: Sequences,
        event_types: Sequence[str],
    ) -> EventTexts:
        """The same with what a model reads.

        Args:
            templates: by event type.
            columns: [C] values of the items by column, in catalogue order.
            sequences: in vocabulary codes.
            event_types: vocabulary; code 0 is the unknown type, which has the
                default template.
        """
        used = [templates.default, *map(templates.of, event_types)]
        distinct = list(dict.fromkeys(used))
        place = {template: i for i, template in enumerate(distinct)}
        template_of = np.array([place[t] for t in used], np.int32)
        items = _rows_of(columns)
        row = {"": 0}
        item_rows = np.array(
            [[_row(row, t.render(item)) for item in items] for t in distinct],
            np.int32,
        ).reshape(len(distinct), len(items))
        reads_text = np.array([t.reads_text for t in distinct], bool)
        template = template_of[sequences.event_type]
        code = item_rows[template, sequences.item]
        speaks = np.flatnonzero(reads_text[template] & (self.own_code > 0))
        # Each distinct (template, item, text) is put in words once.
        said = np.stack(
            [template[speaks], sequences.item[speaks], self.own_code[speaks]]
        )
        triples, inverse = np.unique(said, axis=1, return_inverse=True)
        rows = [
            _row(
                row,
                distinct[t].render({**items[i], features.TEXT: self.own[o]}),
            )
            for t, i, o in triples.T.tolist()
        ]
        code[speaks] = np.array(rows, np.int32)[inverse.reshape(-1)]
        before, after = _surroundings(distinct, items)
        spoken = Spoken(
            list(row), code, template_of, item_rows, reads_text, before, after
        )
        return dataclasses.replace(self, spoken=spoken)


def _rows_of(columns: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    names = list(columns)
    rows = zip(*columns.values(), strict=True)
    return [dict(zip(names, row, strict=True)) for row in rows]


def _row(row: dict[str, int], text: str) -> int:
    return row.setdefault(text, len(row))


def _surroundings(
    templates: Sequence[Template], items: Sequence[Mapping[str, str]]
) -> tuple[np.ndarray, np.ndarray]:
    """[S, C] texts before and after an event's own."""
    before = np.full((len(templates), len(items)), "", object)
    after = before.copy()
    for row, template in enumerate(templates):
        if template.reads_text:
            for column, item in enumerate(items):
                before[row, column], after[row, column] = template.around(item)
    return before, after
