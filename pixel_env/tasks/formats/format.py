"""`Format`: what the reader of one task format declares.

Values only. The table of the formats that ship is in `recognition.py`; one of your own is named 'module:NAME' before
its path (`outside.py`).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pixel_env.task import Task
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row
from pixel_env.tasks.files.rows import read_rows


def _folder_of(file: Path) -> Path:
    return file.parent


def _never(columns: frozenset[str]) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Format:
    """A task format: how it is recognised, and how a row becomes a task.

    `recognises(columns, suffix)`: whether a file is of this format; not called if `is_by_name_only`, nor for a file
    that the format is named before. `is_general`: it reads only what no other format recognises. `task_of(row,
    images)`: the task; raises TaskError for a row that cannot be used. `columns`: all columns of the format. `source`:
    where the schema is published; `is_verified`: whether by the data's own publisher. `rows_of(file)`: its rows.
    `root_of(file)`: the data folder; `below`: folders in it that may hold images. `joins(columns)`: whether all such
    files of a folder are one set; of other files one is chosen, for the split "test" the one with `test_word` in its
    name. `preferred_suffix`: of a download that holds the same rows in several syntaxes, the one that is read.
    `is_lenient`: a repeated id gets a number and an unknown column a remark; otherwise both are problems of the row.
    `documented_in`: the page that documents the format; messages name the `source` if it is "", as for a format of your
    own.
    """

    name: str
    about: str
    source: str
    is_verified: bool
    columns: frozenset[str]
    recognises: Callable[[frozenset[str], str], bool]
    task_of: Callable[[Row, ImageFolder], Task]
    is_by_name_only: bool = False
    is_general: bool = False
    rows_of: Callable[[Path], Iterable[Row]] = read_rows
    root_of: Callable[[Path], Path] = _folder_of
    below: tuple[str, ...] = ()
    joins: Callable[[frozenset[str]], bool] = _never
    test_word: str = "test"
    preferred_suffix: str = ""
    is_lenient: bool = True
    documented_in: str = ""
