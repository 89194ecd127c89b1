"""Puts a server together from its flags: models, gate, doors, pollers."""

from __future__ import annotations

import argparse
import logging
import threading
from pathlib import Path
from typing import Any

from serving import config_files, flags, metrics, model_config, tls
from serving.batching import Batcher, Batching
from serving.errors import ConfigError
from serving.gate import Gate
from serving.grpc_server import GrpcOptions, GrpcServer
from serving.model_config import ModelConfig
from serving.models import Models, Poller
from serving.rest import RestServer
from serving.rest_handler import RestOptions
from serving.service import Compute, Service, alone

# Between looks at how many items came and went since the last compaction.
_COMPACTION_POLL_S = 1.0
_LOG = logging.getLogger(__name__)


class ModelServer:
    """A server that runs from `with` to its end, where it drains.

    Args:
        asked: of `flags.parser`.

    Raises:
        BundleError: if a model has no version that can be served.
        ConfigError: if flags or their files are wrong.
        OSError: if a port is taken.
    """

    def __init__(self, asked: argparse.Namespace) -> None:
        _check(asked)
        self._asked = asked
        secrets = None
        if asked.ssl_config_file:
            secrets = tls.read(asked.ssl_config_file)
        self._batching = _batching(asked)
        _set_parallelism(asked)
        self._models = Models(
            _configs(asked),
            labels_may_wait=asked.allow_version_labels_for_unavailable_models,
        )
        service = self._service()
        self._doors: list[GrpcServer | RestServer] = [
            self._grpc_door(service, secrets)
        ]
        if asked.rest_api_port:
            self._doors.append(self._rest_door(service, secrets))
        self._pollers: list[Poller] = []

    def __enter__(self) -> ModelServer:
        asked = self._asked
        self._poll(asked.file_system_poll_wait_seconds, self._models.refresh)
        self._poll(
            asked.model_config_file_poll_wait_seconds,
            ConfigWatch(asked.model_config_file, self._models).look,
        )
        if asked.compact_when:
            from serving.live.compaction import CompactionWatch

            watch = CompactionWatch(self._models, asked.compact_when)
            self._poll(_COMPACTION_POLL_S, watch.look)
        for door in self._doors:
            door.start()
        return self

    def __exit__(self, *_: object) -> None:
        for poller in self._pollers:
            poller.stop()
        # At the same time: each takes as long as its slowest request.
        seconds = self._asked.drain_seconds
        drains = [
            threading.Thread(target=door.stop, args=(seconds,))
            for door in self._doors
        ]
        for drain in drains:
            drain.start()
        for drain in drains:
            drain.join()

    def __str__(self) -> str:
        """What is served and where, e.g. "shop version 3 on 0.0.0.0:8500"."""
        models = ", ".join(
            f"{host.name} version "
            f"{' and '.join(map(str, host.served_versions))}"
            for host in self._models.hosts
        )
        return f"{models} on {self._asked.host}:{self._doors[0].port}"

    @property
    def rest_address(self) -> str:
        """`host:port` of REST, "" without."""
        if len(self._doors) == 1:
            return ""
        return f"{self._asked.host}:{self._doors[1].port}"

    def _poll(self, seconds: float, action: Any) -> None:
        if seconds > 0:
            self._pollers.append(Poller(seconds, action))

    def _service(self) -> Service:
        asked, batching = self._asked, self._batching
        running: int = asked.grpc_max_threads
        compute: Compute = alone
        if batching:
            # Requests that wait for their batch hold a turn.
            running = max(running, 2 * batching.max_batch_size)
            compute = Batcher(batching).predict
        return Service(
            self._models,
            Gate(running, asked.max_waiting_requests),
            compute=compute,
            max_rows=asked.max_request_rows,
            log_requests=asked.log_requests,
        )

    def _grpc_door(self, service: Service, secrets: Any) -> GrpcServer:
        asked = self._asked
        arguments = flags.channel_arguments(asked.grpc_channel_arguments)
        options = GrpcOptions(
            threads=service.gate.capacity,
            credentials=tls.server_credentials(secrets) if secrets else None,
            socket_path=asked.grpc_socket_path,
            channel_arguments=tuple(arguments),
        )
        return GrpcServer(service, f"{asked.host}:{asked.port}", options)

    def _rest_door(self, service: Service, secrets: Any) -> RestServer:
        asked = self._asked
        options = RestOptions(
            timeout_s=asked.rest_api_timeout_in_ms / 1000,
            threads=service.gate.capacity,
            metrics_path=_metrics_path(asked.monitoring_config_file),
            has_cors=asked.rest_api_enable_cors_support,
            tls=tls.ssl_context(secrets) if asked.rest_api_ssl else None,
        )
        address = f"{asked.host}:{asked.rest_api_port}"
        return RestServer(service, address, options)


