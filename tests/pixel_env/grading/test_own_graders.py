"""A grader of a user's own, named 'module:function' by a row, grades wherever answers are graded."""

import importlib
import json
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

import pixel_env
from pixel_env.actions import write
from pixel_env.cli import main
from pixel_env.dialects.table import DIALECTS
from pixel_env.errors import ConfigError, PixelEnvError, TaskError, UnknownNameError
from pixel_env.grading import grade
from pixel_env.lazy_sequence import LazySequence
from pixel_env.task import Task
from pixel_env.tasks import load_tasks
from pixel_env.testing import tiny_task
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


@grader
def strict(answer, task):
    return float(int(answer) == int(task.answers[0]))


def within():
    @grader
    def local(answer, task):
        return 1.0

    return local


@grader
def page(answer, task):
    return answer * 1000


LAMBDA = grader(lambda answer, task: 1.0)
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


def test_a_message_about_a_grade_shows_no_whole_page(graders):
    with pytest.raises(ConfigError) as refused:
        grade(Task("count", "How many?", ("7",), grader="my_graders:page"), "many " * 2000)
    assert len(str(refused.value)) < 500


# ------------------------------------------------------------------------------------------------------ in Python


@pytest.fixture
def module(graders, monkeypatch):
    monkeypatch.syspath_prepend(str(graders))
    return importlib.import_module("my_graders")


def test_a_task_takes_the_function_itself_and_keeps_its_name(module):
    task = Task("count", "How many?", ("7",), media="text", grader=module.within_one)
    assert task.grader == "my_graders:within_one" and grade(task, "8") == 0.5
    assert replace(task, answers=("9",)).grader == task.grader


@pytest.mark.parametrize("grader", ["my_graders:within_one", None])
def test_a_set_is_graded_by_another_grader_by_name_or_by_function(module, grader):
    path = rows(module_folder(module), "number")
    task_set = load_tasks(path, grader=grader or module.within_one)
    assert [task.grader for task in task_set.tasks] == ["my_graders:within_one"]
    env = pixel_env.PixelEnv(task_set)
    env.reset(seed=0)
    assert env.step(write(Answer("8"), DIALECTS["default"]))[1] == 0.5


def module_folder(module):
    return Path(module.__file__).parent


def test_a_lazy_set_stays_lazy_and_another_process_finds_the_grader(module):
    task_set = load_tasks("sample:tallyqa", count=2000, grader=module.within_one)
    assert isinstance(task_set.tasks, LazySequence) and task_set.tasks[1999].grader == "my_graders:within_one"
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        task = Task("count", "How many?", ("7",), media="text", grader=module.within_one)
        assert pool.submit(grade, task, "8").result() == 0.5


@pytest.mark.parametrize("name", ["LAMBDA", "local"])
def test_a_function_without_a_name_of_its_own_is_refused_with_the_way_out(module, name):
    function = module.within() if name == "local" else module.LAMBDA
    told = r"cannot be named.*stands at the top of a module. Write it there with 'def'"
    with pytest.raises(ConfigError, match=told):
        Task("a", "?", ("7",), grader=function)
    with pytest.raises(ConfigError, match=told):
        load_tasks([tiny_task()], grader=function)


@pytest.mark.parametrize(
    ("grader", "told"),
    [
        ("my_graders:unmarked", "put @grader above it"),
        ("nowhere:within_one", "No module named 'nowhere'.*run from the folder that holds the module"),
        ("numbr", "Did you mean 'number'"),
        ("choice", "the task 'count' cannot be graded by 'choice'.*no options to choose from"),
        ("my_graders:silent", "returned None"),
    ],
)
def test_a_grader_that_cannot_grade_a_set_is_told_of_as_the_set_is_loaded(module, grader, told):
    with pytest.raises(PixelEnvError, match=told):
        load_tasks(rows(module_folder(module), "number"), grader=grader)


def test_a_grader_that_raises_on_a_reference_is_told_of_as_the_set_is_loaded(module):
    tasks = [Task("a", "Which?", ("red",), media="text")]
    with pytest.raises(TaskError, match=r"'a' cannot be graded by 'my_graders:strict', which raised ValueError"):
        load_tasks(tasks, grader=module.strict)


def test_tasks_of_python_with_a_grader_that_is_not_there_are_refused_before_an_episode(module):
    with pytest.raises(ConfigError, match=r"'my_graders:near' cannot be loaded.*The task is 'a'"):
        pixel_env.PixelEnv([Task("a", "Which?", ("red",), media="text", grader="my_graders:near")])


def test_a_grader_that_does_not_exist_is_refused_by_name(graders):
    with pytest.raises(TaskError, match=r"'my_graders:near' cannot be loaded: .* has no attribute 'near'"):
        load_tasks(rows(graders, "my_graders:near"), strict=True)
    with pytest.raises(UnknownNameError, match=r"No grader named 'numbr'. Did you mean 'number'\?.*The task is 'a'"):
        grade(Task("a", "How many?", ("7",), grader="numbr"), "7")
