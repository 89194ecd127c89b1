"""What the events of a request say, read in the served graph.

What an item's columns alone decide was read at export and is looked up; only
texts that come with the request go through the text encoder.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from trainer import requests
from trainer.encoder import TextEncoder
from trainer.event_texts import Spoken
from trainer.user_tower import UserTower


class BehaviourTables(tf.Module):
    """What is looked up, as variables of the saved model.

    Args:
        spoken: texts by template and item.
        vectors: [texts, S] float32, what the tower reads of each.

    Attributes:
        template_of: [event types] int32 template of each code.
        reads_text: [templates] bool, whether it reads the event's text.
        rows: [templates, items + 1] int32 row of `vectors` without such a
            text; the last column is that of items added later, of which
            nothing was read.
        vectors: [rows, S] float32.
        before, after: [templates, items + 1] string around such a text; None
            where nothing ever is.
    """

    def __init__(self, spoken: Spoken, vectors: np.ndarray) -> None:
        super().__init__(name="behaviour")

        def kept(values: np.ndarray) -> tf.Variable:
            return tf.Variable(values, trainable=False)

        self.template_of = kept(spoken.template_of)
        self.reads_text = kept(spoken.reads_text)
        used, rows = np.unique(spoken.item_rows, return_inverse=True)
        rows = rows.reshape(spoken.item_rows.shape).astype(np.int32)
        one_more = ((0, 0), (0, 1))
        self.rows = kept(np.pad(rows, one_more, constant_values=len(used)))
        self.vectors = kept(np.pad(vectors[used], ((0, 1), (0, 0))))
        said = (spoken.before, spoken.after)
        has_words = any((words != "").any() for words in said)
        self.before, self.after = (
            kept(np.pad(words.astype(str), one_more, constant_values=""))
            if has_words
            else None
            for words in said
        )


class BehaviourReader:
    """Vectors of what events say.

    Args:
        tower: the user tower.
        encoder: the text encoder.
        tables: of what is known without a request.
    """

    def __init__(
        self, tower: UserTower, encoder: TextEncoder, tables: BehaviourTables
    ) -> None:
        self._tower, self._encoder, self._tables = tower, encoder, tables

    def __call__(self, history: requests.History) -> tf.Tensor:
        """[b, W] events of `requests.keep_latest` -> [b, W, S] float32."""
        tables = self._tables
        template = tf.gather(tables.template_of, history["event_type"])
        added = tf.shape(tables.rows)[1] - 1
        item = tf.minimum(history["item"], added)
        place = tf.stack([template, item], axis=-1)  # [b, W, 2]
        known = tf.gather(tables.vectors, tf.gather_nd(tables.rows, place))
        text = requests.strip(history["text"])
        speaks = tf.gather(tables.reads_text, template) & (text != "")
        speaks &= history["mask"]
        if tables.before is not None:
            text = tf.gather_nd(tables.before, place) + text
            text += tf.gather_nd(tables.after, place)
        said = self._read(tf.where(speaks, text, ""))
        return tf.where(speaks[..., None], said, known)

    def _read(self, texts: tf.Tensor) -> tf.Tensor:
        """[b, W] strings -> [b, W, S]; each distinct text is encoded once."""
        distinct, place = tf.unique(tf.reshape(texts, [-1]))
        vectors = self._tower.spoken(self._encoder.encode_strings(distinct))
        found = tf.gather(tf.cast(vectors, tf.float32), place)
        return tf.reshape(found, tf.concat([tf.shape(texts), [-1]], axis=0))
