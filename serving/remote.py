"""Asks a server over gRPC, without TensorFlow: starts in a fraction of a
second, beside any TensorFlow or none."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np

from serving import signatures, transport
from serving.transport import Retries, Tls

if TYPE_CHECKING:
    from serving.signatures import Array, Arrays


_RETRIES = Retries()


class ClientError(RuntimeError):
    """A call that got no answer: which server, why, and what to do."""


@dataclasses.dataclass(frozen=True)
class User:
    """What is known of who asks.

    Attributes:
        history: item ids, oldest first.
        event_types, timestamps, scenarios, texts: one per item of `history`,
            or empty for the defaults; timestamps are unix seconds, texts the
            comments or queries that came with the events.
        scenario: in which the answer will be shown.
        profile_text: interests in words.
    """

    history: Sequence[str] = ()
    event_types: Sequence[str] = ()
    timestamps: Sequence[int] = ()
    scenarios: Sequence[str] = ()
    texts: Sequence[str] = ()
    scenario: str = ""
    profile_text: str = ""

    def __post_init__(self) -> None:
        for name in ("event_types", "timestamps", "scenarios", "texts"):
            size = len(getattr(self, name))
            if size not in (0, len(self.history)):
                raise ValueError(
                    f"{name} has {size} entries for a history of "
                    f"{len(self.history)}; give one per item, or none."
                )

    def inputs(self) -> dict[str, Array]:
        """A batch of one, with texts only where there are any.

        Servers of ours leave them out where the model does not read them.
        """
        given: dict[str, Sequence[Any]] = {
            "history_item_ids": self.history,
            "history_event_types": self.event_types,
            "history_timestamps": self.timestamps,
            "history_scenarios": self.scenarios,
            "history_texts": self.texts,
        }
        sizes = {"b": 1, "L": len(self.history)}
        fields = signatures.known(signatures.USER_INPUTS, any(self.texts))
        arrays = signatures.blank(fields, sizes)
        for name, values in given.items():
            if values and name in arrays:
                arrays[name][0, :] = list(values)
        arrays["scenario"][0] = self.scenario
        arrays["profile_text"][0] = self.profile_text
        return arrays


@dataclasses.dataclass(frozen=True)
class Answer:
    """One recommended or similar item."""

    item_id: str
    title: str
    score: float


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
        request = transport.predict_request(self._model, signature, inputs)
        try:
            response = self._predict(request, timeout=self._timeout_s)
        except grpc.RpcError as error:
            raise ClientError(
                transport.explained(error, self._target, self._timeout_s)
            ) from error
        return transport.predict_outputs(response)

    def recommend(
        self, user: User, *, exclude: Sequence[str] = (), k: int = 10
    ) -> list[Answer]:
        """The k best items for a user, best first; fewer if few are left."""
        inputs = {
            **user.inputs(),
            "exclude_item_ids": _strings([list(exclude)]),
            "k": np.array([k], np.int32),
        }
        return _answers(self.predict(signatures.RECOMMEND, inputs))

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

    def explain(self, user: User, item_id: str) -> tuple[list[float], float]:
        """What each event of the history adds to an item's score, and it."""
        inputs = {**user.inputs(), "item_id": _strings([item_id])}
        answer = self.predict(signatures.EXPLAIN, inputs)
        return answer["contributions"][0].tolist(), float(answer["score"][0])


def _strings(values: list[Any]) -> Array:
    return np.array(values, object)


def _answers(outputs: Arrays) -> list[Answer]:
    rows = zip(
        outputs["item_ids"][0],
        outputs["titles"][0],
        outputs["scores"][0],
        strict=True,
    )
    return [
        Answer(item.decode(), title.decode("utf-8", "replace"), float(score))
        for item, title, score in rows
        if item
    ]
