"""Command line of the client, and its `Client` for programs.

python -m serving.client recommend --history ID,ID --profile TEXT -k 10
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from serving import signatures
from serving.aio import AsyncClient
from serving.asking import Event, Policy, User
from serving.remote import Answer, Client, ClientError, Contribution
from serving.transport import Retries, Tls

__all__ = [
    "Answer",
    "AsyncClient",
    "Client",
    "ClientError",
    "Contribution",
    "Event",
    "Policy",
    "Retries",
    "Tls",
    "User",
    "main",
]

_TITLE_WIDTH = 60


def ids(text: str) -> list[str]:
    """Ids of a comma-separated argument; quote an id that has a comma."""
    row = next(csv.reader([text], skipinitialspace=True), [])
    return [value for value in row if value]


def texts(text: str) -> list[str]:
    """Texts of a comma-separated argument, empty ones among them."""
    return next(csv.reader([text], skipinitialspace=True), [])


def parser() -> argparse.ArgumentParser:
    """All commands and flags."""
    result = argparse.ArgumentParser(
        prog="python -m serving.client",
        description="Asks a running model server.",
        epilog='Ids are separated by commas; quote one that has a comma: "a,b"',
    )
    commands = result.add_subparsers(dest="command", required=True)
    recommend = commands.add_parser("recommend", help="items for a user")
    _add_user(recommend)
    recommend.add_argument(
        "--exclude", type=ids, default=[], help="ids never to be shown"
    )
    _add_policy(recommend)
    similar = commands.add_parser("similar", help="items like one item")
    similar.add_argument("item_id")
    for command in (recommend, similar):
        command.add_argument("-k", type=_count, default=10, help="(10)")
    rank = commands.add_parser("rank", help="order given items for a user")
    _add_user(rank)
    rank.add_argument("--candidates", type=ids, required=True)
    explain = commands.add_parser("explain", help="why an item scores so")
    _add_user(explain)
    explain.add_argument("item_id")
    for command in (recommend, similar, rank, explain):
        add_connection(command)
    return result


def _add_user(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--history", type=ids, default=[], help="item ids, oldest first"
    )
    command.add_argument("--event_types", type=ids, default=[])
    command.add_argument(
        "--texts", type=texts, default=[], help="what the events of the "
        "history said, such as queries; empty where one said nothing"
    )
    command.add_argument("--scenario", default="")
    command.add_argument(
        "--profile", default="", help="interests of the user in words"
    )


def _add_policy(command: argparse.ArgumentParser) -> None:
    """A flag for each attribute of `Policy`."""
    meaning = {field.name: field for field in signatures.POLICY_INPUTS}
    for field in dataclasses.fields(Policy):
        if field.name == "allow":
            command.add_argument(
                "--allow", type=ids, default=[],
                help=meaning["allow_item_ids"].meaning,
            )
            continue
        kind = type(field.default)
        command.add_argument(
            f"--{field.name}", type=kind, default=field.default,
            help=meaning[field.name].meaning,
            choices=[c for c in meaning[field.name].choices if c] or None,
        )


def add_connection(command: argparse.ArgumentParser) -> None:
    """Flags that say which server is asked, and how."""
    command.add_argument("--server", default="localhost:8500")
    command.add_argument("--model", default="recommender")
    command.add_argument("--timeout", type=float, default=30.0, help="seconds")
    command.add_argument(
        "--tls_ca", type=Path, help="PEM file: speak TLS, and trust these"
    )
    for name in ("--tls_cert", "--tls_key"):
        command.add_argument(
            name, type=Path, help="PEM file of the client, for mutual TLS"
        )


def _count(text: str) -> int:
    value = int(text)
    if not 0 <= value < 2**31:
        raise argparse.ArgumentTypeError(f"must be 0 or more, got {value}")
    return value


def answer_table(answers: Sequence[Answer]) -> str:
    """Rank, id, title and score, one line each."""
    if not answers:
        return "No item is left to recommend."
    width = max(len("id"), *(len(answer.item_id) for answer in answers))
    lines = [f"{'rank':>4}  {'id':<{width}}  {'score':>8}  title"]
    for rank, answer in enumerate(answers, start=1):
        title = " ".join(answer.title.split())
        if len(title) > _TITLE_WIDTH:
            title = title[: _TITLE_WIDTH - 1] + "…"
        lines.append(
            f"{rank:>4}  {answer.item_id:<{width}}  {answer.score:8.4f}  "
            f"{title}"
        )
    return "\n".join(lines)


def score_table(names: Iterable[str], scores: Iterable[float]) -> str:
    """A score and a name on each line."""
    pairs = zip(names, scores, strict=True)
    return "\n".join(f"{score:8.4f}  {name}" for name, score in pairs)


def policy_of(asked: argparse.Namespace) -> Policy:
    """The rules that the flags of `recommend` name."""
    names = [field.name for field in dataclasses.fields(Policy)]
    return Policy(**{name: getattr(asked, name) for name in names})


def _run(client: Client, asked: argparse.Namespace) -> str:
    if asked.command == "similar":
        return answer_table(client.similar(asked.item_id, k=asked.k))
    user = User(
        history=asked.history,
        event_types=asked.event_types,
        texts=asked.texts,
        scenario=asked.scenario,
        profile_text=asked.profile,
    )
    if asked.command == "recommend":
        return answer_table(
            client.recommend(
                user, exclude=asked.exclude, k=asked.k, policy=policy_of(asked)
            )
        )
    if asked.command == "rank":
        scores = client.rank(user, asked.candidates)
        pairs = sorted(
            zip(asked.candidates, scores, strict=True), key=lambda p: -p[1]
        )
        return score_table(*zip(*pairs, strict=True)) if pairs else ""
    parts, score = client.explain(user, asked.item_id)
    named = [
        f"{event}  ({part.words})" if part.words else event
        for event, part in zip(asked.history, parts, strict=True)
    ]
    return score_table(
        [*named, f"= score of {asked.item_id}"],
        [*(part.score for part in parts), score],
    )


def tls_of(asked: argparse.Namespace) -> Tls | None:
    """What the flags of `add_connection` say of TLS.

    Raises:
        OSError: if a file cannot be read.
    """
    paths = asked.tls_ca, asked.tls_cert, asked.tls_key
    if not any(paths):
        return None
    return Tls(*(path.read_bytes() if path else b"" for path in paths))


def main(argv: Sequence[str] | None = None) -> int:
    """Asks once and prints; 1 with a sentence if there is no answer."""
    asked = parser().parse_args(argv)
    try:
        with Client(
            asked.server,
            model=asked.model,
            timeout_s=asked.timeout,
            tls=tls_of(asked),
        ) as client:
            print(_run(client, asked))
    except (ClientError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
