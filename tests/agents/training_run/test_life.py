"""Training commands in their folder: interrupted, continued, finished, lengthened, begun anew, and on a full disk."""

import json
import os
import re
import signal

import pytest

from agents.grpo.trainer import PixelGRPOTrainer
from agents.run_folder.checkpoints import checkpoints_in
from agents.run_log.log import read_log
from agents.sft.trainer import PixelSFTTrainer
from pixel_env.cli import main

TRAINERS = {"sft": PixelSFTTrainer, "grpo": PixelGRPOTrainer}
RUN = "agents.training_run.run"
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.fixture
def steps(monkeypatch):
    """The optimizer steps that are begun, by command. `during` adds what is called with their number as they begin."""
    begun = {"sft": [], "grpo": []}
    hooks = []

    def watch(name):
        step = TRAINERS[name].training_step

        def watched(self, *args, **options):
            if self.state.global_step not in begun[name][-1:]:
                begun[name].append(self.state.global_step)
                for hook in hooks:
                    hook(self.state.global_step)
            return step(self, *args, **options)

        monkeypatch.setattr(TRAINERS[name], "training_step", watched)

    for name in TRAINERS:
        watch(name)
    begun["during"] = hooks.append
    return begun


@pytest.mark.parametrize(("command", "number"), [("sft", signal.SIGINT), ("grpo", signal.SIGTERM)])
def test_a_signal_saves_a_checkpoint_where_one_may_be_taken_and_the_printed_command_goes_on(
    flags_of, tmp_path, capfd, steps, command, number
):
    flags = [*flags_of[command], "--output_dir", str(tmp_path), "--max_steps", "4", "--save_strategy", "no"]
    steps["during"](lambda step: os.kill(os.getpid(), number) if step == 1 and len(steps[command]) == 2 else None)
    handler = signal.getsignal(number)
    assert main(flags) == CODES[number]
    assert signal.getsignal(number) is handler
    told = capfd.readouterr().err
    # In GRPO a generation lasts two steps; the signal arrives in the second of each command.
    assert checkpoints_in(tmp_path).newest == tmp_path / "checkpoint-2" and steps[command] == [0, 1]
    assert "a checkpoint is saved at the next possible step" in told
    assert re.search(rf"pixel-env {command}: interrupted; .*checkpoint-2 is kept, and the run goes on from there", told)
    assert f"This goes on: pixel-env {' '.join(flags)}" in told
    assert not (tmp_path / "model.safetensors").exists()
    assert main(flags) == 0
    told = capfd.readouterr().out
    assert "goes on from step 2 (checkpoint-2)" in told and "on 8 t" in told and "2 of 4 steps are left" in told
    assert steps[command] == [0, 1, 2, 3] and (tmp_path / "model.safetensors").exists()
    assert main(flags) == 0
    assert f"is finished: 4 steps. Its model: {tmp_path}" in capfd.readouterr().out and len(steps[command]) == 4


def test_a_signal_within_a_generation_waits_for_its_end(flags_of, tmp_path, steps):
    flags = [*flags_of["grpo"], "--output_dir", str(tmp_path), "--max_steps", "6", "--save_strategy", "no"]
    steps["during"](lambda step: os.kill(os.getpid(), signal.SIGINT) if step == 2 else None)
    assert main(flags) == 130
    assert checkpoints_in(tmp_path).newest == tmp_path / "checkpoint-4" and steps["grpo"] == [0, 1, 2, 3]


def test_before_the_first_step_nothing_is_saved_and_a_second_signal_ends_at_once(flags_of, tmp_path, capfd, steps):
    flags = [*flags_of["sft"], "--output_dir", str(tmp_path), "--max_steps", "4", "--save_strategy", "no"]
    steps["during"](lambda step: os.kill(os.getpid(), signal.SIGINT))
    assert main(flags) == 130
    told = capfd.readouterr().err
    assert "nothing was saved" in told and "from the beginning" in told and steps["sft"] == [0]


@pytest.mark.parametrize(("command", "number"), [("sft", signal.SIGTERM), ("grpo", signal.SIGINT)])
def test_before_its_folder_is_claimed_a_command_says_that_nothing_was_written(
    flags_of, tmp_path, capfd, monkeypatch, command, number
):
    monkeypatch.setattr("agents.training_run.before.check_hub", lambda args: os.kill(os.getpid(), number))
    assert main([*flags_of[command], "--output_dir", str(tmp_path / "run"), "--max_steps", "4"]) == CODES[number]
    told = capfd.readouterr().err
    assert f"pixel-env {command}: interrupted; nothing was written yet\nThis goes on: pixel-env {command} " in told
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("command", ["sft", "grpo"])
def test_as_its_folder_is_prepared_a_command_says_what_is_kept_there(flags_of, tmp_path, capfd, monkeypatch, command):
    monkeypatch.setattr(f"{RUN}.start_of", lambda *_, **__: os.kill(os.getpid(), signal.SIGINT))
    assert main([*flags_of[command], "--output_dir", str(tmp_path), "--max_steps", "4"]) == 130
    told = capfd.readouterr().err
    assert f"interrupted; nothing was saved in {tmp_path}: the run starts from the beginning" in told


