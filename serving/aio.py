"""The client for asyncio, over gRPC's own asyncio."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

import grpc

from serving import transport, wire
from serving.remote import Client, ClientError
from serving.transport import Retries, Tls

if TYPE_CHECKING:
    from serving.fields import Array, Arrays

_P = ParamSpec("_P")
_T = TypeVar("_T")
_RETRIES = Retries()


class _Interrupt(Exception):
    """Carries what a method of `Client` wants to ask."""


class _StandIn:
    """In the place of a client: has an answer, or stops at the question."""

    def __init__(self, outputs: dict[str, Array] | None = None) -> None:
        self._outputs = outputs

    def predict(self, signature: str, inputs: Arrays) -> dict[str, Array]:
        if self._outputs is None:
            raise _Interrupt(signature, inputs)
        return self._outputs


def _awaited(
    method: Callable[Concatenate[Client, _P], _T],
) -> Callable[Concatenate[AsyncClient, _P], Coroutine[Any, Any, _T]]:
    """A method of `Client` that waits for its one answer without blocking.

    The method runs twice, first up to its question and then on from the
    answer, so that what it asks and how it reads stands in `Client` alone.
    """

    async def ask(
        self: AsyncClient, /, *args: _P.args, **kwargs: _P.kwargs
    ) -> _T:
        try:
            return method(cast(Client, _StandIn()), *args, **kwargs)
        except _Interrupt as interrupt:
            outputs = await self.predict(*interrupt.args)
        return method(cast(Client, _StandIn(outputs)), *args, **kwargs)

    ask.__name__, ask.__doc__ = method.__name__, method.__doc__
    return ask


class AsyncClient:
    """A connection to a server; use it as an asynchronous context manager.

    Any number of questions may be under way on one connection.

    Args:
        target: `host:port`.
        model: name on the server.
        timeout_s: after which a call fails, its retries included.
        tls: for an encrypted connection; None speaks in the clear.
        retries: of calls that the server cannot have computed; None tries
            once.
    """

    recommend = _awaited(Client.recommend)
    state = _awaited(Client.state)
    recommend_next = _awaited(Client.recommend_next)
    similar = _awaited(Client.similar)
    rank = _awaited(Client.rank)
    explain = _awaited(Client.explain)
    observe = _awaited(Client.observe)

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
        self._channel = transport.aio_channel(target, tls, retries)
        self._predict = transport.predict_method(self._channel)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Lets the connection go."""
        await self._channel.close()

    async def predict(
        self, signature: str, inputs: Arrays
    ) -> dict[str, Array]:
        """Asks any signature; strings come back as bytes.

        Raises:
            ClientError: if there is no answer.
        """
        request = wire.request_bytes(self._model, signature, inputs)
        try:
            response = await self._predict(request, timeout=self._timeout_s)
        except grpc.RpcError as error:
            raise ClientError(
                transport.explained(error, self._target, self._timeout_s)
            ) from error
        return transport.predict_outputs(response)