class ConfigWatch:
    """Serves what a config file says whenever it has changed.

    Args:
        path: of the file, as it is served now.
        models: that follow it.
    """

    def __init__(self, path: Path | None, models: Models) -> None:
        self._path, self._models = path, models
        self._seen = self._read()

    def look(self) -> None:
        """Reloads if the file has changed; a bad one is logged, once."""
        content = self._read()
        if self._path is None or content == self._seen:
            return
        self._seen = content
        try:
            self._models.reload(model_config.read(self._path))
        except ConfigError as error:
            _LOG.error("The models stay as they are: %s", error)

    def _read(self) -> bytes | None:
        try:
            return self._path.read_bytes() if self._path else None
        except OSError:  # while it is replaced; the next look will find it
            return self._seen


def _check(asked: argparse.Namespace) -> None:
    if bool(asked.model_base_path) == bool(asked.model_config_file):
        raise ConfigError(
            "Pass either --model_base_path JOB_DIR/export/recommender or "
            "--model_config_file FILE."
        )
    if asked.rest_api_port and asked.rest_api_port == asked.port:
        raise ConfigError(
            f"--rest_api_port and --port are both {asked.port}; gRPC and REST "
            "need a port each."
        )
    if asked.compact_when < 0:
        raise ConfigError(
            f"--compact_when must be 0 or more, got {asked.compact_when}."
        )
    for flag, needed in (
        ("rest_api_ssl", "ssl_config_file"),
        ("batching_parameters_file", "enable_batching"),
        ("monitoring_config_file", "rest_api_port"),
        ("model_config_file_poll_wait_seconds", "model_config_file"),
    ):
        if getattr(asked, flag) and not getattr(asked, needed):
            raise ConfigError(f"--{flag} has no effect without --{needed}.")


def _configs(asked: argparse.Namespace) -> list[ModelConfig]:
    if asked.model_config_file:
        return model_config.read(asked.model_config_file)
    path = asked.model_base_path.absolute()
    return [ModelConfig(asked.model_name, path)]


def _batching(asked: argparse.Namespace) -> Batching | None:
    if not asked.enable_batching:
        return None
    if not asked.batching_parameters_file:
        return Batching()
    return Batching.read(asked.batching_parameters_file)


def _metrics_path(monitoring: Path | None) -> str:
    if monitoring is None:
        return ""
    config = config_files.read(monitoring, "MonitoringConfig")
    if not config.prometheus_config.enable:
        return ""
    return config.prometheus_config.path or metrics.PATH


def _set_parallelism(asked: argparse.Namespace) -> None:
    import tensorflow as tf

    intra = asked.tensorflow_intra_op_parallelism
    inter = asked.tensorflow_inter_op_parallelism
    try:
        if intra:
            tf.config.threading.set_intra_op_parallelism_threads(intra)
        if inter:
            tf.config.threading.set_inter_op_parallelism_threads(inter)
    except RuntimeError as error:  # in a program that has used it before
        _LOG.warning("TensorFlow keeps the threads it has: %s", error)
