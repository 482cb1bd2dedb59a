"""Studies whose jobs run in the test's own process."""

import pytest
import yaml

from benchmarks.pipeline import stages
from benchmarks.studies.replay import study as replay_study
from pixel_env.cli import main as command


@pytest.fixture
def in_this_process(monkeypatch):
    """Jobs run here, without a process each; the list of the titles of those that ran."""
    ran = []

    def run_jobs(jobs, *, workers, threads):
        for job in jobs:
            job.folder.mkdir(parents=True)
            (job.folder / "recipe.yaml").write_text(yaml.safe_dump(dict(job.recipe)))
            assert command([job.command, "--config", str(job.folder / "recipe.yaml")]) == 0
            ran.append(job.title)

    def run_one_job(jobs, *, workers, threads):
        assert (len(jobs), workers, threads) == (1, 1, 1)
        run_jobs(jobs, workers=workers, threads=threads)

    monkeypatch.setattr(stages, "run_jobs", run_jobs)
    monkeypatch.setattr(replay_study, "run_jobs", run_one_job)
    return ran
