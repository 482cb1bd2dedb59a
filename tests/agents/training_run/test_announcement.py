"""What a training says about itself before its first step, and after three."""

from types import SimpleNamespace

import torch
from transformers import TrainerControl, TrainerState

from agents.training_run.announcement import Announced, Material, announcement, time_left, trained_model

TASKS = Material(96, "tasks", "sample:vstar-tiny", "tiny", 24, "rollouts", 8)
FULL = SimpleNamespace(bf16=False, fp16=False)


def test_the_line_says_what_is_trained_on_what_and_for_how_long():
    line = announcement("tiny-warm (all 2,108,416 parameters, float32)", TASKS, steps=240, done=0)
    assert line == (
        "trains tiny-warm (all 2,108,416 parameters, float32) on 96 tasks of sample:vstar-tiny in dialect tiny: "
        "240 steps, 5,760 rollouts, 8 of each task"
    )
    assert "40 of 240 steps are left, 960 rollouts" in announcement("x", TASKS, steps=240, done=200)
    traces = Material(1000, "traces", "runs/traces", "qwen2.5-vl", 16, "traces")
    assert announcement("x", traces, steps=63, done=0).endswith("63 steps, 1,008 traces")


def test_a_model_is_said_with_its_trained_part_and_its_precision():
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    assert trained_model("m", model, FULL) == "m (all 12 parameters, float32)"
    model[0].requires_grad_(False)
    autocast = SimpleNamespace(bf16=True, fp16=False)
    assert trained_model("m", model, autocast) == "m (6 of 12 parameters, float32 weights, bfloat16 arithmetic)"
    model[1].to(torch.bfloat16).peft_config = {}
    model.peft_config = {}
    assert trained_model("m", model, autocast) == "m (adapters, 6 of 12 parameters, bfloat16)"


def test_the_time_left_is_that_of_the_measured_steps():
    line = time_left(12.0, 3, 225, now=lambda: 0.0)
    assert line.startswith("3 steps took 12 s: the other 225 will take about 15 min") and "until 1970-01-01" in line


def test_after_three_steps_their_time_is_told_once_without_evaluations_and_checkpoints(capsys):
    now = [0.0]
    state, control = TrainerState(max_steps=10, is_world_process_zero=True), TrainerControl()
    callback = Announced("m", TASKS, clock=lambda: now[0])
    callback.on_train_begin(FULL, state, control, model=torch.nn.Linear(1, 1))
    for state.global_step in range(1, 7):
        callback.on_step_begin(FULL, state, control)
        now[0] += 2.0
        callback.on_step_end(FULL, state, control)
        now[0] += 100.0
        (callback.on_evaluate if state.global_step % 2 else callback.on_save)(FULL, state, control)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("trains m (all 2 parameters, float32) on 96 tasks")
    assert second.startswith("3 steps took 6 s: the other 7 will take about 14 s")


def test_a_generation_of_many_steps_is_measured_whole_and_other_processes_are_silent(capsys):
    for is_first, lines in ((True, 1), (False, 0)):
        state, control = TrainerState(max_steps=10, is_world_process_zero=is_first), TrainerControl()
        callback = Announced("m", TASKS, measured_steps=5, clock=lambda: 0.0)
        for state.global_step in range(1, 6):
            callback.on_step_begin(FULL, state, control)
            callback.on_step_end(FULL, state, control)
        told = capsys.readouterr().out.splitlines()
        assert len(told) == lines and all(line.startswith("5 steps took") for line in told)
