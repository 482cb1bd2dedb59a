"""The table of formats, and recognition of the format of a file or folder by its columns.

A caller may pass its own table. Depends on names, columns and paths of files; independent of tasks.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pixel_env.errors import TaskError
from pixel_env.tasks.files import archives
from pixel_env.tasks.files.clips import VIDEO_SUFFIXES
from pixel_env.tasks.files.images import IMAGE_SUFFIXES
from pixel_env.tasks.files.rows import SUFFIXES, columns_of, read_rows
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
"""By the name that may precede a path: "vstar:PATH"."""

_NO_TASKS = (*IMAGE_SUFFIXES, *VIDEO_SUFFIXES, *archives.SUFFIXES)
_SHOWN = 8
_PEEKED = 20
_MOST_FILES = 2000


@dataclass(frozen=True)
class Located:
    """The files that make a set, their format, and the data folder that paths are relative to and may not leave.

    `remarks`: unreadable files in the same folder that may belong to the set, if it has several files.
    """

    files: tuple[Path, ...]
    format: Format
    root: Path
    remarks: tuple[str, ...] = ()


class NoFormatError(TaskError):
    """No format of the table recognises the files at a path."""


def locate(path: Path, named: Format | None, split: str, formats: Formats = FORMATS) -> Located:
    """The set at `path`, in the format `named`, or in the one of `formats` that recognises its columns.

    Raises TaskError; NoFormatError if none of them does.
    """
    if named is not None and not path.exists():
        raise TaskError(f"there is no file or folder {path} to read as {named.name!r}; check the path")
    if path.is_dir():
        return _in_folder(path, named, split, formats)
    chosen = named or _format_of(path, formats)
    return Located((path,), chosen, chosen.root_of(path))


def _format_of(file: Path, formats: Formats) -> Format:
    suffix, has_own = file.suffix.lower(), OWN in formats.values()
    if suffix not in SUFFIXES and has_own:
        return OWN  # whatever its suffix: the reader reports what is wrong with it
    columns = columns_of(file) if suffix in SUFFIXES else frozenset[str]()
    matching = _matching(columns, suffix, None, formats)
    if not matching and suffix == ".jsonl" and has_own:
        return OWN
    if len(matching) != 1:
        raise _not_recognised(file, columns, matching, formats)
    return matching[0]


def _matching(columns: frozenset[str], suffix: str, named: Format | None, formats: Formats) -> list[Format]:
    """The formats that recognise the columns, general ones only if no other does; of these only `named`, if given."""
    if named is not None:
        return [named] if named.recognises(columns, suffix) else []
    fitting = [known for known in formats.values() if not known.is_by_name_only and known.recognises(columns, suffix)]
    return [known for known in fitting if not known.is_general] or fitting


def _not_recognised(file: Path, columns: frozenset[str], matching: Sequence[Format], formats: Formats) -> TaskError:
    reason = "several formats fit" if matching else "no known format fits"
    named = ", ".join(sorted(columns)) or "(none)"
    choices = _choices(matching or list(formats.values()), file)
    message = f"cannot recognise the format of {file}: {reason}; its columns are {named}.\n{choices}"
    return TaskError(message) if matching else NoFormatError(message)


def _choices(formats: Sequence[Format], path: Path) -> str:
    lines = [f"  {known.name}:{path}  ({known.about})" for known in formats]
    return "\n".join(["Give the name of the format before the path:", *lines])


def _in_folder(folder: Path, named: Format | None, split: str, formats: Formats) -> Located:
    reader = named if named is not None and _reads_files_itself(named, formats) else None
    known = formats if named is None else {**formats, named.name: named}
    by_format: dict[str, dict[Path, frozenset[str]]] = {}
    others: list[str] = []
    unreadable: dict[Path, str] = {}
    for file in task_files(folder, _has_known_syntax if reader is None else _may_hold_rows):
        try:
            columns = columns_of(file) if reader is None else _columns_by(reader, file)
        except TaskError as error:
            unreadable[file] = str(error)
            continue
        suffix = file.suffix.lower()
        matching = _matching(columns, suffix, named, formats)
        if not matching and _may_be_own(columns, suffix, named, known):
            matching = [OWN]  # with a mistyped key, which its reader reports
        if len(matching) > 1:
            raise _not_recognised(file, columns, matching, formats)
        if matching:
            by_format.setdefault(matching[0].name, {})[file] = columns
        else:
            others.append(f"{file}: columns {', '.join(sorted(columns)) or '(none)'}")
    if len(by_format) != 1:
        raise _not_one_format(folder, by_format, [*unreadable.values(), *others], named, known)
    [(name, columns_by_file)] = by_format.items()
    files = _files_of_one_set(folder, columns_by_file, known[name], split)
    are_in_folder = all(file.parent == folder for file in files)
    root = known[name].root_of(files[0]) if are_in_folder else folder
    parts = {(file.parent, file.suffix) for file in files} if len(files) > 1 else set()
    remarks = [f"left out: {reason}" for file, reason in unreadable.items() if (file.parent, file.suffix) in parts]
    return Located(files, known[name], root, tuple(remarks))


def _may_be_own(columns: frozenset[str], suffix: str, named: Format | None, formats: Formats) -> bool:
    is_allowed = OWN in formats.values() and named in (None, OWN)
    return is_allowed and suffix == ".jsonl" and {"question", "answer"} <= columns


def _reads_files_itself(named: Format, formats: Formats) -> bool:
    """Whether it is a format from outside of the table with its own `rows_of`: its files may be of any syntax."""
    return named not in formats.values() and named.rows_of is not read_rows


def _columns_by(own: Format, file: Path) -> frozenset[str]:
    """The columns of the first rows that the format's own `rows_of` reads. Raises TaskError if it can read none."""
    rows = list(islice(own.rows_of(file), _PEEKED))
    if rows and all(row.problem for row in rows):
        raise TaskError(f"{file}, {rows[0].location}: {rows[0].problem}")
    return frozenset(name for row in rows for name in row.values)


