"""Malformed and hostile requests against a server of its own process."""

from __future__ import annotations

import psutil
import pytest

from benchmarks.serving import grpc_attacks, hostile, rest_attacks
from serving.transport import MAX_MESSAGE_BYTES

COUNT = 300
MOST_GROWTH = 400 * 2**20  # bytes; one refused message alone may be 64 MB


@pytest.fixture(scope="module")
def targets(server_process):
    grpc_target = grpc_attacks.GrpcTarget(server_process.target, "i3")
    yield grpc_target, rest_attacks.RestTarget(server_process.rest_target, "i3")
    grpc_target.close()


def test_hundreds_of_hostile_requests_get_the_right_codes(
    server_process, targets
):
    assert hostile.is_sound(*targets)
    memory = psutil.Process(server_process.pid).memory_info
    before = memory().rss
    outcomes, wrong = hostile.attack(*targets, COUNT, seed=5)
    assert wrong == []
    attacks = len(grpc_attacks.ATTACKS) + len(rest_attacks.ATTACKS)
    assert len(outcomes) == attacks
    assert server_process.is_running and hostile.is_sound(*targets)
    assert memory().rss - before < MOST_GROWTH
    log = server_process.log.read_text()
    assert not any(word in log for word in ("etc/passwd", "Traceback", "☕"))


def test_a_message_above_the_limit_is_refused(server_process, targets):
    assert grpc_attacks.too_large(targets[0]) == "RESOURCE_EXHAUSTED"
    assert MAX_MESSAGE_BYTES == 64 * 2**20
    assert hostile.is_sound(*targets)


def test_a_check_that_finds_nothing_would_be_noticed(targets):
    """The attacks can fail: a sound request is not among the right codes."""
    grpc_target, rest_target = targets
    assert grpc_target.send(grpc_target.request().SerializeToString()) == "OK"
    assert rest_target.predict(rest_target.similar()) == "200"
    assert rest_target.predict({"inputs": 1}) == "400"
