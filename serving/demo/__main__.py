"""A web page to try a running server with.

Write what somebody likes, pick items, and see the list change with each one:
every event is one step from the state before it, whatever came earlier.

    python -m serving.server --model_base_path job/export/recommender
    python -m serving.demo --server localhost:8500
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from serving.client import AsyncClient, add_connection, tls_of
from serving.flags import port_number


def parser() -> argparse.ArgumentParser:
    """All flags, with defaults."""
    result = argparse.ArgumentParser(
        prog="python -m serving.demo",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    result.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (127.0.0.1); "
        "the page asks for no password, so keep it inside"
    )
    result.add_argument(
        "--port", type=port_number, default=8600,
        help="0 takes a free one (8600)",
    )
    result.add_argument(
        "--scenarios", default="", help="names to choose from, separated by "
        "commas"
    )
    add_connection(result)
    return result


async def serve(flags: argparse.Namespace) -> None:
    """Serves until it is cancelled.

    Raises:
        OSError: if the port is taken or a certificate cannot be read.
    """
    from serving.demo.app import application, listen

    scenarios = [name.strip() for name in flags.scenarios.split(",")]
    async with AsyncClient(
        flags.server,
        model=flags.model,
        timeout_s=flags.timeout,
        tls=tls_of(flags),
    ) as client:
        page = application(client, [name for name in scenarios if name])
        port = listen(page, flags.host, flags.port)
        print(
            f"Open http://{flags.host}:{port} (asks {flags.model} at "
            f"{flags.server}). Ctrl-C ends it.",
            flush=True,
        )
        await asyncio.Event().wait()


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; 1 with a sentence if it cannot listen."""
    flags = parser().parse_args(argv)
    try:
        asyncio.run(serve(flags))
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
