"""Several models: labels, reloads, and what a request finds."""

from __future__ import annotations

import shutil
import threading

import pytest

from serving.checks import RequestError
from serving.errors import ConfigError, UnknownModelError
from serving.model_config import ModelConfig, VersionPolicy
from serving.models import Models, ModelSpec, Poller

BOTH = VersionPolicy(latest=2)


@pytest.fixture(scope="module")
def base(exact_dir, tmp_path_factory):
    """Versions 1 and 2 of one model."""
    folder = tmp_path_factory.mktemp("models") / "shop"
    folder.mkdir()
    for version in ("1", "2"):
        shutil.copytree(exact_dir, folder / version)
    return folder


@pytest.fixture(scope="module")
def models(base):
    labels = {"stable": 1, "canary": 2}
    return Models([ModelConfig("shop", base, BOTH, labels)])


def message(kind, call, *arguments):
    with pytest.raises(kind) as caught:
        call(*arguments)
    return str(caught.value)


@pytest.mark.parametrize(
    "spec, version",
    [
        (ModelSpec("shop"), 2),
        (ModelSpec("shop", 1), 1),
        (ModelSpec("shop", label="stable"), 1),
        (ModelSpec("shop", label="canary"), 2),
    ],
    ids=str,
)
def test_a_request_finds_its_version(models, spec, version):
    assert models.find(spec).version == version


@pytest.mark.parametrize(
    "spec, kind, wanted",
    [
        (ModelSpec(""), RequestError, "ModelSpec has no name specified."),
        (
            ModelSpec("x"),
            UnknownModelError,
            "Servable not found for request: Latest(x)",
        ),
        (
            ModelSpec("x", 3),
            UnknownModelError,
            "Servable not found for request: Specific(x, 3)",
        ),
        (
            ModelSpec("shop", 3),
            UnknownModelError,
            "Servable not found for request: Specific(shop, 3)",
        ),
        (
            ModelSpec("shop", label="best"),
            RequestError,
            "Unrecognized servable version label: best",
        ),
    ],
    ids=str,
)
def test_what_is_not_there_is_named_as_tensorflow_serving_does(
    models, spec, kind, wanted
):
    assert message(kind, models.find, spec) == wanted


def test_the_status_is_of_all_versions_or_of_one(models):
    def seen(spec):
        return [(s.version, s.state) for s in models.statuses(spec)]

    both = [(1, "AVAILABLE"), (2, "AVAILABLE")]
    assert seen(ModelSpec("shop")) == both
    assert seen(ModelSpec("shop", label="canary")) == both[1:]
    assert message(UnknownModelError, models.statuses, ModelSpec("x")) == (
        "Could not find any versions of model x"
    )
    assert message(
        UnknownModelError, models.statuses, ModelSpec("shop", 7)
    ) == ("Could not find version 7 of model shop")


def test_a_label_needs_a_version_in_service(base):
    config = ModelConfig("shop", base, labels={"canary": 1})  # latest is 2
    wanted = "Request to assign label to version 1 of model shop, which is not"
    assert wanted in message(ConfigError, Models, [config])
    waiting = Models([config], labels_may_wait=True)
    assert message(
        UnknownModelError, waiting.find, ModelSpec("shop", label="canary")
    ) == ("Servable not found for request: Specific(shop, 1)")


def test_a_reload_moves_labels_and_loads_nothing_again(base):
    models = Models([ModelConfig("shop", base, BOTH, {"stable": 1})])
    held = models.find(ModelSpec("shop", 2))
    models.reload([ModelConfig("shop", base, BOTH, {"stable": 2})])
    assert models.find(ModelSpec("shop", label="stable")) is held
    # Another policy needs another host; what is loaded goes over to it.
    models.reload([ModelConfig("shop", base)])
    assert models.find(ModelSpec("shop")) is held
    with pytest.raises(UnknownModelError):
        models.find(ModelSpec("shop", 1))


def test_a_reload_adds_and_removes_models(base, exact_dir):
    models = Models([ModelConfig("shop", base)])
    models.reload([ModelConfig("news", exact_dir.parent)])
    assert models.names == ["news"]
    assert models.find(ModelSpec("news")).version == 1
    with pytest.raises(UnknownModelError):
        models.find(ModelSpec("shop"))


def test_who_follows_is_told_of_a_reload_and_not_of_a_refused_one(base):
    models = Models([ModelConfig("shop", base)])
    told = []
    models.follow(lambda: told.append(models.names))
    models.reload([ModelConfig("new", base)])
    lost = ModelConfig("new", base, labels={"canary": 9})
    message(ConfigError, models.reload, [lost])
    assert told == [["new"]]


def test_a_poller_goes_on_after_an_error(caplog):
    calls, twice = [], threading.Event()

    def fail():
        calls.append(1)
        if len(calls) == 2:
            twice.set()
        raise KeyError("a share went away")

    poller = Poller(0.01, fail)
    assert twice.wait(20)
    poller.stop()
    assert "Looking for news failed" in caplog.text


def test_a_bad_reload_changes_nothing(base, tmp_path):
    models = Models([ModelConfig("shop", base)])
    held = models.find(ModelSpec("shop"))
    good = ModelConfig("shop", base, BOTH)
    empty = ModelConfig("empty", tmp_path)
    assert "no version to serve" in message(
        ConfigError, models.reload, [good, empty]
    )
    lost = ModelConfig("shop", base, BOTH, {"canary": 9})
    message(ConfigError, models.reload, [lost])
    assert models.names == ["shop"]
    assert models.find(ModelSpec("shop")) is held
    with pytest.raises(UnknownModelError):  # the policy is the old one too
        models.find(ModelSpec("shop", 1))
