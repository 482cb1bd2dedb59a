"""A format of a user's own, whose mistakes are problems of the row and not tracebacks.

Formats that ship are not guarded: a bug in one of them is an exception. Depends on rows and tasks; independent of what
a format reads.
"""

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pixel_env.errors import MissingExtraError, TaskError
from pixel_env.grading import grader_named
from pixel_env.task import Task
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row, shortened
from pixel_env.tasks.files.rows import read_rows
from pixel_env.tasks.formats.format import Format

_TaskOf = Callable[[Row, ImageFolder], Task]
_RowsOf = Callable[[Path], Iterable[Row]]


def guarded(own: Format, name: str) -> Format:
    """The format with a `task_of` that raises TaskError alone, and a `rows_of` that ends with a row with a problem.

    `name`: what messages call it, 'module:NAME'. A MissingExtraError concerns no single row and is passed on.
    """
    rows_of = own.rows_of if own.rows_of is read_rows else _guarded_rows_of(own.rows_of, name)
    return replace(own, task_of=_guarded_task_of(own.task_of, name), rows_of=rows_of)


def _guarded_task_of(task_of: _TaskOf, name: str) -> _TaskOf:
    def guarded_task_of(row: Row, images: ImageFolder) -> Task:
        try:
            task: object = task_of(row, images)
        except (TaskError, MissingExtraError):
            raise
        except Exception as error:  # the user's code may raise anything
            raise TaskError(_raised(f"task_of of {name}", error)) from error
        if not isinstance(task, Task):
            raise TaskError(f"task_of of {name} must return a Task, got {_described(task)}")
        _check_fields(task, name)
        return task

    return guarded_task_of


def _check_fields(task: Task, name: str) -> None:
    """Raises TaskError for an id, a question, an answer or a grader that could be neither shown nor graded."""
    for field, value in (("task_id", task.task_id), ("question", task.question)):
        if not isinstance(value, str):
            raise TaskError(f"task_of of {name}: Task({field}=...) must be a text, got {shortened(value)}")
    if not isinstance(task.answers, tuple | list) or not all(isinstance(answer, str) for answer in task.answers):
        raise TaskError(f"task_of of {name}: Task(answers=...) must be a tuple of texts, got {shortened(task.answers)}")
    try:
        grader_named(task.grader)
    except Exception as error:  # a grader of the user's own is imported here
        raise TaskError(f"task_of of {name}: Task(grader={task.grader!r}): {error}") from error


def _guarded_rows_of(rows_of: _RowsOf, name: str) -> _RowsOf:
    def guarded_rows_of(path: Path) -> Iterator[Row]:
        number, last = 0, ""
        try:
            for number, row in enumerate(rows_of(path), start=1):
                checked = _checked(row, path, number, name)
                last = checked.location
                yield checked
        except (TaskError, MissingExtraError):
            raise
        except Exception as error:  # the user's code may raise anything
            location = f"after {last}" if last else "before the first row"
            problem = f"{_raised(f'rows_of of {name}', error)}; no later row of the file is read"
            yield Row(path, number + 1, location, problem=problem)

    return guarded_rows_of


def _checked(row: object, path: Path, number: int, name: str) -> Row:
    """The row, or one with a problem if it is no `Row` or the name of a column is no text."""
    if not isinstance(row, Row):
        problem = f"rows_of of {name} must give a Row, got {_described(row)}"
        return Row(path, number, f"row {number}", problem=problem)
    if not isinstance(row.values, Mapping):
        problem = f"rows_of of {name} must give a Row of values by column, got {shortened(row.values)}"
        return replace(row, values={}, problem=problem)
    strange = [column for column in row.values if not isinstance(column, str)]
    if not strange:
        return row
    values = shortened(row.values[strange[0]])
    problem = f"it has values without a column: rows_of of {name} gives {values} the name {strange[0]!r}, not a text"
    return replace(row, values={}, problem=problem)


def _raised(function: str, error: Exception) -> str:
    """What the function raised, and at which line of the user's own file."""
    frames = traceback.extract_tb(error.__traceback__)[1:]  # the first one is the guard's
    place = f" ({Path(frames[0].filename).name}, line {frames[0].lineno})" if frames else ""
    return f"{function} raised {type(error).__name__}: {error}{place}"


def _described(value: object) -> str:
    return "None" if value is None else f"the {type(value).__name__} {shortened(value)}"
