"""Options are shown with letters, of which there are 26."""

import json

import pytest

from pixel_env.dialects.table import dialect_named
from pixel_env.dialects.wording import opening_prompt
from pixel_env.errors import TaskError
from pixel_env.tasks import BadRowsWarning, load_tasks
from pixel_env.testing import tiny_task


def options(count):
    return [f"option number {n}" for n in range(count)]


def test_26_options_each_have_a_letter_of_their_own():
    shown = opening_prompt(tiny_task(options=tuple(options(26))), dialect_named("default")).question
    assert "(A) option number 0\n" in shown and "(Z) option number 25" in shown


def test_a_row_with_more_options_than_letters_is_a_bad_row(tmp_path):
    rows = [
        {"id": f"q{count}", "question": "Which?", "options": options(count), "answer": "option number 1"}
        for count in (26, 27)
    ]
    (tmp_path / "tasks.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    with pytest.warns(BadRowsWarning, match=r"line 2: the task 'q27' has 27 options, .*at most 26"):
        assert [task.task_id for task in load_tasks(tmp_path / "tasks.jsonl").tasks] == ["q26"]


def test_a_task_of_your_own_with_more_options_than_letters_is_refused():
    with pytest.raises(TaskError, match=r"'tiny-0' has 27 options, .*at most 26"):
        load_tasks([tiny_task(options=tuple(options(27)))])
