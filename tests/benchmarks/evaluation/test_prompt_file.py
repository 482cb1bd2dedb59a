"""`pixel-env eval --prompt_file`: what is asked, what a run remembers of it, and what reads the run again."""

import json

import pytest

from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine
from benchmarks.evaluation import evaluate as command
from benchmarks.evaluation.records import read_evaluation
from pixel_env.dialects.prompt_files import prompt_hash
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError

CHAT = PlainChat(dialect_named("tiny"))


@pytest.fixture
def evaluated(tmp_path, monkeypatch):
    """Evaluates two questions with a script in the model's place; returns what was asked."""
    folder, asked = tmp_path / "eval", []

    def script(conversation):
        asked.append(conversation.text)
        return "<answer>7"

    monkeypatch.setattr(command, "engine_of", lambda plan: (ScriptedEngine(script, CHAT), CHAT))

    def run(*flags):
        policies = ("--policies", "learned_zoom", "--task_count", "2")
        command.main([*policies, "--output_dir", str(folder), *flags])
        return asked

    return folder, run


def test_the_file_says_what_follows_the_question(evaluated, prompt):
    folder, run = evaluated
    asked = run("--prompt_file", str(prompt))
    assert len(asked) == 2 and all("\n\nSay it in \\boxed{}." in text for text in asked)
    kept = json.loads((folder / "configuration.json").read_text())
    assert kept["prompt_sha256"] == prompt_hash(prompt.read_text())


def test_a_run_goes_on_with_the_same_text_only(evaluated, prompt):
    _, run = evaluated
    run("--prompt_file", str(prompt))
    run("--prompt_file", str(prompt))
    prompt.write_text("\n\nSay it loud in \\boxed{}.", encoding="utf-8")
    with pytest.raises(ConfigError, match="prompt_sha256"):
        run("--prompt_file", str(prompt))


def test_a_run_is_read_again_when_its_prompt_file_is_gone(evaluated, prompt):
    folder, run = evaluated
    run("--prompt_file", str(prompt))
    prompt.unlink()
    assert len(read_evaluation(folder).records) == 2
    with pytest.raises(ConfigError, match=r"vcot\.txt cannot be read"):
        run("--prompt_file", str(prompt))
