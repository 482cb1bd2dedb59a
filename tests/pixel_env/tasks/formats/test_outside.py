"""A task format and a task set of a user's own, named 'module:NAME', are read wherever tasks are given."""

import json
import sys
from dataclasses import replace

import pytest
from PIL import Image

import pixel_env
from pixel_env.actions import write
from pixel_env.cli import main
from pixel_env.dialects.table import DIALECTS
from pixel_env.errors import ConfigError, TaskError, UnknownNameError
from pixel_env.tasks import BadRowsWarning, load_tasks, read_path
from pixel_env.tasks.formats.recognition import FORMATS
from pixel_env.types import Answer
from synth.seed_data import load_seeds

MODULE = """
from pathlib import Path

from pixel_env.boxes import Box
from pixel_env.errors import TaskError
from pixel_env.task import Evidence, Task, TaskSet
from pixel_env.tasks.files.row import Row
from pixel_env.tasks.formats.format import Format


def _rows_of(path):
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        photo, question, reply = line.split(";")
        yield Row(path, number, f"line {number}", {"photo": photo, "question": question, "reply": reply})


def _task_of(row, images):
    if row.text("reply") == "unknown":
        raise TaskError("the reply is unknown")
    return Task(
        task_id=f"survey-{row.number}",
        question=row.text("question"),
        answers=(row.text("reply"),),
        sources=(images.image(row.text("photo")),),
        evidence=(Evidence(0, Box(0.1, 0.1, 0.2, 0.2)),),
    )


SURVEYS = Format(
    name="surveys",
    about="lines of photo;question;reply",
    source="the survey's own page",
    is_verified=True,
    columns=frozenset({"photo", "question", "reply"}),
    recognises=lambda columns, suffix: {"photo", "reply"} <= columns,
    task_of=_task_of,
    rows_of=_rows_of,
)
IN_JSON = Format(
    name="surveys-json",
    about="the same as JSON",
    source="the survey's own page",
    is_verified=False,
    columns=frozenset({"photo", "question", "reply"}),
    recognises=lambda columns, suffix: {"photo", "reply"} <= columns,
    task_of=_task_of,
)


def sums(split):
    first = 1 if split == "train" else 5
    tasks = [Task(f"{split}-{n}", f"What is {n} + {n}?", (str(2 * n),), media="text") for n in range(first, first + 3)]
    return TaskSet("sums", tasks, notice="made by a function")


def in_a_list(split):
    return list(sums(split).tasks)


def of_texts(split):
    return ["What is 1 + 1?"]


NUMBER = 7
"""


