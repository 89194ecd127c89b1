"""The server's command line."""

from __future__ import annotations

import pytest

from serving import flags
from serving.errors import ConfigError

# Of tensorflow_model_server, as its own `--help` names them.
KNOWN = {
    "--port=8500": ("port", 8500),
    "--grpc_socket_path=/run/a": ("grpc_socket_path", "/run/a"),
    "--rest_api_port=8501": ("rest_api_port", 8501),
    "--rest_api_timeout_in_ms=500": ("rest_api_timeout_in_ms", 500),
    "--rest_api_enable_cors_support": ("rest_api_enable_cors_support", True),
    "--enable_batching=true": ("enable_batching", True),
    "--enable_batching=false": ("enable_batching", False),
    "--allow_version_labels_for_unavailable_models": (
        "allow_version_labels_for_unavailable_models",
        True,
    ),
    "--model_name=shop": ("model_name", "shop"),
    "--model_config_file_poll_wait_seconds=60": (
        "model_config_file_poll_wait_seconds",
        60,
    ),
    "--file_system_poll_wait_seconds=5": ("file_system_poll_wait_seconds", 5),
    "--tensorflow_intra_op_parallelism=2": (
        "tensorflow_intra_op_parallelism",
        2,
    ),
    "--grpc_max_threads=3": ("grpc_max_threads", 3),
}


@pytest.mark.parametrize("flag", KNOWN)
def test_tensorflow_model_server_s_flags_are_taken(flag):
    name, value = KNOWN[flag]
    assert getattr(flags.parser("x").parse_args([flag]), name) == value


@pytest.mark.parametrize("flag", ["--port", "--rest_api_port"])
@pytest.mark.parametrize("port", ["65536", "-1"])
def test_a_number_that_is_no_port_is_refused(flag, port, capsys):
    with pytest.raises(SystemExit):
        flags.parser("x").parse_args([f"{flag}={port}"])
    assert f"{flag}: must be 0 to 65535, got {port}" in capsys.readouterr().err


def test_a_switch_is_off_unless_given():
    asked = flags.parser("x").parse_args([])
    assert not (asked.enable_batching or asked.log_requests)


@pytest.mark.parametrize(
    "flag", ["--enable_batching=perhaps", "--grpc_max_threads=0", "--prot=1"]
)
def test_a_wrong_flag_is_refused(flag, capsys):
    with pytest.raises(SystemExit, match="2"):
        flags.parser("x").parse_args([flag])


def test_channel_arguments_are_names_and_values():
    text = "grpc.max_connection_age_ms=2000,grpc.x=a,grpc.y=-1"
    assert flags.channel_arguments(text) == [
        ("grpc.max_connection_age_ms", 2000), ("grpc.x", "a"), ("grpc.y", -1)
    ]
    assert flags.channel_arguments("") == []
    with pytest.raises(ConfigError, match="got 'grpc.x'"):
        flags.channel_arguments("grpc.x")
