"""Sends malformed and hostile requests to both ports of a running server.

    python -m benchmarks.serving.hostile --count 10000 \
        --grpc localhost:8500 --rest localhost:8501 --item_id i0341

Prints, per attack, what it got. Ends with 1 if a code was not among the right
ones, or if a sound request is not answered afterwards.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from benchmarks.serving import grpc_attacks, rest_attacks
from benchmarks.serving.grpc_attacks import GrpcTarget
from benchmarks.serving.rest_attacks import RestTarget

Outcomes = dict[str, Counter[str]]
_SLOW_CLIENTS = 40


def attack(
    grpc_target: GrpcTarget, rest_target: RestTarget, count: int, seed: int
) -> tuple[Outcomes, list[str]]:
    """Attacks in turn, beside clients that never end their requests.

    Args:
        grpc_target, rest_target: ports of one server, whose model is called
            "recommender".
        count: of requests.
        seed: of everything random in them.

    Returns:
        Outcomes by attack, and a sentence for each that is not right.
    """
    rng = random.Random(seed)
    outcomes: Outcomes = {}
    wrong = []
    slow = rest_attacks.slow_clients(rest_target, _SLOW_CLIENTS)
    plan = _plan(grpc_target, rest_target)
    for _ in range(count):
        name, function, target, right = next(plan)
        outcome = function(target, rng)
        outcomes.setdefault(name, Counter())[outcome] += 1
        if outcome not in right:
            wrong.append(f"{name} got {outcome}, wanted {sorted(right)}")
    for sock in slow:
        sock.close()
    return outcomes, wrong


def is_sound(grpc_target: GrpcTarget, rest_target: RestTarget) -> bool:
    """Whether a sound request is answered on both ports."""
    content = grpc_target.request().SerializeToString()
    answers = grpc_target.send(content), rest_target.predict(
        rest_target.similar()
    )
    return answers == ("OK", "200")


def _plan(
    grpc_target: GrpcTarget, rest_target: RestTarget
) -> Iterator[tuple[str, Any, Any, frozenset[str]]]:
    every: list[tuple[str, Any, Any, frozenset[str]]] = [
        (f"grpc {function.__name__.strip('_')}", function, grpc_target, right)
        for function, right in grpc_attacks.ATTACKS.items()
    ]
    every += [
        (f"rest {function.__name__.strip('_')}", function, rest_target, right)
        for function, right in rest_attacks.ATTACKS.items()
    ]
    while True:
        yield from every


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--grpc", default="localhost:8500")
    parser.add_argument("--rest", default="localhost:8501")
    parser.add_argument("--item_id", default="i1", help="of the catalogue")
    asked = parser.parse_args()
    grpc_target = GrpcTarget(asked.grpc, asked.item_id)
    rest_target = RestTarget(asked.rest, asked.item_id)
    try:
        outcomes, wrong = attack(
            grpc_target, rest_target, asked.count, asked.seed
        )
    except OSError as error:
        print(
            f"error: {error}; start `python -m serving.server` with --port "
            "and --rest_api_port, and name them by --grpc and --rest.",
            file=sys.stderr,
        )
        return 1
    for name, counts in sorted(outcomes.items()):
        shown = ", ".join(f"{k} {v}" for k, v in counts.most_common())
        print(f"{name:<24} {shown}")
    for sentence in sorted(set(wrong)):
        print(f"wrong: {sentence}")
    sound = is_sound(grpc_target, rest_target)
    print(f"a sound request afterwards: {'answered' if sound else 'FAILED'}")
    return 0 if sound and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
