"""A dialect of a user's own, kept beside what was made with it: `dialect.yaml` in runs, traces and checkpoints.

A row of the table is known everywhere by its name. A file or a 'module:NAME' may be missing or changed elsewhere, so
the dialect's value is written down. Depends on dialects and files; independent of what a folder holds besides.
"""

from dataclasses import replace
from pathlib import Path

from agents.run_folder.configuration import write_whole
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.files import dialect_text
from pixel_env.dialects.table import DIALECTS, dialect_named, parts_of_name

KEPT = "dialect.yaml"


def keep_dialect(folder: Path, name: str) -> None:
    """Writes the dialect called `name` into `folder`, if it is no row of the table or a variant of one.

    Raises UnknownNameError or ConfigError for a name that means nothing.
    """
    if _is_own(name):
        write_whole(folder / KEPT, dialect_text(dialect_named(name)))


def kept_name(folder: Path, name: str) -> str:
    """The name by which the dialect that `folder` records is found: its file there, if it is kept, else `name`."""
    return str(folder / KEPT) if _is_own(name) and (folder / KEPT).is_file() else name


def is_same(name: str, dialect: Dialect) -> bool:
    """Whether the dialect called `name` is `dialect` under another name, such as a file that was copied."""
    return _is_own(name) and replace(dialect_named(name), name=dialect.name) == dialect


def _is_own(name: str) -> bool:
    return parts_of_name(name)[0] not in DIALECTS
