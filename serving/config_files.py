"""Text protos of `tensorflow_model_server`'s flags, checked as they are read.

The Python package of TensorFlow Serving lacks the messages of batching, TLS
and monitoring; they are declared here with the field numbers of its public
protos. Strings of an SSLConfig are the PEM blocks themselves, as there.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pool, text_format

from serving import wire
from serving.errors import ConfigError

_PACKAGE = "interest_towers.config"
_MESSAGES: wire.Messages = {
    "Int64": (("value", 1, "int64"),),
    "Text": (("value", 1, "string"),),
    "BatchingParameters": (
        ("max_batch_size", 1, "Int64"),
        ("batch_timeout_micros", 2, "Int64"),
        ("max_enqueued_batches", 3, "Int64"),
        ("num_batch_threads", 4, "Int64"),
        ("thread_pool_name", 5, "Text"),
        ("allowed_batch_sizes", 6, "*int64"),
        ("pad_variable_length_inputs", 7, "bool"),
    ),
    "SSLConfig": (
        ("server_key", 1, "string"),
        ("server_cert", 2, "string"),
        ("custom_ca", 3, "string"),
        ("client_verify", 4, "bool"),
    ),
    "PrometheusConfig": (("enable", 1, "bool"), ("path", 2, "string")),
    "MonitoringConfig": (("prometheus_config", 1, "PrometheusConfig"),),
}


def read(path: Path, name: str) -> Any:
    """A message of a text proto file.

    Args:
        path: of the file.
        name: "BatchingParameters", "SSLConfig" or "MonitoringConfig".

    Raises:
        ConfigError: if the file cannot be read or is none of these.
    """
    cls = wire.message_class(_pool(), f"{_PACKAGE}.{name}")
    return parse_file(path, cls())


def parse_file(path: Path, message: Any) -> Any:
    """Fills a message from a text proto file.

    Raises:
        ConfigError: naming file, line and what is wrong there; never what the
            file holds, which may be a private key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"Cannot read {path}: {error}") from error
    try:
        return text_format.Parse(text, message)
    except text_format.ParseError as error:
        line = f", line {error.GetLine()}" if error.GetLine() else ""
        raise ConfigError(
            f"{path}{line} is no text proto of "
            f"{message.DESCRIPTOR.name}: it has "
            f"{', '.join(field.name for field in message.DESCRIPTOR.fields)}."
        ) from None


@functools.cache
def _pool() -> descriptor_pool.DescriptorPool:
    return wire.pool_of(_PACKAGE, _MESSAGES)
