"""The compiled pipeline: what it says, and what a cluster could not run.

After a change of the graph that is meant, renew the golden file with
    INTEREST_TOWERS_RENEW=1 .venv/bin/python -m pytest \\
        tests/pipeline/test_kubeflow_runner.py
and read its diff before you commit it.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.config import PipelineConfig
from pipeline.kubeflow_runner import compile_job, main, write_job
from trainer.config import RunConfig

GOLDEN = Path(__file__).parent / "golden" / "pipeline.yaml"
IMAGE = "registry.example/interest-towers:1"
CONFIG = PipelineConfig(
    run=RunConfig(),
    sources={"events": "events.csv", "items": "items.csv"},
    data_dir="gs://bucket/logs",
    pipeline_root="gs://bucket/runs",
    serving_dir="gs://bucket/serving",
    beam_args=("--runner=DataflowRunner",),
)


@pytest.fixture(scope="module")
def job() -> dict[str, Any]:
    return compile_job(CONFIG, image=IMAGE)


@pytest.fixture(scope="module")
def kfp_spec() -> dict[str, Any]:
    return compile_job(CONFIG, image=IMAGE, target="kfp")["pipelineSpec"]


def tasks(spec: dict[str, Any]) -> dict[str, Any]:
    return spec["root"]["dag"]["tasks"]


def containers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    executors = spec["deploymentSpec"]["executors"].values()
    return [each["container"] for each in executors if "container" in each]


def normalised(spec: dict[str, Any]) -> str:
    """The specification without what changes when the graph does not."""
    text = json.dumps({**spec, "sdkVersion": "VERSION"})
    text = text.replace(IMAGE, "IMAGE")
    # A property of its own, or one within JSON within JSON.
    text = re.sub(
        r'(code_fingerprint[\\"]*: (?:{"runtimeValue": {"constant": )?[\\"]*)'
        r"[0-9a-f]{16}",
        r"\1FINGERPRINT",
        text,
    )
    found = json.loads(text)
    for task in tasks(found).values():
        task.get("dependentTasks", []).sort()
    return yaml.safe_dump(found, sort_keys=True)


def test_the_graph_is_the_golden_one(job):
    found = normalised(job["pipelineSpec"])
    if os.environ.get("INTEREST_TOWERS_RENEW"):
        GOLDEN.write_text(found, encoding="utf-8")
    assert found == GOLDEN.read_text(encoding="utf-8"), (
        "the compiled graph has changed; if it was meant to, renew the "
        "golden file as this module says"
    )


def test_the_golden_file_has_no_fingerprint_and_no_place_of_one_machine():
    golden = GOLDEN.read_text(encoding="utf-8")
    assert not re.search(r"\b[0-9a-f]{16}\b", golden)
    assert golden.count("FINGERPRINT") >= 8
    assert str(Path(__file__).parents[2]) not in golden
    assert sys.prefix not in golden


def test_every_container_has_the_image_and_the_beam_options(job):
    found = containers(job["pipelineSpec"])
    assert len(found) >= 15
    assert {each["image"] for each in found} == {IMAGE}
    for each in found:
        assert "--runner=DataflowRunner" in each["args"]


def test_every_executor_can_be_imported(job):
    paths = [
        each["args"][each["args"].index("--executor_class_path") + 1]
        for each in containers(job["pipelineSpec"])
        if "--executor_class_path" in each["args"]
    ]
    assert len(paths) >= 15
    for path in paths:
        module, _, name = path.rpartition(".")
        assert hasattr(importlib.import_module(module), name), path


def test_our_artifact_types_can_be_imported_by_their_titles(job):
    titles = set(re.findall(r"title: (pipeline\.\w+)", json.dumps(job)))
    assert titles == {
        "pipeline.DataReview", "pipeline.TableReview",
        "pipeline.RetrievalEvaluation",
    }
    for title in titles:
        module, _, name = title.rpartition(".")
        found = getattr(importlib.import_module(module), name)
        assert title == found.TYPE_NAME


def test_schemas_are_read_in_the_image(job):
    files = set(re.findall(r'"([^"]*\.pbtxt)"', json.dumps(job)))
    root = Path(__file__).parents[2]
    assert files
    for file in files:
        folder, _, name = file.rpartition("/")
        assert folder == "/opt/venv/lib/python3.10/site-packages/schema"
        assert (root / "schema" / name).exists()


@pytest.mark.parametrize("target", ["vertex", "kfp"])
def test_every_input_has_a_task_that_makes_it(target, job, kfp_spec):
    spec = job["pipelineSpec"] if target == "vertex" else kfp_spec
    for task in tasks(spec).values():
        component = spec["components"][task["componentRef"]["name"]]
        assert component["executorLabel"] in spec["deploymentSpec"]["executors"]
        artifacts = task.get("inputs", {}).get("artifacts", {})
        declared = component.get("inputDefinitions", {}).get("artifacts", {})
        assert artifacts.keys() == declared.keys()
        for source in artifacts.values():
            made = source["taskOutputArtifact"]
            producer = tasks(spec)[made["producerTask"]]
            outputs = spec["components"][producer["componentRef"]["name"]]
            assert made["outputArtifactKey"] in (
                outputs["outputDefinitions"]["artifacts"]
            )
        for name in task.get("dependentTasks", []):
            assert name in tasks(spec)
    assert spec["components"].keys() == tasks(spec).keys()


def test_no_table_is_compared_with_the_latest_of_any_table(job):
    assert not [n for n in tasks(job["pipelineSpec"]) if "previous" in n]


def test_the_last_blessed_model_is_looked_for_on_vertex_alone(job, kfp_spec):
    def resolvers(spec: dict[str, Any]) -> list[str]:
        executors = spec["deploymentSpec"]["executors"]
        return [name for name, e in executors.items() if "resolver" in e]

    # For warm start and for comparison: the blessing, then its model.
    assert len(resolvers(job["pipelineSpec"])) == 4
    assert resolvers(kfp_spec) == []
    for node, key in (
        ("trainer", "base_model"), ("retrieval_evaluator", "baseline_model")
    ):
        on_vertex = tasks(job["pipelineSpec"])[node]["inputs"]["artifacts"]
        assert key in on_vertex
        assert key not in tasks(kfp_spec)[node]["inputs"]["artifacts"]


@pytest.mark.parametrize("target", ["vertex", "kfp"])
def test_kfp_reads_the_file(target, job, kfp_spec, tmp_path):
    from kfp import components

    file = tmp_path / "pipeline.yaml"
    spec = job["pipelineSpec"] if target == "vertex" else kfp_spec
    write_job({"pipelineSpec": spec}, file)
    assert components.load_component_from_file(str(file)).name == (
        "interest-towers"
    )


def test_vertex_reads_the_file(job, tmp_path):
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import aiplatform

    file = tmp_path / "pipeline.yaml"
    write_job(job, file)
    read = aiplatform.PipelineJob(
        display_name="interest-towers", template_path=str(file),
        pipeline_root="gs://bucket/runs", project="project",
        location="europe-west4", credentials=AnonymousCredentials(),
    )
    assert set(read.to_dict()["pipelineSpec"]) == set(job["pipelineSpec"])


@pytest.mark.parametrize(
    ("field", "flag"),
    [("pipeline_root", "--pipeline-root"), ("data_dir", "--data-dir"),
     ("serving_dir", "--serving-dir")],
)
def test_a_folder_of_this_machine_is_refused(field, flag):
    config = dataclasses.replace(CONFIG, **{field: "/tmp/here"})
    with pytest.raises(ValueError, match=f"{flag} is '/tmp/here', a folder"):
        compile_job(config, image=IMAGE)


def test_spans_are_refused_with_a_remedy():
    sources = {**CONFIG.sources, "events": "events/{SPAN}/*.csv"}
    config = dataclasses.replace(CONFIG, sources=sources)
    with pytest.raises(ValueError, match="give --events a pattern of all"):
        compile_job(config, image=IMAGE)


def test_a_file_of_another_kind_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"in \.yaml, \.yml, \.json"):
        write_job({}, tmp_path / "pipeline.txt")


def test_the_command_says_what_is_wrong_in_one_line(tmp_path, capsys):
    given = ["--output", str(tmp_path / "p.yaml"), "--image", IMAGE,
             "--data-dir", "gs://b/logs", "--pipeline-root", str(tmp_path)]
    assert main(given) == 1
    assert capsys.readouterr().err.startswith("error: --pipeline-root is ")


def test_help_answers_before_tfx_is_loaded(tmp_path):
    code = (
        "import sys\nfrom pipeline import kubeflow_runner\n"
        "try: kubeflow_runner.main(['--help'])\n"
        "except SystemExit: print('loaded:', *sys.modules)"
    )
    folder = Path(sys.modules["pipeline"].__file__).parents[1]
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True,
        capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(folder)},
    ).stdout
    said, _, loaded = found.partition("loaded:")
    assert "--image NAME" in said
    assert "--beam-arg ARG" in said
    assert not {"tensorflow", "tfx", "apache_beam", "kfp"} & set(loaded.split())
