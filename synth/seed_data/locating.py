"""Which files of a path hold seed data, and in which format: the table of formats that only synthesis reads.

Depends on names and columns of files; independent of their rows. Everything else is read as an ordinary task set
(`pixel_env/tasks`).
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from pixel_env.errors import TaskError
from pixel_env.tasks.files.rows import columns_of
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.outside import format_before_path
from pixel_env.tasks.formats.recognition import Located, NoFormatError, locate
from synth.seed_data.coco import COCO
from synth.seed_data.sa1b import SA1B
from synth.seed_data.star import STAR
from synth.seed_data.webpages import WEBPAGES

SEED_FORMATS: dict[str, Format] = {known.name: known for known in (SA1B, WEBPAGES, STAR, COCO)}
"""The formats by name, which may be written before a path: "coco:PATH"."""

_SA1B_FILE = re.compile(r"sa_([0-9]+)\.json")


def locate_seeds(spec: str | Path, split: str) -> Located | None:
    """The seed files at a path, with the format named before it or recognised by columns; None: no format of this
    table.

    Raises TaskError.
    """
    named, place = format_before_path(spec, SEED_FORMATS)
    path = Path(place).expanduser()
    if named is None and not path.exists():
        return None
    # A folder of SA-1B holds 11,000 files of one image each, far more than a task set may. Any file that is readable
    # identifies the format; the first one may be broken, and is then named by the reader.
    if named in (None, SA1B) and path.is_dir() and any(map(_is_of_sa1b, files := _sa1b_files(path))):
        return Located(files, SA1B, path)
    try:
        return locate(path, named, split, SEED_FORMATS)
    except NoFormatError:
        if named is not None:
            raise
        return None  # the readers of task sets report the error if it is not one of theirs


def _is_of_sa1b(file: Path) -> bool:
    try:
        return SA1B.recognises(columns_of(file), file.suffix)
    except TaskError:
        return False


def _sa1b_files(folder: Path) -> tuple[Path, ...]:
    numbered = [
        (int(match[1]), Path(parent, name)) for parent, name in _names(folder) if (match := _SA1B_FILE.fullmatch(name))
    ]
    return tuple(path for _, path in sorted(numbered))


def _names(folder: Path) -> Iterator[tuple[str, str]]:
    """Each name in the folder and in its subfolders, with the folder that it is in."""
    try:
        for entry in os.scandir(folder):
            if entry.is_dir():
                yield from ((entry.path, name) for name in os.listdir(entry.path))
            else:
                yield os.fspath(folder), entry.name
    except OSError as error:
        raise TaskError(f"cannot read the folder {folder}: {error}") from error
