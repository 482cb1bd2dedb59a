"""`pixel-env grpo --grader`: what is trained and what is held out are graded by it, and the run keeps its name."""

import json
import sys

import pytest

from agents.grpo import training
from agents.grpo.command import main
from pixel_env.errors import ConfigError
from pixel_env.grading import grade

MODULE = """
from pixel_env.grading import grader


@grader
def lenient(answer, task):
    return 1.0 if answer in task.answers else 0.25
"""


class Stopped(Exception):
    """In place of a training."""


@pytest.fixture
def started(tmp_path, monkeypatch):
    """Runs the command up to its trainer; gives the arguments that the trainer would get."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "my_graders.py").write_text(MODULE)
    given = {}

    def trainer(**arguments):
        given.update(arguments)
        raise Stopped

    monkeypatch.setattr(training, "PixelGRPOTrainer", trainer)

    def run(*flags):
        words = ["--model_name_or_path", "tiny-warm", "--task_count", "4", "--eval_tasks", "sample:vstar-tiny"]
        with pytest.raises(Stopped):
            main([*words, "--eval_limit", "2", "--output_dir", "run", "--max_steps", "1", "--use_cpu", "true", *flags])
        return given

    yield run
    sys.modules.pop("my_graders", None)


def test_all_tasks_are_graded_by_it_and_the_run_keeps_its_name(started, tmp_path):
    given = started("--grader", "my_graders:lenient")
    tasks = [*given["tasks"].tasks, *given["eval_tasks"].tasks]
    assert len(tasks) == 6 and {task.grader for task in tasks} == {"my_graders:lenient"}
    assert grade(tasks[0], "no idea") == 0.25 and grade(tasks[0], tasks[0].answers[0]) == 1.0
    assert json.loads((tmp_path / "run" / "configuration.json").read_text())["grader"] == "my_graders:lenient"


def test_without_it_every_task_keeps_its_own(started):
    assert {task.grader for task in started()["tasks"].tasks} == {"exact"}


def test_one_that_cannot_be_loaded_is_refused_before_anything_starts(started, tmp_path):
    with pytest.raises(ConfigError, match=r"'my_graders:near' cannot be loaded"):
        main(["--model_name_or_path", "tiny-warm", "--output_dir", "run", "--grader", "my_graders:near"])
    assert not (tmp_path / "run").exists()
