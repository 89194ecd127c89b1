"""The dependency arrow, what must stay light, and what is packaged."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import trainer

ROOT = Path(__file__).parents[1]
# schema <- serving <- trainer <- pipeline
MAY_IMPORT = {
    "schema": {"schema"},
    "serving": {"schema", "serving"},
    "trainer": {"schema", "serving", "trainer"},
    "pipeline": {"schema", "serving", "trainer", "pipeline"},
}
ONLY_IN_PIPELINE = {
    "tfx",
    "tfx_bsl",
    "apache_beam",
    "tensorflow_transform",
    "tensorflow_data_validation",
    "tensorflow_model_analysis",
    "ml_metadata",
    "kfp",
    "keras_tuner",
}
HEAVY = ("tensorflow", "transformers", "tf_keras", "scann", "torch")


class _WithoutTyping(ast.NodeTransformer):
    def visit_If(self, node: ast.If) -> ast.AST | None:
        test = node.test
        is_typing = isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"
        return None if is_typing else self.generic_visit(node)


def imports(file: Path) -> set[str]:
    """The top-level packages that a file imports, anywhere in it.

    What stands under TYPE_CHECKING is read by mypy and never imported.
    """
    found = set()
    tree = _WithoutTyping().visit(
        ast.parse(file.read_text(encoding="utf-8"))
    )
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            found.add(file.relative_to(ROOT).parts[0])
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def run(code: str, tmp_path: Path) -> str:
    """Runs code beside the tested package, in an empty folder."""
    env = {**os.environ, "PYTHONPATH": str(Path(trainer.__file__).parents[1])}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=env,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_imports_are_found_wherever_they_stand(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("import os.path\ndef f():\n  from tfx.v1 import x\n")
    assert imports(file) == {"os", "tfx"}
    file.write_text("if TYPE_CHECKING:\n  import tfx\nif x:\n  import kfp\n")
    assert imports(file) == {"kfp"}


@pytest.mark.parametrize("package", ["schema", "serving", "trainer"])
def test_dependencies_point_one_way(package: str) -> None:
    files = sources(package)
    assert files
    against = {
        f"{file.relative_to(ROOT)} imports {name}"
        for file in files
        for name in imports(file) & MAY_IMPORT.keys() - MAY_IMPORT[package]
    }
    assert not against


@pytest.mark.parametrize("package", ["schema", "serving", "trainer"])
def test_only_the_pipeline_imports_tfx_and_beam(package: str) -> None:
    against = {
        f"{file.relative_to(ROOT)} imports {name}"
        for file in sources(package)
        for name in imports(file) & ONLY_IN_PIPELINE
    }
    assert not against


def graphs(file: Path) -> tuple[int, int]:
    """How often a file says `tf.function`, and how often without AutoGraph."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    said = [node for node in nodes if isinstance(node, ast.Attribute)]
    return (
        [ast.unparse(node) for node in said].count("tf.function"),
        sum(
            ast.unparse(call.func) == "tf.function"
            and "autograph=False" in map(ast.unparse, call.keywords)
            for call in calls
        ),
    )


def test_graphs_are_found_however_they_are_made(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text(
        "@tf.function\ndef f(): ...\n"
        "@tf.function(autograph=False)\ndef g(): ...\n"
        "h = tf.function(f, autograph=True)\n"
    )
    assert graphs(file) == (3, 1)


def test_no_graph_is_made_with_autograph() -> None:
    """Control flow is written in TensorFlow here.

    AutoGraph would rewrite the sources of Keras and of BERT below it too,
    which takes most of the time of a small training.
    """
    found = {
        str(file.relative_to(ROOT)): graphs(file)
        for package in MAY_IMPORT
        for file in sources(package)
    }
    assert sum(said for said, _ in found.values()) > 5
    assert [name for name, (said, off) in found.items() if said != off] == []


def test_the_version_is_written_once() -> None:
    written = re.findall(
        r'version="([^"]+)"', (ROOT / "setup.py").read_text(encoding="utf-8")
    )
    assert len(written) == 1
    places = [
        file.name
        for file in [
            ROOT / "setup.py",
            ROOT / "pyproject.toml",
            *(file for package in MAY_IMPORT for file in sources(package)),
        ]
        if f'"{written[0]}"' in file.read_text(encoding="utf-8")
    ]
    assert places == ["setup.py"]
    try:
        installed = importlib.metadata.version("interest-towers")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("interest-towers is not installed; run `make tests`")
    assert installed == written[0]


def test_the_tested_package_is_complete_and_up_to_date() -> None:
    tested = Path(trainer.__file__).parents[1]
    kept = [
        file.relative_to(ROOT)
        for package in ("schema", "serving", "trainer")
        for pattern in ("*.py", "*.pbtxt")
        for file in (ROOT / package).rglob(pattern)
    ]
    assert len(kept) > 10
    other = [
        str(file)
        for file in kept
        if not (tested / file).exists()
        or (tested / file).read_bytes() != (ROOT / file).read_bytes()
    ]
    assert not other, "run `make install`"


@pytest.mark.parametrize(
    "module",
    [
        "schema.features",
        "serving.client",
        "trainer.behaviour",
        "trainer.config",
        "trainer.doctor",
        "trainer.pretrain",
        "trainer.sample",
        "trainer.settings",
        "trainer.tables",
        "trainer.task",
        "trainer.text_quality.run",
    ],
)
def test_a_light_module_imports_no_tensorflow(
    module: str, tmp_path: Path
) -> None:
    code = f"import {module}, sys; print(*sys.modules)"
    assert not set(HEAVY) & set(run(code, tmp_path).split())


@pytest.mark.parametrize(
    "module",
    [
        "trainer.pretrain",
        "trainer.task",
        "trainer.text_quality",
        "trainer.sample",
        "serving.server",
    ],
)
def test_help_answers_before_tensorflow_is_loaded(
    module: str, tmp_path: Path
) -> None:
    code = (
        "import atexit, runpy, sys\n"
        "atexit.register(lambda: print('loaded:', *sys.modules))\n"
        "sys.argv[1:] = ['--help']\n"
        f"runpy.run_module({module!r}, run_name='__main__')\n"
    )
    text, _, loaded = run(code, tmp_path).partition("loaded:")
    assert "usage:" in text
    assert not set(HEAVY) & set(loaded.split())
