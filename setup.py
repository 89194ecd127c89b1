"""Packaging of interest-towers. Tool settings are in pyproject.toml.

The bounds below say what the code can work with; `requirements.lock` says
what it was tested with (`make lock` writes it).
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
LOCK = "requirements.lock"

REQUIRES = [
    "tensorflow>=2.16,<3",  # the model, in training and in serving
    "tf-keras>=2.16,<3",  # Keras 2, which TFRS and transformers build on
    "tensorflow-recommenders>=0.7.7,<0.8",  # retrieval and ranking tasks
    "transformers>=4.46,<5",  # BERT; 5.x has no TensorFlow models
    "tokenizers>=0.20",  # word pieces learnt from a catalogue's own text
    "safetensors>=0.4.3",  # weights of encoders, read without torch
    "tensorflow-serving-api>=2.16,<3",  # messages and stubs of gRPC serving
    "tensorflow-metadata>=1.16,<2",  # schema protos: the data contract
    "protobuf>=3.20.3",  # messages that the client reads without TensorFlow
    "grpcio>=1.48.2,<2",  # server and client
    "grpcio-health-checking>=1.48.2,<2",  # health of the server for probes
    "tornado>=6.3,<7",  # REST beside gRPC
    "numpy>=1.26,<3",  # arrays between tables and model
    "pyarrow>=10",  # CSV and Parquet, read by column
    "py3langid>=0.2.2,<0.4",  # languages of texts; small, offline, model inside
    "PyYAML>=6",  # --config and --print-config
    "tqdm>=4.66",  # progress with time left
    "psutil>=5.9",  # peak memory of a run, findings of the doctor
    "packaging>=22",  # version bounds that the doctor checks
]

EXTRAS = {
    # The index of the second bundle; each wheel fits one TensorFlow minor.
    "scann": ["scann>=1.3.2,<2"],
    # The TFX pipeline; `schema`, `trainer` and `serving` do without it.
    "pipeline": [
        "tfx>=1.16,<1.17",  # components, local runner, Kubeflow compiler
        "apache-beam>=2.60,<2.61",  # TFX 1.16 was built with it
        "kfp>=2,<3",  # Kubeflow Pipelines v2 and Vertex
        "keras-tuner>=1.4,<2",  # the optional Tuner's search
        "dill",  # Beam pickles with it and does not declare it
        "fastavro>=1.4",  # Avro tables
    ],
    "dev": [
        "pytest>=8",  # runs the tests
        "pytest-xdist>=3.6",  # shares them out between two processes
        "hypothesis>=6.100",  # properties on generated input
        "ruff>=0.9",  # lint
        "mypy>=1.11",  # strict types of schema, trainer and serving
        "types-PyYAML",  # stubs for mypy
        "types-psutil",  # stubs for mypy
        "types-tqdm",  # stubs for mypy
        "setuptools<80",  # builds this project; TFX 1.16 needs pkg_resources
        "wheel",  # builds this project
        "pip",  # installs the built project
    ],
}


class BuildWithLock(build_py):
    """Puts the lock file into trainer/, where the doctor looks for it."""

    def run(self) -> None:
        super().run()
        target = Path(self.build_lib, "trainer", LOCK)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / LOCK, target)


setup(
    name="interest-towers",
    version="0.1.0",
    description=(
        "From behaviour logs and item text to a served recommender, on "
        "TensorFlow, TFRS, BERT, ScaNN and TensorFlow Serving."
    ),
    long_description=(
        (ROOT / "README.md").read_text(encoding="utf-8")
        if (ROOT / "README.md").exists()
        else ""
    ),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10",
    packages=[
        "pipeline",
        "pipeline.report",
        "pipeline.sequences",
        "schema",
        "serving",
        "serving.demo",
        "serving.live",
        "trainer",
        "trainer.doctor",
        "trainer.pretraining",
        "trainer.sample",
        "trainer.settings",
        "trainer.tables",
        "trainer.text_quality",
        "trainer.tokenizer",
        "trainer.tuning",
    ],
    package_data={
        "pipeline.report": ["*.css"],
        "schema": ["*.pbtxt"],
        "serving.demo": ["page.*"],
    },
    install_requires=REQUIRES,
    extras_require=EXTRAS,
    cmdclass={"build_py": BuildWithLock},
)
