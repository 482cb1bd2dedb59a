"""A grader of a user's own, named 'module:function' by a row, grades wherever answers are graded."""

import json
import sys

import pytest

import pixel_env
from pixel_env.actions import write
from pixel_env.cli import main
from pixel_env.dialects.table import DIALECTS
from pixel_env.errors import ConfigError, TaskError, UnknownNameError
from pixel_env.grading import grade
from pixel_env.task import Task
from pixel_env.tasks import load_tasks
from pixel_env.types import Answer

MODULE = '''
from pixel_env.grading import grader

CALLED = []


@grader
def within_one(answer, task):
    """Half a point for a neighbour of the right count."""
    distance = abs(int(answer) - int(task.answers[0]))
    return 1.0 if distance == 0 else 0.5 if distance == 1 else 0.0


@grader
def too_generous(answer, task):
    return 2.0


@grader
def silent(answer, task):
    return None


def unmarked(answer, task):
    CALLED.append(answer)
    return 1.0
'''


@pytest.fixture
def graders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "my_graders.py").write_text(MODULE)
    yield tmp_path
    sys.modules.pop("my_graders", None)


def rows(folder, grader):
    path = folder / "tasks.jsonl"
    row = {"id": "count", "question": "How many cards?", "answer": "7", "grader": grader}
    path.write_text(json.dumps(row) + "\n")
    return path


@pytest.mark.parametrize(("answer", "expected"), [("7", 1.0), ("8", 0.5), ("9", 0.0)])
def test_an_episode_is_graded_by_the_grader_that_its_row_names(graders, answer, expected):
    env = pixel_env.PixelEnv(str(rows(graders, "my_graders:within_one")))
    env.reset(seed=0)
    _, reward, terminated, _, _ = env.step(write(Answer(answer), DIALECTS["default"]))
    assert (reward, terminated) == (expected, True)


def test_the_data_command_names_the_own_grader(graders, capsys):
    assert main(["data", "check", str(rows(graders, "my_graders:within_one"))]) == 0
    assert "graded by: my_graders:within_one 1" in capsys.readouterr().out


def test_a_row_never_has_a_function_called_that_is_not_marked_as_a_grader(graders):
    with pytest.raises(TaskError, match=r"line 1: 'my_graders:unmarked' is not marked as a grader.*put @grader above"):
        load_tasks(rows(graders, "my_graders:unmarked"), strict=True)
    assert sys.modules["my_graders"].CALLED == []


@pytest.mark.parametrize(("name", "returned"), [("too_generous", "2.0"), ("silent", "None")])
def test_a_grade_outside_of_0_to_1_is_refused_with_the_grader_the_answer_and_the_task(graders, name, returned):
    task = Task("count", "How many?", ("7",), grader=f"my_graders:{name}")
    with pytest.raises(ConfigError, match=f"'my_graders:{name}' returned {returned} for the answer '6'.*'count'"):
        grade(task, "6")


def test_a_grader_that_does_not_exist_is_refused_by_name(graders):
    with pytest.raises(TaskError, match=r"'my_graders:near' cannot be loaded: .* has no attribute 'near'"):
        load_tasks(rows(graders, "my_graders:near"), strict=True)
    with pytest.raises(UnknownNameError, match=r"No grader named 'numbr'. Did you mean 'number'\?.*The task is 'a'"):
        grade(Task("a", "How many?", ("7",), grader="numbr"), "7")