@pytest.fixture
def surveys(tmp_path, monkeypatch):
    """A working folder with a module of the user's own and the data that it reads."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "my_formats.py").write_text(MODULE)
    Image.new("RGB", (400, 300), "white").save(tmp_path / "desk.png")
    (tmp_path / "survey.csv").write_text("desk.png;Which digit?;7\ndesk.png;Which letter?;b\n")
    yield tmp_path
    sys.modules.pop("my_formats", None)


def as_json(folder, name, replies):
    rows = [{"photo": "desk.png", "question": f"Question {n}?", "reply": reply} for n, reply in enumerate(replies)]
    folder.mkdir(exist_ok=True)
    Image.new("RGB", (400, 300), "white").save(folder / "desk.png")
    (folder / name).write_text(json.dumps(rows))
    return folder / name


def test_a_file_is_read_by_the_format_that_is_named_before_it_whatever_its_suffix(surveys):
    task_set = load_tasks("my_formats:SURVEYS:survey.csv")
    assert [(task.task_id, task.answers) for task in task_set.tasks] == [("survey-1", ("7",)), ("survey-2", ("b",))]


def test_an_episode_is_played_on_a_format_from_outside(surveys):
    env = pixel_env.PixelEnv("my_formats:SURVEYS:survey.csv")
    observation, _ = env.reset(seed=0, options={"task_id": "survey-1"})
    assert "Which digit?" in observation["text"] and len(observation["images"]) == 1
    _, reward, terminated, _, _ = env.step(write(Answer("7"), DIALECTS["default"]))
    assert (reward, terminated) == (1.0, True)


def test_rows_that_cannot_be_used_are_named_as_of_any_format(surveys):
    (surveys / "survey.csv").write_text("desk.png;Which digit?;7\ndesk.png;Who?;unknown\ngone.png;Where?;here\n")
    with pytest.warns(BadRowsWarning, match=r"(?s)line 2: the reply is unknown.*line 3: there is no image"):
        assert len(load_tasks("my_formats:SURVEYS:survey.csv")) == 1


def test_a_folder_is_searched_for_the_files_of_the_format_and_its_split(surveys):
    as_json(surveys / "data", "train.json", ["1", "2", "3"])
    as_json(surveys / "data", "test.json", ["4"])
    (surveys / "data" / "other.json").write_text('[{"prompt": "of no format"}]')
    found = [load_tasks("my_formats:IN_JSON:data", split=split).tasks for split in ("train", "test")]
    assert [[task.answers[0] for task in tasks] for tasks in found] == [["1", "2", "3"], ["4"]]


def test_the_data_command_checks_and_prepares_a_format_from_outside_and_prepares_it_once(surveys, capsys):
    as_json(surveys / "data", "test.json", ["1", "unknown"])
    assert main(["data", "check", "my_formats:IN_JSON:data"]) == 1
    said = capsys.readouterr().out
    assert "1 tasks of the format 'surveys-json' in 2 rows" in said and "this reader follows the survey's own" in said
    as_json(surveys / "data", "test.json", ["1", "2"])
    assert main(["data", "prepare", "my_formats:IN_JSON", "--from", "data"]) == 0
    assert "2 tasks of the format" in capsys.readouterr().out
    assert main(["data", "prepare", "my_formats:IN_JSON", "--from", "data"]) == 0
    assert "is prepared: 2 tasks" in capsys.readouterr().out


def test_seed_data_may_come_in_a_format_from_outside_or_from_a_function(surveys):
    assert len(load_seeds("my_formats:SURVEYS:survey.csv").task_set) == 2
    with pytest.raises(TaskError, match="no_evidence: 3"):
        load_seeds("my_formats:sums")


def test_a_function_makes_the_tasks_of_its_split(surveys):
    assert [task.answers[0] for task in load_tasks("my_formats:sums", split="train").tasks] == ["2", "4", "6"]
    tests = load_tasks("my_formats:sums", count=2)
    assert [task.answers[0] for task in tests.tasks] == ["10", "12"] and tests.notice == "made by a function"
    assert load_tasks("my_formats:in_a_list").name == "my_formats:in_a_list"


def test_what_exists_as_a_path_is_that_path(surveys):
    (surveys / "my_formats:sums").write_text('{"question": "1 + 1?", "answer": "2"}\n')
    assert load_tasks("my_formats:sums").tasks[0].question == "1 + 1?"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("my_formats:SURVEY:survey.csv", r"task format 'my_formats:SURVEY' cannot be loaded: .* has no attribute"),
        ("no_such_module:SURVEYS:survey.csv", "task format 'no_such_module:SURVEYS' cannot be loaded: No module named"),
        ("my_formats:NUMBER:survey.csv", "'my_formats:NUMBER' is of the type int, not a task format"),
        ("my_formats:SURVEYS", "is a task format and needs the path that it reads: my_formats:SURVEYS:PATH"),
        ("my_formats:NUMBER", "is of the type int. Wanted: a function of the split"),
        ("no_such_module:sums", "task set 'no_such_module:sums' cannot be loaded"),
    ],
)
def test_a_name_that_is_no_format_and_no_set_is_refused_with_what_is_wanted(surveys, spec, said):
    with pytest.raises(ConfigError, match=said):
        load_tasks(spec)


def test_a_path_that_does_not_exist_is_named_before_the_own_reader_is_called(surveys):
    with pytest.raises(TaskError, match=r"no file or folder gone\.csv to read as 'surveys'"):
        load_tasks("my_formats:SURVEYS:gone.csv")


def test_a_function_that_returns_no_tasks_is_refused(surveys):
    with pytest.raises(TaskError, match="got an item of type str"):
        load_tasks("my_formats:of_texts")


def test_a_format_that_nothing_answers_to_cannot_be_prepared(surveys):
    with pytest.raises(UnknownNameError, match="Did you mean 'vstar'"):
        from pixel_env.tasks.preparation.preparing import prepare

        prepare(surveys, ("vstr",))


def test_a_folder_is_searched_with_the_formats_own_reader_whatever_the_suffix(surveys):
    data = as_json(surveys / "data", "other.json", ["1"]).parent
    (data / "survey.csv").write_text("desk.png;Which digit?;7\n")
    (data / "README.md").write_text("A survey.\n")
    (data / ".notes.csv").write_text("desk.png;Which digit?;8\n")
    assert [task.answers for task in load_tasks("my_formats:SURVEYS:data").tasks] == [("7",)]


def test_a_folder_of_thousands_of_images_is_searched_for_the_one_file_of_rows(surveys):
    for number in range(2001):
        (surveys / f"{number}.jpg").touch()
    assert len(load_tasks(f"my_formats:SURVEYS:{surveys}")) == 2


def test_a_folder_without_a_file_of_the_format_says_of_each_file_why(surveys):
    (surveys / "survey.csv").write_text("a line of text\n")
    with pytest.raises(
        TaskError, match=r"(?s)no file of the format 'surveys'.*survey\.csv.*rows_of of my_formats:SURVE"
    ):
        load_tasks(f"my_formats:SURVEYS:{surveys}")


def test_prepare_says_how_a_set_is_named_whose_format_only_its_name_makes_known(surveys, capsys):
    assert main(["data", "prepare", "my_formats:SURVEYS", "--from", str(surveys)]) == 0
    assert f"use it with: --tasks my_formats:SURVEYS:{surveys}\n" in capsys.readouterr().out
    assert len(load_tasks(f"my_formats:SURVEYS:{surveys}")) == 2


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        ("return None", "task_of of my_formats:SURVEYS must return a Task, got None$"),
        ("return {'question': 'Who?'}", "task_of of my_formats:SURVEYS must return a Task, got the dict"),
        ("row.values['answer']", r"task_of of my_formats:SURVEYS raised KeyError: 'answer' \(my_formats.py, line 19\)"),
        ("int('b')", r"task_of of my_formats:SURVEYS raised ValueError: invalid literal .* line 19\)"),
        ("return Task('id', 'Who?', (7,))", r"Task\(answers=...\) must be a tuple of texts, got \(7,\)"),
        ("return Task('id', 'Who?', '7')", r"Task\(answers=...\) must be a tuple of texts, got '7'"),
        ("return Task('id', 7, ('7',))", r"Task\(question=...\) must be a text, got 7"),
        ("return Task('id', 'Who?', ('7',), grader='exct')", r"Task\(grader='exct'\): .*Did you mean 'exact'"),
    ],
)
def test_a_mistake_of_the_own_task_function_costs_its_row_and_names_file_row_and_function(surveys, mistake, said):
    module = MODULE.replace('raise TaskError("the reply is unknown")', mistake)
    assert module != MODULE
    (surveys / "my_formats.py").write_text(module)
    (surveys / "survey.csv").write_text("desk.png;Who?;unknown\ndesk.png;Which digit?;7\n")
    with pytest.warns(BadRowsWarning, match=rf"survey\.csv, line 1: .*{said}"):
        assert [task.task_id for task in load_tasks("my_formats:SURVEYS:survey.csv").tasks] == ["survey-2"]


def test_a_mistake_of_the_own_row_function_keeps_the_rows_before_it(surveys):
    (surveys / "survey.csv").write_text("desk.png;Which digit?;7\na line of text\ndesk.png;Which letter?;b\n")
    said = r"survey\.csv, after line 1: rows_of of my_formats:SURVEYS raised ValueError: .* line 13\); no later row"
    with pytest.warns(BadRowsWarning, match=said):
        assert [task.task_id for task in load_tasks("my_formats:SURVEYS:survey.csv").tasks] == ["survey-1"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{'photo': photo}", "row 1: rows_of of my_formats:SURVEYS must give a Row, got the dict"),
        (
            "Row(path, number, f'line {number}', [photo])",
            "line 1: rows_of of my_formats:SURVEYS must give a Row of val",
        ),
        ("Row(path, number, f'line {number}', {None: ['x']})", "line 1: it has values without a column"),
    ],
)
def test_what_is_no_row_or_has_columns_without_a_name_is_a_bad_row(surveys, row, said):
    yielded = 'yield Row(path, number, f"line {number}"'
    first = f"if number == 1:\n            yield {row}\n            continue\n        {yielded}"
    (surveys / "my_formats.py").write_text(MODULE.replace(yielded, first))
    with pytest.warns(BadRowsWarning, match=said):
        assert [task.task_id for task in load_tasks("my_formats:SURVEYS:survey.csv").tasks] == ["survey-2"]


def test_a_bug_of_a_format_that_ships_is_not_taken_for_a_bad_row(surveys, monkeypatch):
    def task_of(row, images):
        raise KeyError("a bug of ours")

    (surveys / "tasks.jsonl").write_text('{"question": "1 + 1?", "answer": "2"}\n')
    monkeypatch.setitem(FORMATS, "tasks", replace(FORMATS["tasks"], task_of=task_of))
    with pytest.raises(KeyError, match="a bug of ours"):
        load_tasks("tasks:tasks.jsonl")


def test_a_report_names_the_source_of_an_own_format_and_the_page_of_one_that_ships(surveys):
    (surveys / "survey.csv").write_text("desk.png;Who?;unknown\n")
    (surveys / "tasks.jsonl").write_text('{"question": "1 + 1?"}\n')
    assert "'surveys' is documented in the survey's own page\n" in read_path("my_formats:SURVEYS:survey.csv").report()
    assert "'tasks' is documented in docs/tasks.md\n" in read_path("tasks:tasks.jsonl").report()
    assert all(known.documented_in in ("docs/tasks.md", "docs/benchmarks.md") for known in FORMATS.values())
