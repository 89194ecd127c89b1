"""h2load, a client in C, asks over gRPC: no round trip holds Python's part.

It is nghttp2's load generator (Debian's package `nghttp2-client`), and sends
one request, made and framed beforehand, again and again.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path


def is_here() -> bool:
    """Whether h2load is installed."""
    return shutil.which("h2load") is not None


def seconds_of_calls(
    target: str, method: str, request: bytes, answer: bytes, count: int
) -> list[float]:
    """Of `count` calls, one after the other, over one connection.

    Args:
        target: `host:port` of a server without TLS.
        method: its path, `/package.Service/Method`.
        request: a serialized message.
        answer: what it is answered by, as serialized.
        count: of calls.

    Raises:
        RuntimeError: if a call failed, or answers are of another size: an
            error of gRPC is a success to HTTP.
    """
    with tempfile.TemporaryDirectory() as folder:
        body, log = Path(folder) / "body", Path(folder) / "log"
        body.write_bytes(_framed(request))
        said = subprocess.run(
            [
                "h2load", f"--requests={count}", "--clients=1",
                f"--data={body}", f"--log-file={log}",
                "--header=content-type: application/grpc",
                "--header=te: trailers", f"http://{target}{method}",
            ],
            capture_output=True, text=True, check=True,
        ).stdout
        lines = [line.split("\t") for line in log.read_text().splitlines()]
    content = re.search(r"\((\d+)\) data", said)
    expected = count * len(_framed(answer))
    if content is None or int(content[1]) != expected:
        raise RuntimeError(
            f"{count} calls of {method} at {target} should be answered by "
            f"{expected} bytes; h2load says:\n{said}"
        )
    return [int(microseconds) / 1e6 for _, _, microseconds in lines]


def _framed(message: bytes) -> bytes:
    """A message as gRPC sends it: not compressed, its length before it."""
    return b"\0" + len(message).to_bytes(4, "big") + message
