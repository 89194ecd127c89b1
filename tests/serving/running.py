"""A whole server in this process, and how REST is asked."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from serving import metrics
from serving.gate import Gate
from serving.grpc_server import GrpcOptions, GrpcServer
from serving.model_config import ModelConfig
from serving.models import Models
from serving.rest import RestServer
from serving.rest_handler import RestOptions
from serving.service import Service

HOST = "127.0.0.1"
TIMEOUT = 30


class FakeModels:
    """One model whose `predict(signature, inputs, outputs)` is given."""

    hosts: list[Any] = []

    def __init__(
        self,
        predict: Callable[..., Any],
        specs: Mapping[str, Any] | None = None,
        names: Sequence[str] = ("recommender",),
    ) -> None:
        self.names = list(names)
        self._model = SimpleNamespace(
            version=1, predict=predict, input_specs=lambda _: specs or {}
        )

    def find(self, spec: Any) -> Any:
        return self._model

    def statuses(self, spec: Any) -> list[Any]:
        return []

    def follow(self, follower: Callable[[], None]) -> None:
        self.changed = follower


class Running:
    """Both doors of a service, on free ports."""

    def __init__(
        self,
        models: Any,
        *,
        gate: Gate | None = None,
        rest: RestOptions | None = None,
        credentials: Any = None,
        **options: Any,
    ) -> None:
        self.service = Service(models, gate or Gate(4, 16), **options)
        self._grpc = GrpcServer(
            self.service,
            f"{HOST}:0",
            GrpcOptions(self.service.gate.capacity, credentials),
        )
        rest = rest or RestOptions(metrics_path=metrics.PATH)
        self._rest = RestServer(self.service, f"{HOST}:0", rest)
        self.target = f"{HOST}:{self._grpc.port}"
        self.rest_target = f"{HOST}:{self._rest.port}"
        self._grpc.start()
        self._rest.start()

    def stop(self, drain_seconds: float = 0) -> None:
        self._grpc.stop(drain_seconds)
        self._rest.stop(drain_seconds)

    def get(self, path: str) -> tuple[int, Any]:
        return self._ask(path, None)

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        """Status and parsed answer; a body that is no bytes goes as JSON."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        return self._ask(path, body)

    def predict(self, body: Any, model: str = "recommender") -> Any:
        return self.post(f"/v1/models/{model}:predict", body)

    def _ask(self, path: str, body: bytes | None) -> tuple[int, Any]:
        request = urllib.request.Request(
            f"http://{self.rest_target}{path}", data=body
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                status, content = answer.status, answer.read()
                kind = answer.headers["Content-Type"]
        except urllib.error.HTTPError as error:
            status, content = error.code, error.read()
            kind = error.headers["Content-Type"]
        is_json = kind.startswith("application/json")
        return status, json.loads(content) if is_json else content.decode()


def models_of(*folders: Path, **options: Any) -> Models:
    """Models that are called as their folders are."""
    return Models([ModelConfig(f.name, f) for f in folders], **options)


def similar(item_ids: Sequence[str] = ("i3",), k: int = 2) -> dict[str, Any]:
    """A small request by column."""
    return {
        "signature_name": "similar_items",
        "inputs": {"item_ids": list(item_ids), "k": [k] * len(item_ids)},
    }