def test_a_second_signal_ends_at_once_unless_a_launcher_has_passed_the_first_one_on(
    flags_of, tmp_path, capfd, steps, monkeypatch
):
    flags = [*flags_of["sft"], "--output_dir", str(tmp_path), "--max_steps", "4", "--save_steps", "1"]
    clock = [0.0]
    monkeypatch.setattr("agents.training_run.interruption.time.monotonic", lambda: clock[0])

    def twice(step):
        if step == 2:
            for seconds in (0.0, 0.1, 5.0):
                clock[0] = seconds
                os.kill(os.getpid(), signal.SIGINT)

    steps["during"](twice)
    assert main(flags) == 130
    assert checkpoints_in(tmp_path).newest == tmp_path / "checkpoint-2" and steps["sft"] == [0, 1, 2]
    assert "checkpoint-2 is kept" in capfd.readouterr().err


def test_a_finished_run_can_be_lengthened_begun_anew_and_not_taken_for_another(flags_of, tmp_path, capfd, steps):
    flags = [*flags_of["sft"], "--output_dir", str(tmp_path), "--save_steps", "2"]
    assert main([*flags, "--max_steps", "2", "--logging_steps", "2"]) == 0
    capfd.readouterr()
    longer = [*flags, "--max_steps", "4", "--logging_steps", "1", "--run_name", "longer"]
    assert main([*longer, "--learning_rate", "1e-4"]) == 2
    told = capfd.readouterr().err
    assert "learning_rate (was 0.001, is 0.0001)" in told and "--restart" in told and "logging_steps" not in told
    assert main(longer) == 0
    told = capfd.readouterr().out
    assert "goes on from step 2" in told and "follows the linear schedule of the new length" in told
    assert steps["sft"] == [0, 1, 2, 3]
    rates = {row.step: row.metrics["learning_rate"] for row in read_log(tmp_path)[0] if row.kind == "train"}
    assert (rates[3], rates[4]) == pytest.approx((5e-4, 2.5e-4))  # of 1e-3, linear over 4 steps
    (tmp_path / "notes.txt").write_text("mine")
    assert main([*longer, "--restart", "--learning_rate", "1e-4", "--resume_from_checkpoint", "last"]) == 2
    assert main([*longer, "--restart", "--learning_rate", "1e-4"]) == 0
    told = capfd.readouterr().out
    assert "--restart removed from" in told and "checkpoint-2, checkpoint-4" in told and "notes.txt" not in told
    assert steps["sft"][4:] == [0, 1, 2, 3] and (tmp_path / "notes.txt").exists()
    assert json.loads((tmp_path / "configuration.json").read_text())["learning_rate"] == 1e-4


def test_a_run_does_not_write_into_the_folder_that_it_reads(flags_of, tmp_path, capfd):
    flags = [*flags_of["sft"], "--max_steps", "1"]
    traces = flags[flags.index("--traces") + 1]
    assert main([*flags, "--output_dir", os.path.dirname(traces)]) == 2
    assert f"{traces} is in --output_dir" in capfd.readouterr().err


@pytest.mark.parametrize("command", ["sft", "grpo"])
def test_on_a_full_disk_the_last_whole_checkpoint_stays_and_the_run_goes_on_from_it(
    flags_of, tmp_path, capfd, monkeypatch, command
):
    import torch

    flags = [*flags_of[command], "--output_dir", str(tmp_path), "--max_steps", "4", "--save_steps", "2"]
    save = torch.save

    def full(obj, file, *args, **options):
        """As torch fails where a disk is full: the file is cut, and its writer complains about the place."""
        if "checkpoint-4" in str(file) and "optimizer" in str(file):
            with open("/dev/full", "wb", buffering=0) as device:
                return save(obj, device, *args, **options)
        return save(obj, file, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full)
        assert main(flags) == 2
    told = capfd.readouterr().err
    [line] = [line for line in told.splitlines() if "cannot be written" in line]
    assert (
        f"{tmp_path} cannot be written: No space left on device. Free space" in line and "checkpoint-2 is kept" in line
    )
    assert "Traceback" not in told and not (tmp_path / "checkpoint-4").exists()
    assert main(flags) == 0


@pytest.mark.parametrize("command", ["sft", "grpo"])
def test_a_step_whose_gradient_is_not_finite_ends_the_run_and_its_weights_are_not_saved(
    flags_of, tmp_path, capfd, monkeypatch, command
):
    flags = [*flags_of[command], "--output_dir", str(tmp_path), "--max_steps", "4", "--save_steps", "2"]
    norm = TRAINERS[command]._get_grad_norm

    def broken_later(self, *args, **options):
        found = norm(self, *args, **options)
        return found if self.state.global_step < 3 else found * float("nan")

    monkeypatch.setattr(TRAINERS[command], "_get_grad_norm", broken_later)
    assert main(flags) == 2
    told = capfd.readouterr().err
    assert "The gradient of step 4 has the norm nan" in told and "learning_rate" in told
    assert checkpoints_in(tmp_path).newest == tmp_path / "checkpoint-2"
    assert not (tmp_path / "model.safetensors").exists()


def test_a_reinforcement_without_any_reward_is_refused_before_the_model_is_loaded(flags_of, tmp_path, capfd):
    (tmp_path / "recipe.yaml").write_text("group_reward: null\n")
    flags = [word for word in flags_of["grpo"] if word not in ("--group_reward", "correctness")]
    assert main([*flags, "--output_dir", str(tmp_path / "run"), "--config", str(tmp_path / "recipe.yaml")]) == 2
    assert "group_reward is null" in capfd.readouterr().err and not (tmp_path / "run").exists()
