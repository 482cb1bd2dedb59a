"""Which files of a path hold seeds, and in which format: the table of formats that only synthesis reads.

Knows names and columns of files. Whatever it does not know is a task set like any other (`pixel_env/tasks`).
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pixel_env.errors import TaskError
from pixel_env.tasks.format import Format
from pixel_env.tasks.recognition import Located, locate, task_files
from pixel_env.tasks.rows import SUFFIXES, columns_of
from synth.cues.coco import COCO
from synth.cues.sa1b import SA1B
from synth.cues.star import STAR
from synth.cues.webpages import WEBPAGES

SEED_FORMATS: dict[str, Format] = {known.name: known for known in (SA1B, WEBPAGES, STAR, COCO)}
"""By the name that is written before a path: "coco:PATH"."""

_SA1B_FILE = re.compile(r"sa_([0-9]+)\.json")


def locate_seeds(spec: str | Path, split: str) -> Located | None:
    """The seed files at a path, named before it or told by their columns; None: no format of this table.

    Raises TaskError.
    """
    prefix, colon, rest = str(spec).partition(":")
    named = SEED_FORMATS.get(prefix) if colon and not os.path.exists(spec) else None
    path = Path(rest if named else spec).expanduser()
    if path.is_dir():
        return _in_folder(path, named, split)
    chosen = named or (_told(path) if path.is_file() else None)
    return None if chosen is None else locate(path, chosen, split)


def _told(file: Path) -> Format | None:
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        return None
    columns = columns_of(file)
    return next((known for known in SEED_FORMATS.values() if known.told_by(columns, suffix)), None)


def _in_folder(folder: Path, named: Format | None, split: str) -> Located | None:
    # A folder of SA-1B holds 11,000 files of one picture each, far more than a task set may: one tells for all.
    if named in (None, SA1B) and (files := _sa1b_files(folder)) and _told(files[0]) is SA1B:
        return Located(files, SA1B, folder)
    found: dict[str, list[Path]] = {}
    for file in task_files(folder):
        told = _told_or_broken(file)
        if told is not None and named in (None, told):
            found.setdefault(told.name, []).append(file)
    if len(found) > 1:
        raise TaskError(_several(folder, found))
    if not found:
        if named is None:
            return None
        raise TaskError(f"{folder} holds no file of the format {named.name!r}: {named.about}")
    [(name, of_it)] = found.items()
    known = SEED_FORMATS[name]
    files = tuple(of_it) if known is SA1B else _of_one_split(folder, known, of_it, split)
    return Located(files, known, known.root_of(files[0]))


def _told_or_broken(file: Path) -> Format | None:
    try:
        return _told(file)
    except TaskError:  # no seed is in it; if no other file holds some, the task readers say what is wrong with it
        return None


def _of_one_split(folder: Path, known: Format, files: Sequence[Path], split: str) -> tuple[Path, ...]:
    word = known.test_word if split == "test" else "train"
    chosen = list(files) if len(files) == 1 else [file for file in files if word in file.stem.lower()]
    if len(chosen) != 1:
        raise TaskError(_several(folder, {known.name: files}))
    return tuple(chosen)


def _several(folder: Path, found: Mapping[str, Sequence[Path]]) -> str:
    lines = [f"  {name}:{file}" for name, files in found.items() for file in files]
    return "\n".join([f"{folder} holds several files of seeds; give one of them:", *lines])


def _sa1b_files(folder: Path) -> tuple[Path, ...]:
    numbered = [
        (int(match[1]), Path(place, name)) for place, name in _names(folder) if (match := _SA1B_FILE.fullmatch(name))
    ]
    return tuple(path for _, path in sorted(numbered))


def _names(folder: Path) -> Iterator[tuple[str, str]]:
    """The folder and the folders in it, and each name in them."""
    try:
        for entry in os.scandir(folder):
            if entry.is_dir():
                yield from ((entry.path, name) for name in os.listdir(entry.path))
            else:
                yield os.fspath(folder), entry.name
    except OSError as error:
        raise TaskError(f"cannot read the folder {folder}: {error}") from error
