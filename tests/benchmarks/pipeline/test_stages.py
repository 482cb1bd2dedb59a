import itertools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from agents.run_log.log import last_step
from benchmarks.pipeline import jobs as jobs_module
from benchmarks.pipeline.jobs import LOG, Job, JobError, child_environment, progress_in, run_jobs, shown_figures
from benchmarks.pipeline.memory import PeakMemory, resident_gb
from benchmarks.pipeline.stages import Stage, division_of_work, finished_stages, run_stages
from tests.waiting import until


@pytest.fixture
def shell(monkeypatch):
    """Jobs run their recipe's `script` with Python instead of a pixel-env command."""

    def start(job, threads):
        job.folder.mkdir(parents=True, exist_ok=True)
        with job.log.open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-c", job.recipe["script"]], stdout=log, stderr=log, start_new_session=True
            )

    monkeypatch.setattr(jobs_module, "_start", start)


def job(folder, script, title="a job", steps=3):
    return Job(title, "eval", {"script": script}, folder, steps)


def test_progress_is_read_off_the_commands_own_bar():
    log = "Loading: 100%|##| 12/12 [00:00]\r  0%|  | 0/200 [00:00<?]\r 17%|# | 34/200 [01:00<05:00]"
    assert progress_in(log, 200) == 34
    assert progress_in("nothing yet", 200) == 0


def test_figures_are_those_of_the_last_logged_step(tmp_path):
    lines = [
        {"version": 1, "step": step, "total": 9, "time": "", "kind": kind, "loss": 0.1, "rapr/digit-on-card": step / 10}
        for step, kind in ((3, "train"), (4, "train"), (4, "eval"))
    ]
    (tmp_path / "log.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines) + '{"version": 1, "st')
    row = last_step(tmp_path)
    assert row.step == 4
    assert shown_figures(row, {"RaPR": "rapr/digit-on-card", "easy": "rapr/half"}) == {"RaPR": "0.40"}
    assert last_step(tmp_path / "elsewhere") is None


def test_a_job_that_fails_shows_the_end_of_its_log_and_ends_the_others(shell, tmp_path):
    pid = tmp_path / "pid"
    sleeping = job(
        tmp_path / "b",
        f"""
import os, pathlib, time
pathlib.Path({str(pid)!r} + ".part").write_text(str(os.getpid()))
os.rename({str(pid)!r} + ".part", {str(pid)!r})
time.sleep(60)
""",
    )
    failing = job(
        tmp_path / "a",
        f"""
import os, time
while not os.path.exists({str(pid)!r}): time.sleep(0.01)
print('the reason')
raise SystemExit(3)
""",
    )
    with pytest.raises(JobError, match=r"exit code 3(.|\n)*the reason"):
        run_jobs([failing, sleeping], workers=2, threads=1)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_no_more_jobs_run_at_a_time_than_there_are_workers(shell, tmp_path):
    script = f"""
import time, pathlib
folder = pathlib.Path({str(tmp_path)!r})
(folder / f"run-{{time.time_ns()}}").touch()
start = time.time(); time.sleep(0.5)
with open(folder / "times", "a") as file: file.write(f"{{start}} {{time.time()}}\\n")
"""
    run_jobs([job(tmp_path / str(place), script) for place in range(3)], workers=1, threads=1)
    times = sorted(tuple(map(float, line.split())) for line in (tmp_path / "times").read_text().splitlines())
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(times))


def test_a_run_goes_on_from_the_first_stage_that_is_not_finished(shell, tmp_path):
    def stages(second):
        count = f"open({str(tmp_path / 'count')!r}, 'a').write('x')"
        return [
            Stage("one", "first", (job(tmp_path / "one", count),), after=lambda: "told again"),
            Stage("two", "second", (job(tmp_path / "two", second),)),
        ]

    with pytest.raises(JobError):
        run_stages(stages("raise SystemExit(1)"), tmp_path)
    assert list(finished_stages(tmp_path)) == ["one"]
    (tmp_path / "two" / "left-over").touch()
    finished = run_stages(stages("pass"), tmp_path)
    assert (tmp_path / "count").read_text() == "x"
    assert list(finished) == ["one", "two"] and not (tmp_path / "two" / "left-over").exists()


def test_a_stage_that_runs_again_makes_the_later_ones_out_of_date(shell, tmp_path):
    ran = []
    stages = [Stage(name, name, after=lambda name=name: ran.append(name) or "") for name in ("one", "two", "three")]
    run_stages(stages, tmp_path)
    record = json.loads((tmp_path / "stages.json").read_text())
    del record["two"]
    (tmp_path / "stages.json").write_text(json.dumps(record))
    run_stages(
        [
            Stage(name, name, after=lambda name=name: ran.append(f"again {name}") or "")
            for name in ("one", "two", "three")
        ],
        tmp_path,
    )
    assert ran[3:] == ["again one", "again two", "again three"]
    assert list(finished_stages(tmp_path)) == ["one", "two", "three"]


def test_a_stages_memory_is_that_of_all_its_processes(tmp_path):
    before = resident_gb()
    with PeakMemory() as memory:
        child = subprocess.Popen([sys.executable, "-c", "x = bytearray(300_000_000); import time; time.sleep(120)"])
        try:
            until(lambda: memory.peak_gb >= before + 0.25)
        finally:
            child.kill()
            child.wait()


def test_work_is_divided_by_cores():
    assert division_of_work(1, 2) == (1, 2)
    assert division_of_work(3, 2) == division_of_work(2, 64) == (2, 1)
    assert division_of_work(2, 1) == (1, 1)


def test_a_jobs_environment_names_one_gpu_and_no_hub():
    environment = child_environment({"PATH": "/bin", "CUDA_VISIBLE_DEVICES": "3,4"}, threads=2)
    assert environment["CUDA_VISIBLE_DEVICES"] == "3" and environment["PATH"] == "/bin"
    assert environment["HF_HUB_OFFLINE"] == environment["HF_HUB_DISABLE_TELEMETRY"] == "1"
    assert environment["OMP_NUM_THREADS"] == "2"


def test_a_job_leaves_the_recipe_that_it_ran(tmp_path):
    broken = Job("nothing", "report", {"run": str(tmp_path / "no run")}, tmp_path / "job", 1)
    with pytest.raises(JobError, match=r"exit code 2(.|\n)*is no run: there is no such folder"):
        run_jobs([broken], workers=1, threads=1)
    assert yaml.safe_load((tmp_path / "job" / "recipe.yaml").read_text()) == broken.recipe


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends a child with its parent on Linux only")
def test_a_killed_run_takes_its_jobs_along(tmp_path):
    child = (
        "from benchmarks.pipeline.child import die_with_parent; die_with_parent(None); "
        "import time; print('up', flush=True); time.sleep(120)"
    )
    parent = (
        "import subprocess, sys, time; "
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}], stdout=subprocess.PIPE, start_new_session=True); "
        "child.stdout.readline(); print(child.pid, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True)
    pid = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.wait()
    until(lambda: not _is_running(pid))


def _is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_log_of_a_job_is_in_its_folder(tmp_path):
    assert job(tmp_path, "").log == tmp_path / LOG
