"""Which format a file or folder holds: the table of formats, told apart by columns. Others may bring a table of theirs.

Knows names, columns and places of files. Makes no task.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pixel_env.errors import TaskError
from pixel_env.tasks.files.rows import SUFFIXES, columns_of
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.infographicvqa import INFOGRAPHICVQA
from pixel_env.tasks.formats.jsonl import OWN
from pixel_env.tasks.formats.mvbench import MVBENCH
from pixel_env.tasks.formats.pixelreasoner import RELEASED
from pixel_env.tasks.formats.tallyqa import TALLYQA, TALLYQA_COMPLEX
from pixel_env.tasks.formats.vlmevalkit import VLMEVALKIT
from pixel_env.tasks.formats.vstar import VSTAR

Formats = Mapping[str, Format]

FORMATS: dict[str, Format] = {
    known.name: known for known in (OWN, RELEASED, VSTAR, TALLYQA, TALLYQA_COMPLEX, INFOGRAPHICVQA, MVBENCH, VLMEVALKIT)
}
"""By the name that is written before a path: "vstar:PATH"."""

_SHOWN = 8
_MOST_FILES = 2000


@dataclass(frozen=True)
class Located:
    """The files that make a set, their format, and the data folder that paths are relative to and may not leave.

    `remarks`: of a set of several files, what is said of one beside them that cannot be read and looks like a part.
    """

    files: tuple[Path, ...]
    format: Format
    root: Path
    remarks: tuple[str, ...] = ()


class NoFormatError(TaskError):
    """Nothing at a path is of a format of the table."""


def locate(path: Path, named: Format | None, split: str, formats: Formats = FORMATS) -> Located:
    """What is at `path`, read as `named` or as the one of `formats` that its columns tell.

    Raises TaskError; if it is of none of them, NoFormatError.
    """
    if named is not None and not path.exists():
        raise TaskError(f"there is no file or folder {path} to read as {named.name!r}; check the path")
    if path.is_dir():
        known = formats if named is None else {**formats, named.name: named}
        return _in_folder(path, named, split, known)
    chosen = named or _format_of(path, formats)
    return Located((path,), chosen, chosen.root_of(path))


def _format_of(file: Path, formats: Formats) -> Format:
    suffix, has_own = file.suffix.lower(), OWN in formats.values()
    if suffix not in SUFFIXES and has_own:
        return OWN  # whatever its name says: the reader tells what is wrong with it
    columns = columns_of(file) if suffix in SUFFIXES else frozenset[str]()
    told = _told(columns, suffix, formats)
    if not told and suffix == ".jsonl" and has_own:
        return OWN
    if len(told) != 1:
        raise _untold(file, columns, told, formats)
    return told[0]


def _told(columns: frozenset[str], suffix: str, formats: Formats) -> list[Format]:
    return [known for known in formats.values() if not known.is_by_name_only and known.told_by(columns, suffix)]


def _untold(file: Path, columns: frozenset[str], told: Sequence[Format], formats: Formats) -> TaskError:
    found = "it could be of several formats" if told else "it is of no format that is known"
    named = ", ".join(sorted(columns)) or "(none)"
    ways = _ways_to_name(told or list(formats.values()), file)
    message = f"cannot tell how to read {file}: {found}; its columns are {named}.\n{ways}"
    return TaskError(message) if told else NoFormatError(message)


def _ways_to_name(formats: Sequence[Format], path: Path) -> str:
    lines = [f"  {known.name}:{path}  ({known.about})" for known in formats]
    return "\n".join(["Say which it is, with its name before the path:", *lines])


def _in_folder(folder: Path, named: Format | None, split: str, formats: Formats) -> Located:
    found: dict[str, dict[Path, frozenset[str]]] = {}
    others: list[str] = []
    unreadable: dict[Path, str] = {}
    for file in task_files(folder):
        try:
            columns = columns_of(file)
        except TaskError as error:
            unreadable[file] = str(error)
            continue
        suffix = file.suffix.lower()
        told = _told(columns, suffix, formats) if named is None else [named] if named.told_by(columns, suffix) else []
        if not told and _may_be_own(columns, suffix, named, formats):
            told = [OWN]  # with a mistyped key, which its reader names
        if len(told) > 1:
            raise _untold(file, columns, told, formats)
        if told:
            found.setdefault(told[0].name, {})[file] = columns
        else:
            others.append(f"{file}: columns {', '.join(sorted(columns)) or '(none)'}")
    if len(found) != 1:
        raise _not_one_format(folder, found, [*unreadable.values(), *others], named, formats)
    [(name, columns_by_file)] = found.items()
    files = _files_of_one_set(folder, columns_by_file, formats[name], split)
    is_beside = all(file.parent == folder for file in files)
    root = formats[name].root_of(files[0]) if is_beside else folder
    parts = {(file.parent, file.suffix) for file in files} if len(files) > 1 else set()
    remarks = [f"left out: {said}" for file, said in unreadable.items() if (file.parent, file.suffix) in parts]
    return Located(files, formats[name], root, tuple(remarks))


def _may_be_own(columns: frozenset[str], suffix: str, named: Format | None, formats: Formats) -> bool:
    is_wanted = OWN in formats.values() and named in (None, OWN)
    return is_wanted and suffix == ".jsonl" and {"question", "answer"} <= columns


def task_files(folder: Path) -> list[Path]:
    """The files in the folder and in the folders in it that may hold tasks, by name; hidden ones are none."""
    try:
        folders = [folder, *sorted(entry for entry in folder.iterdir() if entry.is_dir())]
        files = [entry for place in folders if _is_shown(place, folder) for entry in _files_in(place)]
    except OSError as error:
        raise TaskError(f"cannot read the folder {folder}: {error}") from error
    if len(files) > _MOST_FILES:
        raise TaskError(f"{folder} holds {len(files)} files that may be tasks; give the path of the one that is meant")
    return files


def _is_shown(place: Path, folder: Path) -> bool:
    return place == folder or not place.name.startswith(".")


def _files_in(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.name.lower().endswith(SUFFIXES)]
    return [folder / name for name in sorted(names) if not name.startswith(".") and (folder / name).is_file()]


def _not_one_format(
    folder: Path,
    found: Mapping[str, Mapping[Path, frozenset[str]]],
    others: Sequence[str],
    named: Format | None,
    formats: Formats,
) -> TaskError:
    if found:
        files = [f"  {name}:{next(iter(of_it))}" for name, of_it in found.items()]
        return TaskError("\n".join([f"{folder} holds sets of several formats; give one of them:", *files]))
    wanted = f"no file of the format {named.name!r}" if named else "no task file of a format that is known"
    more = [f"... and {len(others) - _SHOWN} more"] if len(others) > _SHOWN else []
    known = [f"  {known.name}: {known.about}" for known in formats.values()]
    return NoFormatError("\n".join([f"{folder} holds {wanted}.", *others[:_SHOWN], *more, "Formats:", *known]))


def _files_of_one_set(
    folder: Path, columns_by_file: Mapping[Path, frozenset[str]], known: Format, split: str
) -> tuple[Path, ...]:
    single = [file for file, columns in columns_by_file.items() if not known.joins(columns)]
    if not single:
        return tuple(columns_by_file)
    word = known.test_word if split == "test" else "train"
    chosen = single if len(single) == 1 else [file for file in single if word in file.stem.lower()]
    if len(chosen) != 1:
        names = "\n".join(f"  {file}" for file in single)
        raise TaskError(f"{folder} holds several files of the format {known.name!r}; give one of them:\n{names}")
    return tuple(chosen)
