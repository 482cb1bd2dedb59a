"""Training commands own their output folder, and play under the prompt file as it was when they started."""

import json
import os
from contextlib import contextmanager

import numpy as np
import pytest

from agents.run_folder.configuration import FILE_NAME
from agents.run_folder.folder import RunFolder
from agents.sft import trainer as sft
from agents.traces.folder import write_trace_folder
from pixel_env.cli import main
from pixel_env.dialects.prompt_files import prompt_hash
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError
from pixel_env.locks import LOCK_NAME, claimed
from pixel_env.tasks import load_tasks
from synth.warm_starts.templates import single_pass

PLAYED = "\n\nSay it in \\boxed{}."


@pytest.fixture
def flags(tiny_checkpoint, tmp_path):
    """Of one step on two traces under a prompt file, in the folder `run`."""
    tasks = load_tasks("sample:vstar-tiny", split="train", count=2)
    traces = [single_pass(task, dialect_named("tiny"), np.random.default_rng(0)) for task in tasks.tasks]
    write_trace_folder(tmp_path / "traces", traces, tasks, None)
    (tmp_path / "prompt.txt").write_text(PLAYED, encoding="utf-8")
    words = ["--model_name_or_path", str(tiny_checkpoint), "--dialect", "tiny", "--output_dir", str(tmp_path / "run")]
    words += ["--prompt_file", str(tmp_path / "prompt.txt"), "--max_steps", "1", "--save_strategy", "no"]
    return [*words, "--use_cpu", "true", "--gradient_checkpointing", "false", "--disable_tqdm", "true"]


def of_sft(flags, tmp_path, *more):
    held_out = ["--held_out", "0", "--per_device_train_batch_size", "2"]
    return ["sft", *flags, "--traces", str(tmp_path / "traces"), *held_out, *more]


def test_a_prompt_file_that_is_edited_while_the_model_loads_is_learned_and_recorded_as_it_was(
    flags, tmp_path, monkeypatch
):
    """The collator puts the question into words after the model has loaded."""
    loading, questions = sft.loading, []

    @contextmanager
    def edits(model):
        with loading(model):
            yield
        (tmp_path / "prompt.txt").write_text("\n\nOther words.", encoding="utf-8")

    class Kept(sft.PixelSFTTrainer):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            batch = self.data_collator.batch([self.data_collator.traces[0]])
            questions.append(self.chat.processor.tokenizer.decode(batch["input_ids"][0]))

    monkeypatch.setattr(sft, "loading", edits)
    monkeypatch.setattr("agents.sft.training.PixelSFTTrainer", Kept)
    assert main(of_sft(flags, tmp_path)) == 0
    kept = json.loads((tmp_path / "run" / FILE_NAME).read_text())
    assert kept["prompt_sha256"] == prompt_hash(PLAYED)
    assert "Say it in" in questions[0] and "Other words" not in questions[0]
    assert main(of_sft(flags, tmp_path, "--resume_from_checkpoint", "last")) == 2  # other words are another run
    (tmp_path / "prompt.txt").write_text(PLAYED, encoding="utf-8")
    assert main(of_sft(flags, tmp_path, "--resume_from_checkpoint", "last")) == 0


@pytest.mark.parametrize("command", ["sft", "grpo"])
def test_the_second_training_in_a_folder_is_refused_by_name_before_its_model_is_loaded(
    flags, tmp_path, monkeypatch, capsys, command
):
    monkeypatch.setattr(sft, "loading", lambda model: pytest.fail("a model was loaded"))
    monkeypatch.setattr("agents.grpo.training.loading", lambda model: pytest.fail("a model was loaded"))
    words = {
        "sft": of_sft(flags, tmp_path),
        "grpo": [
            "grpo",
            *flags,
            "--tasks",
            "sample:vstar-tiny",
            "--task_count",
            "2",
            "--num_generations",
            "2",
            "--per_device_train_batch_size",
            "2",
        ],
    }
    with claimed(tmp_path / "run"):
        assert main(words[command]) == 2
        told = capsys.readouterr().err
        assert f"{tmp_path / 'run'} is in use: process {os.getpid()} on " in told and "another folder" in told
        assert [path.name for path in (tmp_path / "run").iterdir()] == [LOCK_NAME]


def test_the_processes_of_one_training_share_its_folder_which_the_first_of_them_claims_and_writes(flags, tmp_path):
    parts = [sft.PixelSFTConfig(output_dir=str(tmp_path), use_cpu=True)]
    with RunFolder.claimed(tmp_path, parts, resumes=False, rank=0) as first:
        with RunFolder.claimed(tmp_path, parts, resumes=False, rank=1) as second:
            second.keep_configuration()
            assert not (tmp_path / FILE_NAME).exists()
        first.keep_configuration()
        with pytest.raises(ConfigError, match="is in use"), RunFolder.claimed(tmp_path, parts, resumes=False):
            pytest.fail("another training came in")
    other = [sft.PixelSFTConfig(output_dir=str(tmp_path), use_cpu=True, seed=1)]
    with pytest.raises(ConfigError, match="seed"), RunFolder.claimed(tmp_path, other, resumes=True, rank=1):
        pytest.fail("a process of another configuration resumed")
