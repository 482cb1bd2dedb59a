"""What every study does: seed by seed, what was measured is not measured again, and one process in a run folder."""

import json
import os
from dataclasses import dataclass

import pytest

from agents.run_folder.folder import remove_unclaimed
from benchmarks.pipeline.chain import Chain
from benchmarks.pipeline.preset import QUICK
from benchmarks.pipeline.stages import Stage, run_stages
from benchmarks.pipeline.study import Study, claimed_run, run_study
from benchmarks.studies.trap.study import main as trap
from pixel_env.cli import main
from pixel_env.errors import ConfigError
from pixel_env.locks import claimed


@dataclass(frozen=True)
class Config:
    results: str
    seeds: int = 3
    first_seed: int = 0
    quick: bool = False


def study_of(folder, measured, code=0):
    """Measures a seed by writing it down."""

    def read(seed):
        path = folder / f"seed-{seed}.json"
        return json.loads(path.read_text()) if path.exists() else None

    def measure(seed):
        measured.append(seed)
        (folder / f"seed-{seed}.json").write_text(str(seed * 10))
        return code

    def write_page(rows):
        (folder / "page").write_text(str(rows))
        return folder / "page"

    return Study("published", read, lambda seed: folder / "runs" / str(seed), measure, write_page, str)


def test_seeds_without_figures_are_measured_and_the_page_is_about_all(tmp_path, capsys):
    (tmp_path / "seed-1.json").write_text("11")
    measured = []
    assert run_study(Config(str(tmp_path)), study_of(tmp_path, measured)) == 0
    assert measured == [0, 2] and (tmp_path / "page").read_text() == "[0, 11, 20]"
    out = capsys.readouterr().out
    assert "seed 1: measured before" in out and f"seed 2 (3 of 3), in {tmp_path / 'runs' / '2'}" in out
    assert run_study(Config(str(tmp_path)), study_of(tmp_path, measured)) == 0 and measured == [0, 2]


def test_a_seed_that_was_stopped_ends_the_study_without_a_page(tmp_path):
    measured = []
    assert run_study(Config(str(tmp_path)), study_of(tmp_path, measured, code=130)) == 130
    assert measured == [0] and not (tmp_path / "page").exists()


def test_figures_of_other_seeds_and_quick_ones_stay_out_of_the_published_folder(tmp_path):
    for changed in ({"first_seed": 5}, {"quick": True}):
        with pytest.raises(ConfigError, match="Give another folder: --results"):
            run_study(Config("published", **changed), study_of(tmp_path, []))


def test_a_second_process_in_the_run_folder_of_a_study_or_a_demo_is_refused_by_name(tmp_path, capsys):
    told = f"process {os.getpid()} on "
    chain = Chain(QUICK, "tiny-base", 0, tmp_path / "demo")
    with claimed_run(chain, [], quick=True):
        assert main(["demo", "--quick", "--run", str(tmp_path / "demo")]) == 2
    assert told in capsys.readouterr().err
    with claimed(tmp_path / "trap" / "seed-0"), pytest.raises(ConfigError, match=f"{told}.*a fresh --output_dir"):
        trap(["--quick", "--seeds", "1", "--run", str(tmp_path / "trap"), "--results", str(tmp_path / "results")])


def test_what_an_interrupted_job_left_is_deleted_unless_a_process_is_at_work_in_it(tmp_path):
    @dataclass
    class Job:
        folder = tmp_path / "job"

    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "rows").touch()
    with claimed(tmp_path / "job"), pytest.raises(ConfigError, match="job is in use"):
        run_stages([Stage("first", "first", (Job(),))], tmp_path)
    assert (tmp_path / "job" / "rows").exists()
    remove_unclaimed(tmp_path / "job")
    remove_unclaimed(tmp_path / "job")
    assert not (tmp_path / "job").exists()
