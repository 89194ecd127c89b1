"""Compiles the pipeline for Kubeflow Pipelines v2 and Vertex; no cluster.

`python -m pipeline.kubeflow_runner --help`. Only says where the pipeline runs:
what runs is `pipeline.pipeline`, with the flags of the local runner.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from pipeline.command_line import make_parser, read_config
from pipeline.config import PipelineConfig

# Where the Dockerfile installs this project's schemas.
SCHEMAS_OF_IMAGE = "/opt/venv/lib/python3.10/site-packages/schema"
_SUFFIXES = (".yaml", ".yml", ".json")
Target = Literal["vertex", "kfp"]
_EXAMPLES = """\
  python -m pipeline.kubeflow_runner --output pipeline.yaml \\
      --image REGION-docker.pkg.dev/PROJECT/REPOSITORY/interest-towers:1 \\
      --data-dir gs://BUCKET/logs --pipeline-root gs://BUCKET/runs
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Compiles one pipeline. Returns 0, or 1 with a message."""
    parser = make_parser(
        "pipeline.kubeflow_runner",
        "Compiles the TFX pipeline for Kubeflow Pipelines v2 or Vertex.",
        _EXAMPLES,
    )
    parser.add_argument(
        "--output", required=True, type=Path, metavar="FILE",
        help="the specification: .yaml, or .json with the whole job",
    )
    parser.add_argument(
        "--image", required=True, metavar="NAME",
        help="image in which every component runs, built of the Dockerfile",
    )
    parser.add_argument(
        "--target", choices=get_args(Target), default="vertex",
        help="vertex, or kfp for the open-source backend, which cannot look "
        "for artifacts of earlier runs: no warm start, no comparison with the "
        "last blessed model (default vertex)",
    )
    own, config = read_config(parser, sys.argv[1:] if argv is None else argv)
    # Before TensorFlow is imported: Keras 2, and no chatter.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        job = compile_job(config, image=own.image, target=own.target)
        write_job(job, own.output)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(own.output)
    return 0


def compile_job(
    config: PipelineConfig, *, image: str, target: Target = "vertex"
) -> dict[str, Any]:
    """The pipeline job that KFP and Vertex take.

    Args:
        config: with folders that all machines can reach.
        image: in which each component runs.
        target: vertex or kfp.

    Raises:
        ValueError: if a folder is local, or events come in spans.
    """
    _check(config)
    from tfx import v1 as tfx

    from pipeline.kubeflow_spec import drop_resolvers
    from pipeline.pipeline import create_pipeline

    experimental = tfx.orchestration.experimental
    settings = experimental.KubeflowV2DagRunnerConfig(
        default_image=image,
        use_pipeline_spec_2_1=True,  # the version that kfp's own SDK writes
    )
    pipeline = create_pipeline(
        dataclasses.replace(
            config, schema_dir=SCHEMAS_OF_IMAGE, own_resolvers=False
        )
    )
    runner = experimental.KubeflowV2DagRunner(config=settings)
    job: dict[str, Any] = runner.run(pipeline, write_out=False)
    drop_resolvers(job["pipelineSpec"], keep_blessed=target == "vertex")
    return job


def write_job(job: dict[str, Any], output: Path) -> None:
    """Writes the specification as YAML, or the whole job as JSON.

    Raises:
        ValueError: if the file has another suffix.
    """
    if output.suffix not in _SUFFIXES:
        raise ValueError(
            f"--output is {output}; give a file that ends in "
            f"{', '.join(_SUFFIXES)}."
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    if output.suffix == ".json":
        text = json.dumps(job, indent=2, sort_keys=True) + "\n"
    else:
        text = yaml.safe_dump(job["pipelineSpec"], sort_keys=True)
    output.write_text(text, encoding="utf-8")


def _check(config: PipelineConfig) -> None:
    folders = {
        "--data-dir": config.data_dir,
        "--pipeline-root": config.pipeline_root,
        "--serving-dir": config.serving_dir,
    }
    for flag, folder in folders.items():
        if "://" not in folder:
            raise ValueError(
                f"{flag} is {folder!r}, a folder of this machine, and the "
                "components run on others; give a bucket, such as "
                "gs://NAME/FOLDER."
            )
    if config.has_spans:
        raise ValueError(
            "events come in spans, and TFX compiles no window over spans for "
            "Kubeflow; give --events a pattern of all files of the window, "
            "such as 'events/*/*.csv'."
        )


if __name__ == "__main__":
    sys.exit(main())
