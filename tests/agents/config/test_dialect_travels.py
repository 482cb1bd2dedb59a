"""The dialect of demonstrations reaches the evaluation of what was learned from them, though it is named nowhere."""

import json
import shutil

import numpy as np
import pytest

from agents.checkpoints.conventions import FILE_NAME, convention_in
from agents.run_folder.configuration import FILE_NAME as CONFIGURATION
from agents.traces.folder import write_trace_folder
from pixel_env.cli import main
from pixel_env.dialects.table import dialect_named
from pixel_env.tasks import load_tasks
from synth.warm_starts.templates import single_pass

CPU = ["--use_cpu", "true", "--gradient_checkpointing", "false", "--disable_tqdm", "true", "--max_steps", "1"]
CPU += ["--save_strategy", "steps", "--save_steps", "1", "--report_to", "none"]
PROMPT = " Say it."


@pytest.fixture(scope="module")
def home(tiny_checkpoint, tmp_path_factory):
    """A folder with a model of which nothing is known but its type, and traces in the dialect `tiny`."""
    home = tmp_path_factory.mktemp("travels")
    shutil.copytree(tiny_checkpoint, home / "base")
    (home / "base" / FILE_NAME).unlink()
    tasks = load_tasks("sample:vstar-tiny", split="train", count=4)
    traces = [single_pass(task, dialect_named("tiny"), np.random.default_rng(0)) for task in tasks.tasks]
    write_trace_folder(home / "traces", traces, tasks, None)
    (home / "traces" / CONFIGURATION).write_text('{"dialect": "tiny"}')
    (home / "prompt.txt").write_text(PROMPT)
    return home


@pytest.fixture(scope="module")
def warm(home):
    """`pixel-env sft` on the traces, without --dialect."""
    flags = ["--model_name_or_path", str(home / "base"), "--traces", str(home / "traces"), "--held_out", "0"]
    flags += ["--max_turns", "3", "--per_device_train_batch_size", "2", "--prompt_file", str(home / "prompt.txt")]
    assert main(["sft", *flags, "--output_dir", str(home / "warm"), *CPU]) == 0
    return home / "warm"


@pytest.fixture(scope="module")
def learned(home, warm):
    """`pixel-env grpo` from there, without --dialect."""
    flags = ["--model_name_or_path", str(warm), "--tasks", "sample:vstar-tiny", "--limit", "4", "--max_turns", "2"]
    flags += ["--max_turn_tokens", "4", "--max_completion_length", "8", "--num_generations", "2"]
    flags += ["--per_device_train_batch_size", "4", "--max_images", "5"]
    assert main(["grpo", *flags, "--output_dir", str(home / "learned"), *CPU]) == 0
    return home / "learned"


def configuration(folder):
    return json.loads((folder / CONFIGURATION).read_text(encoding="utf-8"))


def test_a_warm_start_is_in_the_dialect_of_its_traces_and_every_checkpoint_says_so(home, warm):
    budgets = load_tasks("sample:vstar-tiny", split="train", count=1).budgets
    assert configuration(warm)["dialect"] == "tiny"
    for folder in (warm, warm / "checkpoint-1"):
        kept = convention_in(folder)
        assert (kept.dialect, kept.prompt, kept.file) == ("tiny", PROMPT, str(folder / FILE_NAME))
        assert kept.limits.max_turns == 3 and kept.budgets.original.max_pixels == budgets.original.max_pixels


def test_reinforcement_learning_goes_on_in_it_with_the_prompt_of_the_warm_start(warm, learned):
    kept = configuration(learned)
    assert kept["dialect"] == "tiny" and kept["prompt_sha256"] == configuration(warm)["prompt_sha256"]
    for folder in (learned, learned / "checkpoint-1"):
        assert (convention_in(folder).dialect, convention_in(folder).prompt) == ("tiny", PROMPT)
        assert convention_in(folder).limits.max_images == 5


def test_what_was_learned_is_evaluated_as_it_was_taught(learned, capsys):
    flags = ["--tasks", "sample:vstar-tiny", "--limit", "2", "--policies", "learned_zoom", "--max_turn_tokens", "4"]
    run = learned.parent / "run"
    assert main(["eval", "--model", str(learned / "checkpoint-1"), *flags, "--output_dir", str(run)]) == 0
    kept = configuration(run)
    assert (kept["dialect"], kept["max_turns"], kept["max_images"]) == ("tiny", 2, 5)
    assert kept["prompts"]["question"].endswith(PROMPT)
    assert "Dialect tiny: dialect and pixel budgets of" in capsys.readouterr().err


def test_traces_in_another_dialect_than_the_model_was_taught_are_warned_of_naming_both(home, learned, tmp_path, capsys):
    other = shutil.copytree(learned, tmp_path / "other")
    (other / FILE_NAME).write_text((learned / FILE_NAME).read_text().replace('"tiny"', '"qwen3-vl"'))
    flags = ["--model_name_or_path", str(other), "--traces", str(home / "traces"), "--held_out", "0"]
    assert main(["sft", *flags, "--output_dir", str(tmp_path / "again"), *CPU]) == 0
    told = capsys.readouterr().err
    assert f"the dialect of the traces in {home / 'traces'} is 'tiny', but {other} was taught 'qwen3-vl'" in told
    assert convention_in(tmp_path / "again").dialect == "tiny"
