"""TLS and mutual TLS, from TensorFlow Serving's SSLConfig.

The file holds private keys: keep it readable by the server alone.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from pathlib import Path
from typing import Any

from serving import config_files
from serving.errors import ConfigError


def read(path: Path) -> Any:
    """An SSLConfig.

    Raises:
        ConfigError: if key, certificate or the authority that clients are
            checked against is missing or unusable.
    """
    config = config_files.read(path, "SSLConfig")
    wanted = ["server_key", "server_cert"]
    if config.client_verify:
        wanted.append("custom_ca")
    missing = [name for name in wanted if not getattr(config, name)]
    if missing:
        raise ConfigError(
            f"{path} lacks {', '.join(missing)}: each is the PEM text itself."
        )
    try:
        ssl_context(config)  # gRPC itself would only fail at the first call
    except ssl.SSLError as error:
        raise ConfigError(
            f"{path}: key, certificate and authority are no PEM texts that "
            f"belong together ({error.reason})."
        ) from None
    return config


def server_credentials(config: Any) -> Any:
    """gRPC's credentials of an SSLConfig."""
    import grpc

    return grpc.ssl_server_credentials(
        [(config.server_key.encode(), config.server_cert.encode())],
        root_certificates=config.custom_ca.encode() or None,
        require_client_auth=config.client_verify,
    )


def ssl_context(config: Any) -> ssl.SSLContext:
    """The same for HTTPS.

    Raises:
        ssl.SSLError: if a PEM text is unusable.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # The module reads keys from files only; this one is ours alone (0600).
    descriptor, name = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(config.server_key + "\n" + config.server_cert)
        context.load_cert_chain(name)
    finally:
        os.unlink(name)
    if config.custom_ca:
        context.load_verify_locations(cadata=config.custom_ca)
    if config.client_verify:
        context.verify_mode = ssl.CERT_REQUIRED
    return context
