# The image in which every component of the pipeline runs on Kubeflow Pipelines
# and Vertex. Each Python package in it is one of requirements.lock, checked by
# its hash; tests/pipeline/test_dockerfile.py holds every line to that.
FROM python:3.10-slim-bookworm AS build

# Two of TFX's dependencies are source only; the compiler stays in this stage.
RUN apt-get update && apt-get install --yes --no-install-recommends g++

RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src

# What builds those two comes from the lock as well: no isolated build, which
# would fetch whatever is newest.
COPY requirements.lock ./
RUN sed -n '/^\(pip\|setuptools\|wheel\)==/,/[^\\]$/p' requirements.lock > build.lock
RUN python -m pip install --require-hashes --no-deps -r build.lock
RUN python -m pip install --require-hashes --no-deps --no-build-isolation -r requirements.lock

COPY setup.py pyproject.toml MANIFEST.in README.md CHANGELOG.md LICENSE ./
COPY schema schema
COPY serving serving
COPY trainer trainer
COPY pipeline pipeline
RUN python -m pip install --no-index --no-deps --no-build-isolation .

FROM python:3.10-slim-bookworm
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH TF_USE_LEGACY_KERAS=1 TF_CPP_MIN_LOG_LEVEL=3
WORKDIR /work
ENTRYPOINT ["python"]
