"""Asks a server over gRPC, without TensorFlow: starts in a fraction of a
second, beside any TensorFlow or none."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np

from serving import signatures, transport, wire
from serving.asking import NO_RULES, Event, Policy, User
from serving.transport import Retries, Tls

if TYPE_CHECKING:
    from serving.fields import Array, Arrays


_RETRIES = Retries()


class ClientError(RuntimeError):
    """A call that got no answer: which server, why, and what to do."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """One recommended or similar item.

    Attributes:
        item_id, title, score: of the item.
        source, reason, propensity: how it was found, what speaks for it and
            how likely it was in its place, as `serving.signatures` has them;
            of recommendations alone.
    """

    item_id: str
    title: str
    score: float
    source: str = ""
    reason: str = ""
    propensity: float = 1.0


@dataclasses.dataclass(frozen=True)
class Contribution:
    """What one event of a history adds to an item's score, and what the
    texts of the two items share."""

    score: float
    words: str


class Client:
    """A connection to a server; use it as a context manager, or close it.

    Args:
        target: `host:port`.
        model: name on the server.
        timeout_s: after which a call fails, its retries included.
        tls: for an encrypted connection; None speaks in the clear.
        retries: of calls that the server cannot have computed; None tries
            once.
    """

    def __init__(
        self,
        target: str,
        *,
        model: str = "recommender",
        timeout_s: float = 30.0,
        tls: Tls | None = None,
        retries: Retries | None = _RETRIES,
    ) -> None:
        self._target, self._model = target, model
        self._timeout_s = timeout_s
        self._channel = transport.channel(target, tls, retries)
        self._predict = transport.predict_method(self._channel)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets the connection go."""
        self._channel.close()

    def predict(self, signature: str, inputs: Arrays) -> dict[str, Array]:
        """Asks any signature; strings come back as bytes.

        Raises:
            ClientError: if there is no answer.
        """
        request = wire.request_bytes(self._model, signature, inputs)
        try:
            response = self._predict(request, timeout=self._timeout_s)
        except grpc.RpcError as error:
            raise ClientError(
                transport.explained(error, self._target, self._timeout_s)
            ) from error
        return transport.predict_outputs(response)

    def recommend(
        self,
        user: User,
        *,
        exclude: Sequence[str] = (),
        k: int = 10,
        policy: Policy = NO_RULES,
    ) -> list[Answer]:
        """The k best items for a user, best first; fewer if few are left."""
        inputs = {
            **user.inputs(),
            "exclude_item_ids": _strings([list(exclude)]),
            "k": np.array([k], np.int32),
            **policy.inputs(),
        }
        return _answers(self.predict(signatures.RECOMMEND, inputs))

    def state(self, user: User) -> Array:
        """[s] float32, all that the model knows of a user: keep it as it is.

        Only the model that made it reads it.
        """
        state: Array = self.predict(signatures.EMBED_USER, user.inputs())[
            "state"
        ][0]
        return state

    def recommend_next(
        self,
        state: Array,
        event: Event,
        *,
        exclude: Sequence[str] = (),
        k: int = 10,
        policy: Policy = NO_RULES,
    ) -> tuple[list[Answer], Array]:
        """The k best items after one more event, and the state to keep.

        Takes as long after a thousand events as after one. `Event()` asks
        from the state as it is. The item of the event is left out as seen
        items are; those of earlier events are the caller's to `exclude`.

        Raises:
            ClientError: if there is no answer, or the state is another
                model's.
            ValueError: if the policy asks the ranking head, which answers to
                histories alone.
        """
        if policy.rerank:
            raise ValueError(
                f"policy.rerank is {policy.rerank:g}, but recommend_next has "
                "no ranking head; leave it 0, or ask recommend."
            )
        rules = policy.inputs()
        del rules["rerank"]
        inputs = {
            "state": state[None],
            **event.inputs(),
            "exclude_item_ids": _strings([list(exclude)]),
            "k": np.array([k], np.int32),
            **rules,
        }
        answer = self.predict(signatures.RECOMMEND_NEXT, inputs)
        return _answers(answer), answer["state"][0]

    def similar(self, item_id: str, *, k: int = 10) -> list[Answer]:
        """The k items most like one; none if the id is unknown."""
        inputs = {
            "item_ids": _strings([item_id]),
            "k": np.array([k], np.int32),
        }
        return _answers(self.predict(signatures.SIMILAR_ITEMS, inputs))

    def rank(self, user: User, candidates: Sequence[str]) -> list[float]:
        """A score for each candidate; minus infinity for unknown ids."""
        inputs = {
            **user.inputs(),
            "candidate_item_ids": _strings([list(candidates)]),
        }
        scores: list[float] = self.predict(signatures.RANK, inputs)["scores"][
            0
        ].tolist()
        return scores

    def explain(
        self, user: User, item_id: str
    ) -> tuple[list[Contribution], float]:
        """What each event of the history adds to an item's score, and it."""
        inputs = {**user.inputs(), "item_id": _strings([item_id])}
        answer = self.predict(signatures.EXPLAIN, inputs)
        parts = zip(
            answer["contributions"][0], answer["matched_words"][0], strict=True
        )
        return (
            [Contribution(float(part), _text(words)) for part, words in parts],
            float(answer["score"][0]),
        )

    def observe(
        self, item_ids: Sequence[str], timestamps: Sequence[int]
    ) -> list[bool]:
        """Counts events of all users, for recent popularity.

        Args:
            item_ids: of one event each.
            timestamps: unix seconds, in any order.

        Returns:
            Of each event whether it was counted: its item is known, its time
            is not 0 and not to come.

        Raises:
            ClientError: if there is no answer, or the model does not read
                recent popularity.
        """
        inputs = {
            "item_id": _strings(list(item_ids)),
            "timestamp": np.array(timestamps, np.int64),
        }
        counted = self.predict(signatures.OBSERVE, inputs)["is_counted"]
        return [bool(each) for each in counted]


def _strings(values: list[Any]) -> Array:
    return np.array(values, object)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _answers(outputs: Arrays) -> list[Answer]:
    shown: dict[str, Any] = {
        "item_ids": _text, "titles": _text, "scores": float, "source": _text,
        "reasons": _text, "propensities": float,
    }
    columns = [
        map(read, outputs[name][0])
        for name, read in shown.items()
        if name in outputs
    ]
    answers = (Answer(*values) for values in zip(*columns, strict=True))
    return [answer for answer in answers if answer.item_id]
