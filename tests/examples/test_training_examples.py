import runpy

from tests.paths import EXAMPLES


def example(name):
    return runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="example")["main"]


def test_the_grpo_example_trains_and_saves(tiny_checkpoint, tmp_path):
    trainer = example("train_grpo")(
        ["--model", str(tiny_checkpoint), "--output_dir", str(tmp_path), "--max_steps", "1"]
    )
    row = next(row for row in trainer.state.log_history if "reward" in row)
    assert row["rewards/short_answers/mean"] < 0 and "rewards/group_reward/mean" in row
    assert (tmp_path / "model.safetensors").exists()


def test_the_warm_start_example_trains_and_its_traces_are_read_by_the_command(tiny_checkpoint, tmp_path):
    from agents.sft.command import main

    flags = ["--model", str(tiny_checkpoint), "--output_dir", str(tmp_path), "--count", "8", "--max_steps", "1"]
    assert example("warm_start")(flags).state.global_step == 1
    flags = ["--model_name_or_path", str(tiny_checkpoint), "--traces", str(tmp_path / "traces.jsonl")]
    flags += ["--tasks", "sample:vstar-tiny"]
    flags += ["--task_count", "8", "--dialect", "tiny", "--max_steps", "1", "--output_dir", str(tmp_path / "again")]
    assert main([*flags, "--per_device_train_batch_size", "2", "--gradient_checkpointing", "false"]) == 0
