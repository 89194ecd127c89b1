"""The files of serving/deploy: read by what will read them."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from serving import config_files, flags, metrics, model_config
from serving.batching import Batching
from serving.model_config import VersionPolicy

DEPLOY = Path(__file__).parents[2] / "serving" / "deploy"


def documents(name):
    text = (DEPLOY / name).read_text(encoding="utf-8")
    return {
        document["kind"]: document for document in yaml.safe_load_all(text)
    }


def pod():
    return documents("deployment.yaml")["Deployment"]["spec"]["template"]


def container():
    (only,) = pod()["spec"]["containers"]
    return only


@pytest.mark.parametrize(
    "name, models",
    [
        ("models.config", ["recommender"]),
        ("models_scann.config", ["recommender", "recommender_scann"]),
    ],
)
def test_models_are_those_that_a_job_writes(name, models):
    configs = model_config.read(DEPLOY / name)
    assert [config.name for config in configs] == models
    for config in configs:
        assert config.base_path == Path("/models") / config.name
        assert config.policy == VersionPolicy(latest=2)


def test_batching_is_read():
    assert Batching.read(DEPLOY / "batching.config").pads


def test_metrics_are_where_prometheus_is_told_to_look():
    config = config_files.read(DEPLOY / "monitoring.config", "MonitoringConfig")
    assert config.prometheus_config.enable
    path = config.prometheus_config.path
    told = pod()["metadata"]["annotations"]
    assert told["prometheus.io/path"] == path == metrics.PATH
    assert told["prometheus.io/port"] == "8501"


def test_the_flags_are_ours_too():
    asked = flags.parser("x").parse_args(container()["args"])
    assert (asked.port, asked.rest_api_port) == (8500, 8501)
    mounts = {m["name"]: m["mountPath"] for m in container()["volumeMounts"]}
    assert str(asked.model_config_file).startswith(f"{mounts['config']}/")


def test_ports_probes_and_selectors_agree():
    ports = {p["name"]: p["containerPort"] for p in container()["ports"]}
    assert ports == {"grpc": 8500, "rest": 8501}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = container()[probe]["httpGet"]
        assert asked == {"path": "/v1/models/recommender", "port": "rest"}
    service = documents("service.yaml")
    labels = pod()["metadata"]["labels"]
    assert service["Service"]["spec"]["selector"] == labels
    budget = service["PodDisruptionBudget"]["spec"]
    assert budget["selector"]["matchLabels"] == labels
    targets = {p["targetPort"] for p in service["Service"]["spec"]["ports"]}
    assert targets == set(ports)


def test_the_pod_has_limits_and_no_rights():
    spec = pod()["spec"]
    assert container()["resources"]["limits"]["memory"]
    assert container()["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["automountServiceAccountToken"] is False
    # Draining must end before the pod is killed: preStop, then the drain.
    waits = int(container()["lifecycle"]["preStop"]["exec"]["command"][1])
    drain = flags.parser("x").parse_args([]).drain_seconds
    assert waits + drain < spec["terminationGracePeriodSeconds"]


def test_the_autoscaler_s_metric_is_the_adapter_s_and_ours():
    scaler = documents("autoscaler.yaml")["HorizontalPodAutoscaler"]["spec"]
    deployment = documents("deployment.yaml")["Deployment"]
    assert scaler["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert "replicas" not in deployment["spec"]
    text = (DEPLOY / "prometheus_adapter.yaml").read_text(encoding="utf-8")
    (rule,) = yaml.safe_load(text)["rules"]["custom"]
    asked = [m["pods"]["metric"]["name"] for m in scaler["metrics"]
             if m["type"] == "Pods"]
    assert asked == [rule["name"]["as"]]
    found = metrics.Metrics()
    found.latency.add(0.001, "recommender", "Predict", "GRPC")
    series = re.search(r"rate\(([^{]+)\{", rule["metricsQuery"]).group(1)
    assert f"\n{series}{{" in found.page()
    assert series in rule["seriesQuery"]


def test_kustomize_builds_it():
    """Where kubectl is: without a cluster, it still reads and joins all."""
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl here")
    done = subprocess.run(
        ["kubectl", "kustomize", str(DEPLOY)],
        capture_output=True, text=True, check=True, timeout=60,
    )
    built = {d["kind"]: d for d in yaml.safe_load_all(done.stdout)}
    assert set(built) == {
        "ConfigMap", "Deployment", "Service", "PodDisruptionBudget",
        "HorizontalPodAutoscaler",
    }
    config = built["ConfigMap"]
    assert set(config["data"]) == {"models.config", "monitoring.config"}
    volumes = built["Deployment"]["spec"]["template"]["spec"]["volumes"]
    (used,) = [v["configMap"]["name"] for v in volumes if "configMap" in v]
    assert used == config["metadata"]["name"] != "recommender-config"


def test_the_image_is_started_with_files_that_it_has():
    lines = (DEPLOY / "scann.Dockerfile").read_text().replace("\\\n", "")
    copied = re.search(r"^COPY (.+) /config/$", lines, re.M).group(1).split()
    assert all((DEPLOY / name).is_file() for name in copied)
    command = re.search(r"^CMD \[(.+)\]$", lines, re.M).group(1)
    given = shlex.split(command.replace(",", " "))
    asked = flags.parser("x").parse_args(given)
    for path in (asked.model_config_file, asked.monitoring_config_file):
        assert path.parent == Path("/config") and path.name in copied
