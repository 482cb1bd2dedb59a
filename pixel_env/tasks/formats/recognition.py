"""The table of formats, and recognition of the format of a file or folder by its columns.

A caller may pass its own table. Depends on names, columns and paths of files; independent of tasks.
"""

import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from pixel_env.errors import TaskError
from pixel_env.media.pictures import IMAGE_SUFFIXES
from pixel_env.tasks.files import archives
from pixel_env.tasks.files.access import MediaAccess
from pixel_env.tasks.files.clips import VIDEO_SUFFIXES
from pixel_env.tasks.files.folder import levels
from pixel_env.tasks.files.row import missing
from pixel_env.tasks.files.rows import SUFFIXES, columns_of, read_rows, syntax_of
from pixel_env.tasks.files.shards import joined
from pixel_env.tasks.files.webdataset import holds_samples
from pixel_env.tasks.formats.charxiv import CHARXIV
from pixel_env.tasks.formats.conversations import CONVERSATIONS
from pixel_env.tasks.formats.docvqa import DOCVQA
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.infographicvqa import INFOGRAPHICVQA
from pixel_env.tasks.formats.insight_o3 import INSIGHT_O3
from pixel_env.tasks.formats.jsonl import OWN
from pixel_env.tasks.formats.longvideobench import LONGVIDEOBENCH
from pixel_env.tasks.formats.lvbench import LVBENCH
from pixel_env.tasks.formats.mvbench import MVBENCH
from pixel_env.tasks.formats.pixelreasoner import RELEASED
from pixel_env.tasks.formats.splits import files_of_one_set
from pixel_env.tasks.formats.table import TABLE
from pixel_env.tasks.formats.tallyqa import TALLYQA, TALLYQA_COMPLEX
from pixel_env.tasks.formats.verl import VERL
from pixel_env.tasks.formats.videomme import VIDEOMME
from pixel_env.tasks.formats.visual_probe import VISUAL_PROBE
from pixel_env.tasks.formats.vlmevalkit import VLMEVALKIT
from pixel_env.tasks.formats.vstar import VSTAR
from pixel_env.tasks.formats.zoombench import ZOOMBENCH, ZOOMBENCH_CROP, ZOOMBENCH_VIEWS

Formats = Mapping[str, Format]

FORMATS: dict[str, Format] = {
    known.name: known
    for known in (
        *(OWN, RELEASED, VSTAR, TALLYQA, TALLYQA_COMPLEX, INFOGRAPHICVQA, DOCVQA, MVBENCH, VLMEVALKIT),
        *(INSIGHT_O3, VISUAL_PROBE, ZOOMBENCH, ZOOMBENCH_CROP, ZOOMBENCH_VIEWS, CHARXIV),
        *(LONGVIDEOBENCH, VIDEOMME, LVBENCH, VERL, CONVERSATIONS, TABLE),
    )
}
"""By the name that may precede a path: "vstar:PATH"."""

_NO_TASKS = (*IMAGE_SUFFIXES, *VIDEO_SUFFIXES, *archives.SUFFIXES)
_CACHED = "cache-"  # `datasets` leaves results of earlier work beside an Arrow file
_SHOWN = 8
_PEEKED = 20


@dataclass(frozen=True)
class Located:
    """The files that make a set, their format, and the data folder that paths are relative to and may not leave.

    `remarks`: unreadable files in the same folder that may belong to the set, if it has several files. `notices`: what
    was chosen among several; no fault. `access`: where images may be besides `root`.
    """

    files: tuple[Path, ...]
    format: Format
    root: Path
    remarks: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    access: MediaAccess = field(default_factory=MediaAccess)


class NoFormatError(TaskError):
    """No format of the table recognises the files at a path."""


def locate(path: Path, named: Format | None, split: str, formats: Formats = FORMATS) -> Located:
    """The set at `path`, in the format `named`, or in the one of `formats` that recognises its columns.

    A path with `*` that does not exist is a pattern: the files that match it, in the order of their names. Raises
    TaskError; NoFormatError if no format recognises the files.
    """
    matching = [] if path.exists() else _files_of_pattern(path)
    if not path.exists() and not matching:
        raise _missing(path, named)
    if path.is_dir():
        return _in_folder(path, named, split, formats)
    files = tuple(matching) or (path,)
    if strange := next((file for file in files if not file.is_file()), None):  # a pipe or a device may have no end
        raise TaskError(f"{strange} is no regular file; give the path of a file or a folder of tasks")
    found = {known.name: known for known in (named or _format_of(file, formats) for file in files)}
    if len(found) > 1:
        raise TaskError(f"the files {path} are of several formats: {', '.join(found)}; give a narrower pattern")
    [chosen] = found.values()
    return Located(files, chosen, chosen.root_of(files[0]))


def _missing(path: Path, named: Format | None) -> TaskError:
    if named is not None:
        return TaskError(f"there is no file or folder {path} to read as {named.name!r}; check the path")
    return missing(path)


