"""What the server adds to a model, and what many clients get of it.

    python -m benchmarks.serving.speed --bundle JOB/export/recommender/1

In turns, so that both meet the same machine: one request after the other in
this process, and over gRPC to a server of the same bundle, which is asked for
its health too. Calls and health checks once more with a rest after each: a
core that has rested, or done something else meanwhile, may compute more
slowly. Where h2load is installed (Debian's `nghttp2-client`), a client in C
asks too. Then several clients at once, with batching off and on. Then one
event more by `advance`, beside the whole history by `embed_user`.
"""

from __future__ import annotations

import argparse
import collections
import functools
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from benchmarks.serving import native_client
from benchmarks.serving.launched import recommender_of, server
from benchmarks.serving.traffic import in_threads
from serving import transport, wire
from serving.client import Client, ClientError, Event, Policy, User

_HISTORY, _ITEMS = 10, 1000
_CALLS = 50  # in a row
_BATCHING = "max_batch_size { value: 64 } batch_timeout_micros { value: 1000 }"
_LENGTHS = (10, 100, 1000)
_REST = 0.003  # seconds, about what a request over gRPC takes
_HEALTH_CHECK = "/grpc.health.v1.Health/Check"
_MODEL = "recommender"


def seconds_of(
    work: Callable[[], Any], count: int, rest: float = 0.0
) -> list[float]:
    """Of `count` calls, one after the other, with a rest after each."""
    found = []
    for _ in range(count):
        started = time.perf_counter()
        work()
        found.append(time.perf_counter() - started)
        time.sleep(rest)
    return found


def percentiles(seconds: Sequence[float]) -> str:
    """p50, p95 and p99 in milliseconds."""
    values = 1e3 * np.percentile(seconds, [50, 95, 99])
    return "  ".join(f"{value:7.2f}" for value in values)


def round_trips(
    recommender: Any, target: str, users: Sequence[User], rounds: int
) -> None:
    """One client: what gRPC and the server cost beside the model.

    A health check, of empty messages, is what gRPC alone costs.
    """
    found: dict[str, list[float]] = collections.defaultdict(list)
    doors: dict[str, list[float]] = collections.defaultdict(list)
    with Client(target) as client, grpc.insecure_channel(target) as channel:
        check = functools.partial(channel.unary_unary(_HEALTH_CHECK), b"")
        ask = channel.unary_unary(transport.PREDICT_METHOD)
        for number in range(rounds):
            inputs = _inputs(users[number % len(users)])
            here, there = (
                functools.partial(each.predict, "recommend", inputs)
                for each in (recommender, client)
            )
            alone = seconds_of(here, _CALLS)
            served = {"over gRPC": seconds_of(there, _CALLS)}
            if native_client.is_here():
                request = wire.request_bytes(_MODEL, "recommend", inputs)
                served["over gRPC, by h2load"] = (
                    native_client.seconds_of_calls(
                        target, transport.PREDICT_METHOD,
                        request, ask(request), _CALLS,
                    )
                )
            found["in this process"] += alone
            found["with a rest after each"] += seconds_of(here, _CALLS, _REST)
            for name, seconds in served.items():
                found[name] += seconds
                doors[name].append(
                    statistics.median(seconds) - statistics.median(alone)
                )
            found["a health check"] += seconds_of(check, _CALLS)
            found["a check after a rest"] += seconds_of(check, _CALLS, _REST)
    print(f"{'ms':24}  {'p50':>7}  {'p95':>7}  {'p99':>7}")
    for name, seconds in found.items():
        print(f"{name:24}  {percentiles(seconds)}")
    for name, differences in doors.items():
        print(
            f"{name}: median of {rounds} differences of p50: "
            f"{1e3 * statistics.median(differences):.2f} ms"
        )


def _inputs(user: User) -> dict[str, Any]:
    """Of `recommend`, ten items without rules."""
    return {
        **user.inputs(),
        **Policy().inputs(),
        "exclude_item_ids": np.empty((1, 0), object),
        "k": np.array([10], np.int32),
    }


def crowd(
    target: str, users: Sequence[User], clients: int, seconds: float
) -> tuple[list[float], int]:
    """Seconds of each answer that `clients` got at once, and refusals."""
    took: list[float] = []
    refused = [0]
    until = time.monotonic() + seconds

    def work(seed: int) -> None:
        generator = random.Random(seed)
        with Client(target, retries=None) as client:
            while time.monotonic() < until:
                user = generator.choice(users)
                started = time.perf_counter()
                try:
                    client.recommend(user)
                    took.append(time.perf_counter() - started)
                except ClientError:
                    refused[0] += 1

    in_threads(work, clients)
    return took, refused[0]


def throughput(
    target: str, users: Sequence[User], seconds: float, name: str
) -> None:
    """Several clients at once."""
    for clients in (1, 8, 64):
        took, refused = crowd(target, users, clients, seconds)
        print(
            f"{name + f', {clients} clients':24}  {percentiles(took)}  "
            f"{len(took) / seconds:7.0f} requests/s, {refused} refused"
        )


def one_more_event(target: str, ids: Sequence[str], rounds: int) -> None:
    """`recommend_next` from a state, and `recommend` of the whole history."""
    print(f"{'history, p50 ms':24}  {'by state':>9}  {'anew':>9}")
    with Client(target) as client:
        for length in _LENGTHS:
            user = User(history=[ids[n % len(ids)] for n in range(length)])
            state, event = client.state(user), Event(item_id=ids[0])
            stepped = seconds_of(
                functools.partial(client.recommend_next, state, event), rounds
            )
            anew = seconds_of(
                functools.partial(client.recommend, user), rounds
            )
            print(
                f"{length:24}  {1e3 * statistics.median(stepped):9.2f}  "
                f"{1e3 * statistics.median(anew):9.2f}"
            )


def main() -> None:
    """Prints all figures."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--bundle", type=Path, required=True, help="a version's folder"
    )
    parser.add_argument("--rounds", type=int, default=20, help="(20)")
    parser.add_argument(
        "--seconds", type=float, default=5.0, help="of each crowd (5)"
    )
    flags = parser.parse_args()
    recommender = recommender_of(flags.bundle, parser)
    with server(flags.bundle.parent) as launched:
        target = launched.target
        with Client(target) as client:
            items = client.recommend(User(), k=_ITEMS)
        ids = [item.item_id for item in items]
        generator = random.Random(0)
        users = [
            User(history=generator.choices(ids, k=_HISTORY))
            for _ in range(200)
        ]
        round_trips(recommender, target, users, flags.rounds)
        throughput(target, users, flags.seconds, "one by one")
        one_more_event(target, ids, flags.rounds)
    with tempfile.NamedTemporaryFile("w", suffix=".config") as config:
        config.write(_BATCHING)
        config.flush()
        batching = (
            "--enable_batching", "--batching_parameters_file", config.name
        )
        with server(flags.bundle.parent, *batching) as launched:
            throughput(launched.target, users, flags.seconds, "in batches")


if __name__ == "__main__":
    main()
