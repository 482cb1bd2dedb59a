"""The result of reading a task file: its tasks, and what is wrong with it, row by row.

Depends on rows, tasks and the declarations of a format; independent of what any single format contains.
"""

import itertools
import os
import re
import warnings
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pixel_env.errors import TaskError
from pixel_env.grading import grade
from pixel_env.task import Task, TaskSet
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row, shortened
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.options import check_option_count
from pixel_env.tasks.formats.recognition import Located

_REPORTED = 20
_LONGEST_REASON = 1000  # characters
_PLACEHOLDER = re.compile(r"<image>|<img>[^<>]+</img>|\A<video>")
_CONVERSATIONS = ("conversations", "messages")
"""Columns with later turns, whose images the first question does not show: their reader checks them."""


class BadRowsWarning(UserWarning):
    """Rows of a task file were left out. The message names them."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that is left out: its location ("line 3"), and why."""

    file: Path
    number: int
    location: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, {self.location}: {self.reason}"


@dataclass(frozen=True)
class Reading:
    """A set as read: `rows` counts all of them; `problems` are those left out; `remarks` concern no single row.

    `notices`: what was chosen among several; no fault.
    """

    task_set: TaskSet
    format: Format
    rows: int
    problems: tuple[Problem, ...] = ()
    remarks: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def format_name(self) -> str:
        """The name of the format that it was read as."""
        return self.format.name

    @property
    def is_sound(self) -> bool:
        """Whether it holds tasks and nothing is wrong with any row."""
        return self.rows > 0 and not self.problems

    def report(self) -> str:
        """All problems, the first rows with their reasons and the others by number; "" if there are none."""
        page = self.format.documented_in or self.format.source
        documentation = f"; the format {self.format_name!r} is documented in {page}" if page else ""
        lines = [f"{len(self.problems)} bad row(s) of {self.rows}{documentation}"] if self.problems else []
        lines += map(str, self.problems[:_REPORTED])
        more = self.problems[_REPORTED:]
        if more:
            lines.append(f"... and {len(more)} more; pixel-env data check --all prints their reasons:")
            lines += _by_number(more)
        return "\n".join([*self.remarks, *lines])

    def usable(self, *, strict: bool) -> TaskSet:
        """The tasks. Bad rows are left out, with a BadRowsWarning and a notice; `strict` raises TaskError instead.

        A set without one usable row raises TaskError, too.
        """
        if not self.problems and not self.remarks:
            return self.task_set
        if strict or not len(self.task_set):
            raise TaskError(self.report())
        warnings.warn(f"{self.task_set.name}: {self.report()}", BadRowsWarning, stacklevel=4)
        if not self.problems:
            return self.task_set
        left_out = f"{len(self.problems)} of {self.rows} rows could not be used and are left out"
        return replace(self.task_set, notice=" ".join(filter(None, (self.task_set.notice, f"{left_out}."))))


def read_located(located: Located, checked: Mapping[str, str] | None = None) -> tuple[Reading, ImageFolder]:
    """The tasks in the files, and the images that they name. `checked`: see ImageFolder. Raises TaskError."""
    chosen, first = located.format, located.files[0]
    file_folder = os.path.relpath(first.parent, located.root)
    below = ("",) if file_folder == "." else (file_folder, "")
    subfolders = (os.path.join(folder, name) for folder in below for name in chosen.below)
    images = ImageFolder(located.root, (*below, *subfolders), checked, located.access)
    rows = (row for file in located.files for row in chosen.rows_of(file))
    name = first.stem if len(located.files) == 1 else located.root.name
    reading = _gathered(rows, lambda row: chosen.task_of(row, images), name, chosen)
    notice = " ".join(filter(None, (reading.task_set.notice, *located.notices)))
    task_set = replace(reading.task_set, notice=notice)
    remarks = (*located.remarks, *reading.remarks)
    return replace(reading, task_set=task_set, remarks=remarks, notices=located.notices), images


def _gathered(rows: Iterable[Row], task_of: Callable[[Row], Task], name: str, chosen: Format) -> Reading:
    tasks: dict[str, Task] = {}
    seen: Counter[str] = Counter()
    problems: list[Problem] = []
    columns: set[str] = set()
    count = 0
    for row in rows:
        count += 1
        columns.update(row.values)
        try:
            if row.problem:
                raise TaskError(row.problem)
            task = task_of(row)
            check_option_count(task)
            _check_placeholders(row, task)
            _check_references(task, is_lenient=chosen.is_lenient)
            seen[task.task_id] += 1
            if seen[task.task_id] > 1:
                task = _renamed(task, seen[task.task_id], tasks, chosen.is_lenient)
            tasks[task.task_id] = task
        except TaskError as error:
            problems.append(Problem(row.file, row.number, row.location, _within_lines(str(error))))
    strange = sorted(columns - chosen.columns) if chosen.is_lenient else []
    remarks = (f"column(s) {', '.join(strange)} are unknown to {chosen.name!r} and are ignored",) if strange else ()
    task_set = TaskSet(name, tuple(tasks.values()))
    return Reading(task_set, chosen, count, tuple(problems), remarks)


def _within_lines(reason: str) -> str:
    """The reason, of which a reader of a user's own may have written a whole cell."""
    return reason if len(reason) <= _LONGEST_REASON else f"{reason[: _LONGEST_REASON - 3]}..."


def _check_placeholders(row: Row, task: Task) -> None:
    """Raises TaskError for a question that stands for an image or a video which the row does not have."""
    if task.sources:
        return
    texts = (str(value) for name, value in row.values.items() if name not in _CONVERSATIONS)
    if found := next(filter(None, map(_PLACEHOLDER.search, texts)), None):
        raise TaskError(
            f"its text holds {shortened(found[0])}, but the row has no image or video; give it in a column, as 'image'"
        )


def _check_references(task: Task, *, is_lenient: bool) -> None:
    """Raises TaskError for a reference that its own grader never accepts; if lenient, only if it accepts none."""
    never = [answer for answer in task.answers if grade(replace(task, answers=(answer,)), answer) < 1.0]
    if not never or (is_lenient and len(never) < len(task.answers)):
        return
    advice = "give exactly one number, in digits or words" if task.grader == "number" else "give another answer"
    raise TaskError(
        f"the answer {shortened(never[0])} can never be graded as right by {task.grader!r}: {advice}"
        + ("" if is_lenient else ", or another 'grader' ('exact' takes any text)")
    )


def _by_number(problems: Sequence[Problem]) -> list[str]:
    """The locations of the rows, one line per file; consecutive rows are written as a range."""
    lines = []
    for file, of_file in itertools.groupby(problems, key=lambda problem: problem.file):
        runs: list[list[Problem]] = []
        for problem in of_file:
            if runs and problem.number == runs[-1][-1].number + 1:
                runs[-1].append(problem)
            else:
                runs.append([problem])
        locations = [run[0].location if len(run) == 1 else f"{run[0].location} to {run[-1].number}" for run in runs]
        lines.append(f"{file}, {', '.join(locations)}")
    return lines


def _renamed(task: Task, number: int, taken: Container[str], is_lenient: bool) -> Task:
    name = f"{task.task_id}#{number}"
    if not is_lenient or name in taken:
        raise TaskError(f"an earlier row has the id {shortened(task.task_id)}, too; give each row its own id")
    return replace(task, task_id=name)
