"""A run that is killed at random moments and started again by the same command ends as the undisturbed one."""

import json
import subprocess
import sys

import numpy as np
import pytest

from agents.traces.folder import write_trace_folder
from pixel_env.dialects.table import dialect_named
from pixel_env.tasks import load_tasks
from synth.warm_starts.templates import single_pass
from tests.paths import ROOT, TESTS

COMMON = ["--use_cpu", "true", "--gradient_checkpointing", "false", "--disable_tqdm", "true", "--report_to", "none"]
COMMON += ["--max_steps", "6", "--logging_steps", "1", "--save_total_limit", "2"]


def killed(folder, kills, command, *flags):
    """Where a run was killed."""
    script = str(TESTS / "agents" / "training_run" / "killed_runs.py")
    words = [sys.executable, script, str(folder), "0", str(kills), command, *COMMON, *flags]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return json.loads(ended.stdout.splitlines()[-1])


def whole_and_killed(folder, name):
    return [(folder / run / name).read_bytes() for run in ("whole", "killed")]


def rows_of(folder, run):
    [state] = (folder / run).glob("checkpoint-6/trainer_state.json")
    history = json.loads(state.read_text(encoding="utf-8"))["log_history"]
    return [{name: value for name, value in row.items() if "time" not in name} for row in history]


def check(folder, places):
    before, after = whole_and_killed(folder, "model.safetensors")
    assert before == after
    assert rows_of(folder, "whole") == rows_of(folder, "killed")
    assert len({tuple(steps) for _, _, steps in places}) > 1  # not all before the first checkpoint


def test_a_warm_start_killed_five_times_ends_with_the_weights_of_the_undisturbed_one(tmp_path):
    tasks = load_tasks("sample:vstar-tiny", split="train", count=8)
    traces = [single_pass(task, dialect_named("tiny"), np.random.default_rng(0)) for task in tasks.tasks]
    write_trace_folder(tmp_path / "traces", traces, tasks, None)
    flags = ["--model", "tiny-base", "--dialect", "tiny", "--traces", str(tmp_path / "traces"), "--held_out", "0"]
    flags += ["--per_device_train_batch_size", "2", "--learning_rate", "1e-3", "--save_steps", "1"]
    check(tmp_path, killed(tmp_path, 5, "sft", *flags))


def test_reinforcement_learning_killed_five_times_ends_with_the_weights_of_the_undisturbed_one(tmp_path):
    flags = ["--model", "tiny-warm", "--limit", "8", "--num_generations", "2", "--per_device_train_batch_size", "4"]
    flags += ["--gradient_accumulation_steps", "2", "--steps_per_generation", "4", "--save_steps", "2"]
    flags += ["--max_turns", "2", "--max_turn_tokens", "12", "--max_completion_length", "24", "--replay_capacity", "8"]
    flags += ["--group_reward", "correctness", "--learning_rate", "1e-3"]
    check(tmp_path, killed(tmp_path, 5, "grpo", *flags))


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
