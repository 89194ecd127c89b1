"""Which jobs a command line stands for, and what their names are."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from benchmarks.quality import plan
from benchmarks.quality.datasets import DataSet
from benchmarks.quality.treatments import PLAIN, Treatment

SETS = [
    DataSet("books", Path("/sets/books"), "leave_one_out"),
    DataSet("news", Path("/sets/news"), "column"),
]
COLD = Treatment("cold-items", 0.05)


def jobs(treatment: Treatment = PLAIN, extra: tuple = ()) -> list[plan.Job]:
    return plan.make(
        SETS, presets=["base", "best"], names=["full", "id-dropout-off"],
        extra=extra, seeds=[0, 5, 6], treatment=treatment,
    )


def test_every_combination_is_one_job_of_its_own_name() -> None:
    found = jobs()
    assert len(found) == 2 * 2 * 2 * 3
    assert len({job.name for job in found}) == len(found)
    assert {(j.data, j.split, j.preset, j.variant, j.seed) for j in found} == {
        (each.name, each.split, preset, variant, seed)
        for each in SETS
        for preset in ("base", "best")
        for variant in ("full", "id-dropout-off")
        for seed in (0, 5, 6)
    }


def test_every_set_has_its_first_run_before_a_second_seed() -> None:
    assert [(job.data, job.seed) for job in jobs()[:4]] == [
        ("books", 0), ("news", 0), ("books", 5), ("news", 5)
    ]


def test_the_first_variant_brings_the_baselines() -> None:
    for job in jobs():
        assert job.has_baselines == (job.variant == "full")


def test_cold_items_bring_the_runs_that_they_are_compared_with() -> None:
    found = jobs(COLD)
    assert len(found) == 2 * len(jobs())
    plain = {job.name for job in found if job.treatment == PLAIN}
    assert plain == {job.name for job in jobs()}
    assert not any(j.treatment == PLAIN for j in jobs(Treatment("tfrs")))


def test_settings_of_variant_and_command_line_reach_the_trainer() -> None:
    job = jobs(Treatment("tfrs"), extra=("epochs=1", "exclude_seen=true"))[-1]
    assert job.variant == "id-dropout-off+epochs=1+exclude_seen=true"
    assert job.settings() == [
        "--preset", "best", "--split", "column", "--seed", "6",
        "--no-exclude-seen", "--validation-share=0.4", "--id-dropout=0",
        "--epochs=1", "--exclude-seen",
    ]
    flags = job.arguments(Path("/out"), Path("/cache"))
    assert flags[:6] == [
        "--data-dir", "/out/data/news+tfrs-seed6",
        "--job-dir", f"/out/jobs/{job.name}", "--text-cache", "/cache",
    ]


def test_plain_data_are_read_where_they_are() -> None:
    assert jobs()[0].data_dir(Path("/out")) == Path("/sets/books")


def test_names_are_fit_for_files() -> None:
    job = dataclasses.replace(
        jobs(COLD)[1], variant="full+text_encoder=/a b/c"
    )
    assert job.name == (
        "books+cold-items-0.05--base--full+text_encoder=_a_b_c--seed0"
    )


@pytest.mark.parametrize("job", jobs(COLD, extra=("epochs=1",))[:2])
def test_a_job_survives_json(job: plan.Job) -> None:
    assert plan.Job.from_json(json.loads(json.dumps(job.as_json()))) == job
