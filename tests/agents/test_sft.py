import json

import numpy as np
import pytest
import torch

from agents.sft import PixelSFTConfig, PixelSFTTrainer, main
from agents.traces import Trace, TraceTurn, read_traces, write_traces
from pixel_env.cli import main as command
from pixel_env.dialects import dialect_named
from pixel_env.tasks import load_tasks
from pixel_env.testing import tiny_task
from pixel_env.types import TaskSet
from synth.templates import MixedTraces, clumsy, drawn_from, recrop_once

TINY = dialect_named("tiny")


def config(folder, **options):
    defaults = {"dialect": "tiny", "max_turns": 3, "max_steps": 2, "per_device_train_batch_size": 4, "logging_steps": 1}
    defaults |= {"gradient_checkpointing": False, "save_strategy": "no", "disable_tqdm": True, "use_cpu": True}
    return PixelSFTConfig(output_dir=str(folder), **(defaults | options))


@pytest.fixture(scope="module")
def tasks():
    return load_tasks("sample:vstar-tiny", split="train", count=8)


def test_the_loss_is_the_mean_cross_entropy_of_the_trained_tokens(tiny_checkpoint, tasks, tmp_path):
    traces = [recrop_once(task, TINY, np.random.default_rng(0)) for task in tasks.tasks]
    trainer = PixelSFTTrainer(str(tiny_checkpoint), traces, config(tmp_path), task_set=tasks)
    batch = trainer.data_collator.batch(traces[:4])
    labels = batch.pop("labels")
    with torch.no_grad():
        logits = trainer.model(**batch).logits
        ours = trainer.compute_loss(trainer.model, {**batch, "labels": labels})
    wanted = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100)
    assert float(ours) == pytest.approx(float(wanted), abs=1e-5)


def test_a_generator_of_traces_is_learned_from_and_the_loss_falls(tiny_checkpoint, tasks, tmp_path):
    traces = MixedTraces(((4, drawn_from(tasks, clumsy, TINY)),), batches=8, seed=0)
    options = {"max_steps": 8, "learning_rate": 2e-3, "lr_scheduler_type": "constant"}
    trainer = PixelSFTTrainer(str(tiny_checkpoint), traces, config(tmp_path, **options), task_set=tasks)
    trainer.train()
    losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    assert len(losses) == 8 and losses[-1] < 0.8 * losses[0]


def test_the_command_trains_on_a_file_of_traces_and_keeps_model_and_configuration(tiny_checkpoint, tasks, tmp_path):
    write_traces([recrop_once(task, TINY, np.random.default_rng(0)) for task in tasks.tasks], tmp_path / "traces.jsonl")
    recipe = tmp_path / "warm.yaml"
    recipe.write_text(
        f"model_name_or_path: {tiny_checkpoint}\ntasks: sample:vstar-tiny\ntask_count: 8\n"
        f"traces: {tmp_path / 'traces.jsonl'}\noutput_dir: {tmp_path / 'run'}\ndialect: tiny\nmax_steps: 1\n"
        "per_device_train_batch_size: 2\ngradient_checkpointing: false\nuse_cpu: true\n",
        encoding="utf-8",
    )
    assert main(["--config", str(recipe), "--learning_rate", "0.0007"]) == 0
    kept = json.loads((tmp_path / "run" / "configuration.json").read_text(encoding="utf-8"))
    assert (kept["learning_rate"], kept["dialect"], kept["max_turns"]) == (0.0007, "tiny", 4)
    assert (tmp_path / "run" / "model.safetensors").exists()
    assert (tmp_path / "run" / "preprocessor_config.json").exists() or (
        tmp_path / "run" / "processor_config.json"
    ).exists()


def test_resuming_with_another_configuration_is_refused_by_the_name_of_the_field(tiny_checkpoint, tmp_path, capsys):
    flags = ["--model_name_or_path", str(tiny_checkpoint), "--output_dir", str(tmp_path / "run"), "--dialect", "tiny"]
    flags += ["--task_count", "4", "--max_steps", "1", "--per_device_train_batch_size", "2", "--use_cpu", "true"]
    assert command(["sft", *flags]) == 0
    assert command(["sft", *flags, "--learning_rate", "1", "--resume_from_checkpoint", "last"]) == 2
    assert "learning_rate (was 2e-05, is 1.0)" in capsys.readouterr().err


def test_traces_survive_a_line_separator_inside_a_text(tmp_path):
    task = tiny_task()
    trace = Trace(task, (TraceTurn("one\u2028line"),))
    write_traces([trace], tmp_path / "traces.jsonl")
    assert read_traces(tmp_path / "traces.jsonl", TaskSet("own", [task])) == [trace]


def test_episodes_of_training_are_shown_in_multiples_of_the_dialect_s_factor(tmp_path):
    sample = load_tasks("sample:vstar", count=2)
    settings = config(tmp_path).settings(dialect_named("qwen3-vl"), sample)
    assert settings.budgets.original.factor == 32
    assert settings.budgets.original.max_pixels == sample.budgets.original.max_pixels
