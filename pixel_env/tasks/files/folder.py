"""The files of a folder that may hold tasks, level by level.

Depends on names of files; independent of formats and of what the files contain.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from pixel_env.errors import TaskError
from pixel_env.media.pictures import IMAGE_SUFFIXES
from pixel_env.tasks.files.clips import VIDEO_SUFFIXES

_MOST_FILES = 2000
_MOST_FOLDERS = 5000
DEEPEST = 3
"""Levels of folders below the given one that are searched."""


def levels(folder: Path, may_hold_tasks: Callable[[Path], bool]) -> Iterator[list[Path]]:
    """The files of the folder and its subfolders, then of each deeper level; by name, hidden ones are skipped.

    The levels are read as they are asked for: a set may lie beside folders of a hundred thousand images. Raises
    TaskError for a folder that cannot be read, or with too many files that may be tasks.
    """
    try:
        folders = [folder]
        for depth in range(DEEPEST):
            below = [entry for parent in folders for entry in _folders_in(parent)]
            searched = [*folders, *below] if depth == 0 else below
            if len(searched) > _MOST_FOLDERS:
                return  # these are folders of images
            yield _checked([file for parent in searched for file in _files_in(parent, may_hold_tasks)], folder)
            folders = below
    except OSError as error:
        raise TaskError(f"cannot read the folder {folder}: {error}") from error


def _checked(files: list[Path], folder: Path) -> list[Path]:
    if len(files) > _MOST_FILES:
        raise TaskError(f"{folder} holds {len(files)} files that may be tasks; give the path of one of them")
    return files


def _folders_in(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if not entry.name.startswith(".") and _is_folder(entry)]
    return [folder / name for name in sorted(names)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads in a circle
        return False


def _is_no_image(name: str) -> bool:
    return not name.lower().endswith((*IMAGE_SUFFIXES, *VIDEO_SUFFIXES))  # there may be a hundred thousand


def _files_in(folder: Path, may_hold_tasks: Callable[[Path], bool]) -> list[Path]:
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if not entry.name.startswith(".") and _is_no_image(entry.name)]
    files = (folder / name for name in sorted(names))
    return [file for file in files if may_hold_tasks(file) and file.is_file()]
