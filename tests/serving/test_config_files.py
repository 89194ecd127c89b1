"""Text protos that TensorFlow Serving's Python package lacks."""

from __future__ import annotations

import pytest

from serving import config_files
from serving.errors import ConfigError


def test_wrapped_numbers_are_read(tmp_path):
    path = tmp_path / "batching"
    path.write_text(
        "max_batch_size { value: 128 }\n"
        "batch_timeout_micros { value: 0 }\n"
        "thread_pool_name { value: 'batch' }  # a comment\n"
        "allowed_batch_sizes: 64 allowed_batch_sizes: 128\n"
        "pad_variable_length_inputs: true\n"
    )
    read = config_files.read(path, "BatchingParameters")
    assert read.max_batch_size.value == 128
    assert read.HasField("batch_timeout_micros")
    assert not read.HasField("num_batch_threads")
    assert list(read.allowed_batch_sizes) == [64, 128]
    assert read.pad_variable_length_inputs


def test_monitoring_is_read(tmp_path):
    path = tmp_path / "monitoring"
    path.write_text('prometheus_config { enable: true, path: "/metrics" }')
    read = config_files.read(path, "MonitoringConfig").prometheus_config
    assert (read.enable, read.path) == (True, "/metrics")


def test_a_mistake_is_told_without_what_the_file_holds(tmp_path):
    path = tmp_path / "ssl"
    path.write_text('server_key: "secret"\nserver_krt: "secret-too"\n')
    with pytest.raises(ConfigError, match="line 2 is no text .*SSLC") as caught:
        config_files.read(path, "SSLConfig")
    assert "server_cert" in str(caught.value)  # what there is


def test_a_key_that_is_not_quoted_is_not_shown(tmp_path):
    path = tmp_path / "ssl"
    path.write_text("server_key: secret\n")
    with pytest.raises(ConfigError) as caught:
        config_files.read(path, "SSLConfig")
    shown = [str(caught.value), str(caught.value.__cause__)]
    assert not any("secret" in text for text in shown)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match="Cannot read .*nothing"):
        config_files.read(tmp_path / "nothing", "SSLConfig")
