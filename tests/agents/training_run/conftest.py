"""Short trainings of both commands on the tiny model."""

import numpy as np
import pytest

from agents.traces.folder import write_trace_folder
from pixel_env.dialects.table import dialect_named
from pixel_env.tasks import load_tasks
from synth.warm_starts.templates import single_pass

COMMON = ["--use_cpu", "true", "--gradient_checkpointing", "false", "--report_to", "none", "--logging_steps", "1"]


@pytest.fixture(scope="session")
def flags_of(tmp_path_factory):
    """The flags of a command, without its output folder and its length: four steps an epoch, the rate is constant."""
    folder = tmp_path_factory.mktemp("life") / "traces"
    tasks = load_tasks("sample:vstar-tiny", split="train", count=8)
    traces = [single_pass(task, dialect_named("tiny"), np.random.default_rng(0)) for task in tasks.tasks]
    write_trace_folder(folder, traces, tasks, None)
    sft = ["sft", *COMMON, "--model", "tiny-base", "--dialect", "tiny", "--traces", str(folder), "--held_out", "0"]
    sft += ["--per_device_train_batch_size", "2", "--learning_rate", "1e-3"]
    grpo = ["grpo", *COMMON, "--model", "tiny-warm", "--limit", "8", "--num_generations", "2"]
    grpo += ["--per_device_train_batch_size", "4", "--gradient_accumulation_steps", "2", "--steps_per_generation", "4"]
    grpo += ["--max_turns", "2", "--max_turn_tokens", "12", "--max_completion_length", "24", "--replay_capacity", "8"]
    grpo += ["--group_reward", "correctness", "--learning_rate", "1e-3"]
    return {"sft": sft, "grpo": grpo}
