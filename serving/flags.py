"""The server's command line: tensorflow_model_server's flags, and a few more.

Importing it costs nothing, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from serving.errors import ConfigError

_CPUS = os.cpu_count() or 1


def port_number(text: str) -> int:
    """A port, 0 for a free one or none; greater ones would wrap around."""
    number = int(text)
    if not 0 <= number < 2**16:
        raise argparse.ArgumentTypeError(f"must be 0 to 65535, got {number}")
    return number


def parser(description: str) -> argparse.ArgumentParser:
    """All flags, with defaults."""
    result = argparse.ArgumentParser(
        prog="python -m serving.server",
        description=description,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    _add_models(result.add_argument_group("models"))
    _add_grpc(result.add_argument_group("gRPC"))
    _add_rest(result.add_argument_group("REST"))
    _add_load(result.add_argument_group("load"))
    _add_computing(result.add_argument_group("computing"))
    return result


def _add_models(group: Any) -> None:
    add = group.add_argument
    add("--model_base_path", type=Path, help="folder of the version folders")
    add("--model_name", default="recommender", help="that requests ask for")
    add(
        "--model_config_file",
        type=Path,
        help="text proto of ModelServerConfig: several models, version "
        "policies, labels; instead of --model_base_path",
    )
    add(
        "--model_config_file_poll_wait_seconds",
        type=float,
        default=0.0,
        help="between looks for a changed config file; 0 never looks",
    )
    add(
        "--file_system_poll_wait_seconds",
        type=float,
        default=1.0,
        help="between looks for new versions; 0 never looks",
    )
    add(
        "--compact_when",
        type=int,
        default=0,
        metavar="N",
        help="items that came and went since the version was written, at "
        "which a version with them is written in the background; 0 never",
    )
    _add_switch(
        group,
        "--allow_version_labels_for_unavailable_models",
        "a label may point at a version that is not in service yet",
    )


def _add_grpc(group: Any) -> None:
    add = group.add_argument
    add("--port", type=port_number, default=8500, help="0 takes a free one")
    add("--host", default="0.0.0.0", help="address to listen on")
    add("--grpc_socket_path", default="", help="a UNIX socket beside the port")
    add(
        "--grpc_channel_arguments",
        default="",
        help="name=value,... of gRPC's channel",
    )
    add(
        "--ssl_config_file",
        type=Path,
        help="text proto of SSLConfig: TLS, with client_verify mutual TLS",
    )


def _add_rest(group: Any) -> None:
    add = group.add_argument
    add(
        "--rest_api_port",
        type=port_number,
        default=0,
        help="0 offers no REST API",
    )
    add(
        "--rest_api_timeout_in_ms",
        type=int,
        default=30_000,
        help="of a request",
    )
    _add_switch(
        group,
        "--rest_api_enable_cors_support",
        "let browsers ask from pages of other origins",
    )
    _add_switch(
        group,
        "--rest_api_ssl",
        "HTTPS with --ssl_config_file; without, REST is in the clear, as "
        "tensorflow_model_server's always is",
    )
    add(
        "--monitoring_config_file",
        type=Path,
        help="text proto of MonitoringConfig: Prometheus metrics on the REST "
        "port",
    )


def _add_load(group: Any) -> None:
    add = group.add_argument
    add(
        "--grpc_max_threads",
        type=_positive,
        default=_CPUS + 1,
        help="predictions computed at the same time, REST's among them",
    )
    add(
        "--max_waiting_requests",
        type=int,
        default=64,
        help="predictions that wait for their turn; more are refused",
    )
    add(
        "--max_request_rows",
        type=_positive,
        default=1024,
        help="batch size of one request",
    )
    add(
        "--drain_seconds",
        type=float,
        default=30.0,
        help="that running requests get after SIGTERM",
    )
    _add_switch(
        group,
        "--log_requests",
        "write ids and texts of all requests into the log",
    )


def _add_computing(group: Any) -> None:
    add = group.add_argument
    _add_switch(
        group, "--enable_batching", "merge requests that come together"
    )
    add(
        "--batching_parameters_file",
        type=Path,
        help="text proto of BatchingParameters",
    )
    add(
        "--tensorflow_intra_op_parallelism",
        type=int,
        default=0,
        help="threads of one operation; 0 leaves it to TensorFlow",
    )
    add(
        "--tensorflow_inter_op_parallelism",
        type=int,
        default=1,
        help="operations at the same time; one after the other is faster for "
        "graphs of small ones. 0 leaves it to TensorFlow",
    )


def channel_arguments(text: str) -> list[tuple[str, int | str]]:
    """gRPC's options of "name=value,..."; whole numbers are numbers.

    Raises:
        ConfigError: for a part without "=".
    """
    result: list[tuple[str, int | str]] = []
    for part in filter(None, text.split(",")):
        name, equals, value = part.partition("=")
        if not equals:
            raise ConfigError(
                f"--grpc_channel_arguments is name=value,..., got {part!r}."
            )
        is_number = value.lstrip("-").isdecimal()
        result.append((name, int(value) if is_number else value))
    return result


def _add_switch(group: Any, name: str, meaning: str) -> None:
    """A flag that is given alone, or as tensorflow_model_server's `=true`."""
    group.add_argument(
        name,
        nargs="?",
        type=_truth,
        const=True,
        default=False,
        metavar="true|false",
        help=meaning,
    )


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise argparse.ArgumentTypeError(f"must be true or false, got {text}")
    return text.lower() in ("true", "1")


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {value}")
    return value