def _files_of_pattern(path: Path) -> list[Path]:
    """The files that a pattern names; only its last part may hold signs such as `*`."""
    if not glob.has_magic(path.name):
        return []
    return sorted(file for file in path.parent.glob(path.name) if file.is_file())


def _format_of(file: Path, formats: Formats) -> Format:
    suffix, has_own = syntax_of(file), OWN in formats.values()
    if file.name.lower().endswith(archives.SUFFIXES) and file.is_file() and not _holds_rows(file):
        raise TaskError(f"{file} is an archive of files, not of tasks: {archives.advice(file.parent)}")
    if not _holds_rows(file) and has_own:
        return OWN  # whatever its suffix: the reader reports what is wrong with it
    columns = columns_of(file) if _holds_rows(file) else frozenset[str]()
    matching = _matching(columns, suffix, None, formats)
    if not matching and suffix == ".jsonl" and has_own:
        return OWN
    if len(matching) != 1:
        raise _not_recognised(file, columns, matching, formats)
    return matching[0]


def _holds_rows(file: Path) -> bool:
    """Whether a reader of `files/rows.py` reads the file; of archives only those of samples."""
    name = file.name.lower()
    if name.endswith(".tar"):
        return file.is_file() and holds_samples(file)
    return name.endswith(SUFFIXES) and not (name.startswith(_CACHED) and name.endswith(".arrow"))


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


@dataclass
class _Found:
    """What a folder holds: the columns of each file by its format, other files, and those that cannot be read."""

    by_format: dict[str, dict[Path, frozenset[str]]] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    unreadable: dict[Path, str] = field(default_factory=dict)


def _in_folder(folder: Path, named: Format | None, split: str, formats: Formats) -> Located:
    reads_itself = named is not None and _reads_files_itself(named, formats)
    known = formats if named is None else {**formats, named.name: named}
    found = _Found()
    for files in levels(folder, _may_hold_rows if reads_itself else _holds_rows):
        for file in files:
            _sort_in(file, found, named, formats)
        if found.by_format:
            break  # what lies deeper is not part of a set above it
    if len(found.by_format) != 1:
        raise _not_one_format(folder, found, named, known)
    [(name, columns_by_file)] = found.by_format.items()
    chosen, notices = files_of_one_set(folder, columns_by_file, known[name], split)
    are_in_folder = all(file.parent == folder for file in chosen)
    root = known[name].root_of(chosen[0]) if are_in_folder else folder
    parts = {(file.parent, file.suffix) for file in chosen} if len(chosen) > 1 else set()
    left_out = [reason for file, reason in found.unreadable.items() if (file.parent, file.suffix) in parts]
    return Located(chosen, known[name], root, tuple(f"left out: {reason}" for reason in left_out), notices)


def _sort_in(file: Path, found: _Found, named: Format | None, formats: Formats) -> None:
    """Adds the file to what was found in its folder. Raises TaskError if several formats fit it."""
    reader = named if named is not None and _reads_files_itself(named, formats) else None
    try:
        columns = columns_of(file) if reader is None else _columns_by(reader, file)
    except TaskError as error:
        found.unreadable[file] = str(error)
        return
    suffix = syntax_of(file)
    matching = _matching(columns, suffix, named, formats)
    if not matching and _may_be_own(columns, suffix, named, formats):
        matching = [OWN]  # with a mistyped key, which its reader reports
    if len(matching) > 1:
        raise _not_recognised(file, columns, matching, formats)
    if matching:
        found.by_format.setdefault(matching[0].name, {})[file] = columns
    else:
        found.others.append(f"{file}: columns {', '.join(sorted(columns)) or '(none)'}")


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


def _may_hold_rows(file: Path) -> bool:
    """Whether a format that reads files itself may find rows in it: there may be many images, and none holds rows."""
    return not file.name.lower().endswith(_NO_TASKS)


def _not_one_format(folder: Path, found: _Found, named: Format | None, formats: Formats) -> TaskError:
    if found.by_format:
        files = [f"  {name}:{one.pattern}" for name, files in found.by_format.items() for one in joined(list(files))]
        more = [f"  ... and {len(files) - _SHOWN} more"] if len(files) > _SHOWN else []
        return TaskError(
            "\n".join([f"{folder} holds sets of several formats; give one of them:", *files[:_SHOWN], *more])
        )
    others = [*found.unreadable.values(), *found.others]
    missing = f"no file of the format {named.name!r}" if named else "no task file of a known format"
    more = [f"... and {len(others) - _SHOWN} more"] if len(others) > _SHOWN else []
    known = [f"  {known.name}: {known.about}" for known in formats.values()]
    packed = archives.in_folder(folder)
    hint = [f"{', '.join(packed)} may hold it: {archives.advice(folder)}"] if packed else []
    return NoFormatError("\n".join([f"{folder} holds {missing}.", *hint, *others[:_SHOWN], *more, "Formats:", *known]))
