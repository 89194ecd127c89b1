"""The client for asyncio, beside the one that blocks."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from serving.client import AsyncClient, Client, ClientError, User

USER = User(history=["i1", "i2"])


def test_it_gets_what_the_blocking_client_gets(running):
    async def ask():
        async with AsyncClient(running.target) as client:
            return await asyncio.gather(
                client.recommend(USER, exclude=["i9"], k=4),
                client.similar("i3", k=3),
                client.rank(USER, ["i5", "i6"]),
                client.explain(USER, "i7"),
            )

    with Client(running.target) as client:
        assert asyncio.run(ask()) == [
            client.recommend(USER, exclude=["i9"], k=4),
            client.similar("i3", k=3),
            client.rank(USER, ["i5", "i6"]),
            client.explain(USER, "i7"),
        ]


def test_an_error_has_the_same_sentence(running):
    async def ask():
        async with AsyncClient(running.target, model="shop") as client:
            await client.similar("i3")

    with pytest.raises(ClientError, match=r"NOT_FOUND.*Latest\(shop\)"):
        asyncio.run(ask())


def test_a_mistake_of_the_caller_is_raised_before_anything_is_sent():
    async def ask():
        async with AsyncClient("127.0.0.1:1", retries=None) as client:
            await client.recommend(USER, history=["i1"])

    with pytest.raises(TypeError, match="history"):
        asyncio.run(ask())


def test_questions_are_called_and_described_as_in_the_blocking_client():
    for name in (
        "recommend", "similar", "rank", "explain", "state", "recommend_next"
    ):
        ours, theirs = getattr(AsyncClient, name), getattr(Client, name)
        assert inspect.iscoroutinefunction(ours)
        assert (ours.__name__, ours.__doc__) == (name, theirs.__doc__)
