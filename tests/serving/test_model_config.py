"""Text protos of models, and what they mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from serving import model_config
from serving.errors import ConfigError
from serving.model_config import ModelConfig, VersionPolicy

ENTRY = 'name: "shop" base_path: "/models/shop" model_platform: "tensorflow"'


def write(tmp_path, text):
    path = tmp_path / "models.config"
    path.write_text(text)
    return path


def listed(*entries):
    inner = " ".join(f"config {{ {entry} }}" for entry in entries)
    return f"model_config_list {{ {inner} }}"


@pytest.mark.parametrize(
    "more, policy",
    [
        ("", VersionPolicy(latest=1)),
        ("model_version_policy { latest { } }", VersionPolicy(latest=1)),
        (
            "model_version_policy { latest { num_versions: 3 } }",
            VersionPolicy(latest=3),
        ),
        ("model_version_policy { all { } }", VersionPolicy(latest=0)),
        (
            "model_version_policy { specific { versions: 4 versions: 2 } }",
            VersionPolicy(specific=(4, 2)),
        ),
    ],
)
def test_policies_are_read(tmp_path, more, policy):
    (config,) = model_config.read(write(tmp_path, listed(f"{ENTRY} {more}")))
    assert config == ModelConfig("shop", Path("/models/shop"), policy)


def test_labels_are_read(tmp_path):
    more = (
        'version_labels { key: "stable" value: 1 } '
        'version_labels { key: "canary" value: 2 }'
    )
    (config,) = model_config.read(write(tmp_path, listed(f"{ENTRY} {more}")))
    assert config.labels == {"stable": 1, "canary": 2}


@pytest.mark.parametrize(
    "policy, wanted",
    [
        (VersionPolicy(latest=1), [9, 5, 2]),
        (VersionPolicy(specific=(2, 9, 7)), [9, 2]),
    ],
)
def test_candidates_come_from_the_highest_on(policy, wanted):
    assert policy.candidates([2, 5, 9]) == wanted


def test_a_policy_knows_when_it_has_enough():
    assert VersionPolicy(latest=2).is_enough(2)
    assert not VersionPolicy(latest=2).is_enough(1)
    assert not VersionPolicy(latest=0).is_enough(1000)
    assert not VersionPolicy(specific=(1, 2)).is_enough(1)


@pytest.mark.parametrize(
    "text, message",
    [
        ("model_config_list { config { nmae: 'x' } }", "line 1 is no text pr"),
        ("custom_model_config { }", "Only ModelConfigList"),
        ("", "Only ModelConfigList"),
        (listed(ENTRY, ENTRY), "list model shop multiple times"),
        (listed('name: "a" base_path: "/m"'), "unsupported platform ''"),
        (
            listed(ENTRY.replace("/models", "models")),
            "to have an absolute path; got base_path",
        ),
        (listed(ENTRY.replace("shop", "a/b", 1)), "has no '/'"),
        (listed(ENTRY.replace("shop", "", 1)), "not empty"),
        (
            listed(f"{ENTRY} model_version_policy {{ specific {{ }} }}"),
            "names no version",
        ),
    ],
)
def test_a_bad_file_is_refused_with_its_reason(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(ConfigError, match=message) as caught:
        model_config.read(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="no-such-file"):
        model_config.read(tmp_path / "no-such-file")