def task_files(folder: Path, may_hold_tasks: Callable[[str], bool]) -> list[Path]:
    """The files in the folder and its subfolders that may hold tasks, by name; hidden ones are skipped."""
    try:
        folders = [folder, *sorted(entry for entry in folder.iterdir() if entry.is_dir())]
        visible = [directory for directory in folders if _is_visible(directory, folder)]
        files = [entry for directory in visible for entry in _files_in(directory, may_hold_tasks)]
    except OSError as error:
        raise TaskError(f"cannot read the folder {folder}: {error}") from error
    if len(files) > _MOST_FILES:
        raise TaskError(f"{folder} holds {len(files)} files that may be tasks; give the path of one of them")
    return files


def _is_visible(directory: Path, folder: Path) -> bool:
    return directory == folder or not directory.name.startswith(".")


def _has_known_syntax(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def _may_hold_rows(name: str) -> bool:
    """Whether a format that reads files itself may find rows in it: there may be many images, and none holds rows."""
    return not name.lower().endswith(_NO_TASKS)


def _files_in(folder: Path, may_hold_tasks: Callable[[str], bool]) -> list[Path]:
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if may_hold_tasks(entry.name)]
    return [folder / name for name in sorted(names) if not name.startswith(".") and (folder / name).is_file()]


def _not_one_format(
    folder: Path,
    by_format: Mapping[str, Mapping[Path, frozenset[str]]],
    others: Sequence[str],
    named: Format | None,
    formats: Formats,
) -> TaskError:
    if by_format:
        files = [f"  {name}:{next(iter(columns_by_file))}" for name, columns_by_file in by_format.items()]
        return TaskError("\n".join([f"{folder} holds sets of several formats; give one of them:", *files]))
    missing = f"no file of the format {named.name!r}" if named else "no task file of a known format"
    more = [f"... and {len(others) - _SHOWN} more"] if len(others) > _SHOWN else []
    known = [f"  {known.name}: {known.about}" for known in formats.values()]
    return NoFormatError("\n".join([f"{folder} holds {missing}.", *others[:_SHOWN], *more, "Formats:", *known]))


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
