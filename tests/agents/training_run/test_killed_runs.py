"""A run that is killed at random moments and started again by the same command ends as the undisturbed one."""

import json
import subprocess
import sys

import pytest

from tests.paths import ROOT, TESTS

SCRIPT = str(TESTS / "agents" / "training_run" / "killed_runs.py")


def rows_of(folder):
    """What was logged, without seconds and bytes."""
    history = json.loads((folder / "checkpoint-6" / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
    return [
        {name: row[name] for name in row if not name.startswith(("time/", "memory/", "step_time"))} for row in history
    ]


@pytest.mark.parametrize(("command", "save_steps"), [("sft", "1"), ("grpo", "2")])
def test_a_run_killed_five_times_and_started_again_ends_with_the_weights_of_the_undisturbed_one(
    flags_of, tmp_path, monkeypatch, command, save_steps
):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    flags = [*flags_of[command], "--max_steps", "6", "--save_steps", save_steps, "--save_total_limit", "2"]
    ended = subprocess.run(
        [sys.executable, SCRIPT, str(tmp_path), "0", "5", *flags], cwd=ROOT, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    killed_at = json.loads(ended.stdout.splitlines()[-1])
    assert len(killed_at) == 5 and any(steps for _, _, steps in killed_at)  # not all before the first checkpoint
    whole, killed = (tmp_path / name for name in ("whole", "killed"))
    assert (whole / "model.safetensors").read_bytes() == (killed / "model.safetensors").read_bytes()
    assert rows_of(whole) == rows_of(killed) and len(rows_of(whole)) == 6
