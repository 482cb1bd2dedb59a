"""What is trained on where nothing was said."""

import pytest

from agents.config.default_tasks import SAMPLE, given_or_sample
from agents.sft.training_traces import SAMPLE_TRACES, TraceArguments
from pixel_env.cli import main
from pixel_env.errors import ConfigError


def test_only_an_embedded_model_has_a_default():
    assert given_or_sample(None, "tasks", "tiny-warm") == SAMPLE
    assert given_or_sample("mine.jsonl", "tasks", "org/model") == "mine.jsonl"
    with pytest.raises(ConfigError, match=r"--tasks is missing: what 'org/model' is to learn from"):
        given_or_sample(None, "tasks", "org/model")


def test_traces_of_a_folder_need_no_tasks_and_those_of_a_function_do(tmp_path):
    embedded = TraceArguments()
    embedded.settle("tiny-base")
    assert (embedded.traces, embedded.tasks) == (SAMPLE_TRACES, SAMPLE)
    folder = TraceArguments(traces=str(tmp_path))
    folder.settle("org/model")
    assert folder.tasks is None
    for given, missing in (({}, "--traces"), ({"traces": "mine:traces"}, "--tasks")):
        with pytest.raises(ConfigError, match=f"{missing} is missing"):
            TraceArguments(**given).settle("org/model")


@pytest.mark.parametrize(("command", "flag"), [("grpo", "--tasks"), ("sft", "--traces")])
def test_a_model_of_ones_own_is_not_trained_on_a_sample_by_default(
    tiny_checkpoint, tmp_path, monkeypatch, capsys, command, flag
):
    monkeypatch.chdir(tmp_path)
    words = [command, "--model_name_or_path", str(tiny_checkpoint), "--dialect", "tiny", "--use_cpu", "true"]
    assert main([*words, "--output_dir", "run"]) == 2
    assert f"{flag} is missing" in capsys.readouterr().err and not (tmp_path / "run").exists()
