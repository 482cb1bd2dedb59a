"""The demo from end to end, on a model with random weights: the path, not the learning."""

import json
import os
import signal
import subprocess
import sys

import psutil
import pytest
import yaml

from benchmarks.demo.command import demo_table, main, stages_of
from benchmarks.pipeline import jobs
from benchmarks.pipeline.chain import Chain, read_recipe
from benchmarks.pipeline.memory import resident_gb
from benchmarks.pipeline.preset import Preset
from benchmarks.pipeline.stages import Stage, finished_stages
from benchmarks.pipeline.study import claimed_run, in_stages
from benchmarks.studies.trap.findings import findings_of
from pixel_env.errors import ConfigError
from tests.waiting import until

SMALLEST = """
warm_start_steps: 1
warm_start_batch: 4
rl_steps: 2
rl_queries: 2
train_questions: 8
look_questions: 4
look_samples: 2
test_questions: 4
gallery_questions: 2
"""


NO_OTHER_HOST = """
import socket

connect = socket.socket.connect

def only_here(self, address):
    if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise SystemExit(f"a connection to another host was tried: {address}")
    return connect(self, address)

socket.socket.connect = socket.socket.connect_ex = only_here
"""


def test_the_demo_runs_from_a_base_to_a_report_and_reaches_for_no_other_host(
    tiny_checkpoint, tmp_path, capsys, monkeypatch
):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(NO_OTHER_HOST)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))  # the jobs inherit it
    (tmp_path / "smallest.yaml").write_text(SMALLEST)
    arguments = ["--quick", "--run", str(tmp_path / "demo"), "--base", str(tiny_checkpoint)]
    arguments += ["--preset", str(tmp_path / "smallest.yaml")]
    held_before = resident_gb()  # by this process, in which other tests have run
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert "with curiosity" in out and "report.html" in out and "call advantage" in out
    summary = json.loads((tmp_path / "demo" / "summary.json").read_text())
    assert summary["n"] == summary["easy"]["n"] == 2
    assert list(summary["seconds"]) == ["warm_start", "look", "learning", "evaluation", "report"]
    assert 0 < summary["peak_memory_gb"] - held_before < 4
    assert "<h1>" in (tmp_path / "demo" / "report.html").read_text()
    with pytest.raises(ConfigError, match="seed"):
        main([*arguments, "--seed", "1"])
    monkeypatch.setattr(jobs, "_start", lambda job, threads: pytest.fail(f"{job.folder} was run again"))
    assert main(arguments) == 0  # everything is finished: the table again, and no job
    assert "finished before" in capsys.readouterr().out


def test_a_stopped_demo_says_where_it_goes_on(tmp_path, capsys):
    def stop():
        raise KeyboardInterrupt

    stages = [Stage("warm_start", "first", after=lambda: ""), Stage("look", "second", after=stop)]
    assert in_stages(stages, tmp_path, lambda: None) == 130
    assert "Finished: warm_start. Run the same command again to resume at: look." in capsys.readouterr().err
    assert list(finished_stages(tmp_path)) == ["warm_start"]


def test_ctrl_c_ends_every_job_and_says_where_it_goes_on(tiny_checkpoint, tmp_path):
    (tmp_path / "smallest.yaml").write_text(SMALLEST)
    run = tmp_path / "demo"
    arguments = ["--quick", "--run", str(run), "--base", str(tiny_checkpoint)]
    command = [sys.executable, "-m", "pixel_env.cli", "demo", *arguments, "--preset", str(tmp_path / "smallest.yaml")]
    demo = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests in the background ignore it
    )
    until(lambda: _jobs_in(run))
    os.killpg(demo.pid, signal.SIGINT)  # what a terminal does
    said = demo.communicate(timeout=300)[1]
    assert demo.returncode == 130
    assert (
        "Finished: nothing yet. Run the same command again to resume at: warm start." in said
        and "Traceback" not in said
    )
    assert not _jobs_in(run) and not finished_stages(run)


def _jobs_in(run):
    commands = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    return [
        words for words in commands if "benchmarks.pipeline.child" in words and any(str(run) in word for word in words)
    ]


def test_the_stages_are_timed_once_also_where_jobs_run_side_by_side(tmp_path):
    stages = stages_of(Chain(Preset(), "tiny-base", 0, tmp_path))
    assert [stage.name for stage in stages] == ["warm_start", "look", "learning", "evaluation", "report"]
    [learning] = [stage for stage in stages if stage.name == "learning"]
    assert [job.recipe["group_reward"] for job in learning.jobs] == ["paper", "correctness"]
    assert {job.recipe["max_turns"] for job in learning.jobs} == {2}


def test_a_recipe_that_was_edited_is_refused_in_the_folder_that_it_began(tmp_path):
    recipe = tmp_path / "paper.yaml"
    recipe.write_text(yaml.safe_dump(read_recipe("tiny_grpo_paper")))

    def start(run):
        chain = Chain(Preset(with_curiosity=str(recipe)), "tiny-base", 0, run)
        with claimed_run(chain, stages_of(chain), quick=False):
            pass

    start(tmp_path / "run")
    start(tmp_path / "run")
    recipe.write_text(yaml.safe_dump(read_recipe("tiny_grpo_paper") | {"learning_rate": 0.5}))
    with pytest.raises(ConfigError, match=r"recipes \(was .* a fresh --output_dir"):
        start(tmp_path / "run")
    start(tmp_path / "another")


def test_the_preset_samples_and_asks_enough():
    preset = Preset()
    assert preset.look_questions * preset.look_samples >= 2000
    assert preset.test_questions / 2 >= 400  # half of them need a crop


def test_the_table_shows_three_checkpoints_under_four_policies(finished_run):
    lines = demo_table(findings_of(finished_run)).splitlines()
    assert [line.split("  ")[0] for line in lines[3:6]] == ["warm start", "without curiosity", "with curiosity"]
    assert all(line.count("[") == 4 for line in lines[3:6])


def test_the_parent_of_the_jobs_loads_no_training_library():
    code = (
        "import benchmarks.demo.command, benchmarks.studies.trap.study, benchmarks.demo.report, sys; "
        "print({'torch', 'transformers', 'trl'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
