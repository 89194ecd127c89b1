"""Requests whose right answers are known, whatever comes and goes meanwhile.

The answers are those of the same bundle in this process, in long lists; what
a server may answer is the list without the items that are out of its
catalogue, with the items that were added to it anywhere between.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from serving import signatures, wire
from serving.asking import Event, Policy, User

Arrays = Mapping[str, Any]
ADDED = "live-"  # ids of added items begin so
_K, _LISTED = 10, 400
_HISTORY, _CANDIDATES = 10, 20
_FEWEST = 50  # items: lists, histories and what is removed meanwhile
_TOLERANCE = 1e-4  # of a score: one request alone, or among others


@dataclasses.dataclass(frozen=True)
class View:
    """What is out of the catalogue at a moment.

    Attributes:
        out: ids that were removed.
        unsure: ids that a command is removing or bringing back.
    """

    out: frozenset[str] = frozenset()
    unsure: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True)
class Question:
    """A request and what is right.

    Attributes:
        signature, inputs: of the request.
        expected: outputs for the whole catalogue, lists at full length.
    """

    signature: str
    inputs: Arrays
    expected: Arrays

    def fault(self, answer: Arrays, before: View, after: View) -> str:
        """What is wrong with an answer, "" if nothing is.

        Args:
            answer: outputs by name.
            before, after: the catalogue when the request was sent, and when
                the answer had come.
        """
        unsure = before.unsure | after.unsure | (before.out ^ after.out)
        if "item_ids" in self.expected:
            return self._list_fault(answer, before.out, unsure)
        if self.signature == signatures.RANK:
            ids = self.inputs["candidate_item_ids"][0]
            wanted = [
                -np.inf if each in before.out else score
                for each, score in zip(
                    ids, self.expected["scores"][0], strict=True
                )
            ]
            sure = [each not in unsure for each in ids]
            return _difference(
                np.asarray(answer["scores"][0])[sure], np.array(wanted)[sure]
            )
        return _difference(answer["vector"][0], self.expected["vector"][0])

    def _list_fault(
        self, answer: Arrays, out: frozenset[str], unsure: frozenset[str]
    ) -> str:
        ids = [_text(each) for each in answer["item_ids"][0]]
        scores = dict(zip(ids, map(float, answer["scores"][0]), strict=True))
        if len(scores) < _K or "" in scores:
            return f"{len(scores)} different items instead of {_K}"
        if list(scores.values()) != sorted(scores.values(), reverse=True):
            return "scores that rise"
        expected = {
            _text(each): float(score)
            for each, score in zip(
                self.expected["item_ids"][0], self.expected["scores"][0],
                strict=True,
            )
        }
        known = [each for each in ids if not each.startswith(ADDED)]
        foreign = [each for each in known if each not in expected]
        if foreign:
            return f"{foreign[0]}, which should not be there"
        gone = (out - unsure).intersection(ids)
        if gone:
            return f"{min(gone)}, which was removed"
        found = [scores[each] for each in known if each not in unsure]
        wanted = [
            score
            for each, score in expected.items()
            if each not in out and each not in unsure
        ]
        own = [expected[each] for each in known if each not in unsure]
        return _difference(found, wanted[: len(found)]) or _difference(
            found, own
        )


def of_bundle(recommender: Any, users: int, seed: int) -> list[Question]:
    """Questions of each kind, mixed as a shop might ask them.

    Args:
        recommender: the bundle in this process, nothing added or removed.
        users: whose questions they are.
        seed: of all that is drawn.

    Raises:
        ValueError: if the bundle has too few items to draw from.
    """
    draw = random.Random(seed)
    ids = _best_of_nobody(recommender)
    if len(ids) < _FEWEST:
        raise ValueError(
            f"the bundle has {len(ids)} items; {_FEWEST} are needed, so that "
            "lists are full whatever is removed."
        )
    return [
        question
        for _ in range(users)
        for question in _of_user(recommender, ids, draw)
    ]


def histories_of(every: Iterable[Question]) -> list[str]:
    """Ids of all items that are in a history, sorted."""
    return sorted(
        {
            item_id
            for question in every
            if "history_item_ids" in question.inputs
            for item_id in question.inputs["history_item_ids"][0]
        }
    )


def _best_of_nobody(recommender: Any) -> list[str]:
    """Ids of the items that somebody unknown is answered first."""
    answer = recommender.predict(
        signatures.RECOMMEND, _recommend(User(), _LISTED)
    )
    return [_text(each) for each in answer["item_ids"][0] if each]


def _of_user(
    recommender: Any, ids: Sequence[str], draw: random.Random
) -> Iterator[Question]:
    """Six of `recommend`, and one of each other."""
    users = [
        User(history=draw.sample(ids, draw.randint(0, _HISTORY)))
        for _ in range(6)
    ]
    requests: list[tuple[str, Arrays]] = [
        (signatures.RECOMMEND, _recommend(user, _K)) for user in users
    ]
    user = users[0]
    state = recommender.predict(signatures.EMBED_USER, user.inputs())["state"]
    rules = Policy().inputs()
    del rules["rerank"]
    requests += [
        (signatures.RECOMMEND_NEXT, {
            "state": state,
            **Event(item_id=draw.choice(ids)).inputs(),
            "exclude_item_ids": np.array([list(user.history)], object),
            "k": np.array([_K], np.int32),
            **rules,
        }),
        (signatures.SIMILAR_ITEMS, {
            "item_ids": np.array([draw.choice(ids)], object),
            "k": np.array([_K], np.int32),
        }),
        (signatures.RANK, {
            **user.inputs(),
            "candidate_item_ids": np.array(
                [draw.sample(ids, _CANDIDATES)], object
            ),
        }),
        (signatures.EMBED_ITEM, {
            **signatures.blank(signatures.ITEM_INPUTS, {"b": 1}),
            "title": np.array([f"{draw.choice(ids)} of another kind"], object),
        }),
    ]
    for signature, inputs in requests:
        long = dict(inputs)
        if "k" in long:
            long["k"] = np.array([_LISTED], np.int32)
        expected = recommender.predict(signature, long)
        yield Question(signature, inputs, expected)


def _recommend(user: User, k: int) -> Arrays:
    return {
        **user.inputs(),
        "exclude_item_ids": np.empty((1, 0), object),
        "k": np.array([k], np.int32),
        **Policy().inputs(),
    }


def message(question: Question, model: str) -> bytes:
    """A serialized PredictRequest."""
    return wire.request_bytes(model, question.signature, question.inputs)


def as_json(question: Question) -> dict[str, Any]:
    """The body of a REST request, by column."""
    columns = {
        name: np.asarray(value).tolist()
        for name, value in question.inputs.items()
    }
    return {"signature_name": question.signature, "inputs": columns}


def _difference(found: Any, wanted: Any) -> str:
    """A sentence where numbers are not the same, infinite ones among them."""
    one, two = np.asarray(found, float), np.asarray(wanted, float)
    if np.allclose(one, two, rtol=0, atol=_TOLERANCE):
        return ""
    return f"{one.round(4).tolist()} instead of {two.round(4).tolist()}"


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
