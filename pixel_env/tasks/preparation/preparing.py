"""A data folder made ready: archives unpacked, every row and picture looked at, the findings in an index.

Knows readers, archives and the index. Fetches nothing and prints nothing.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pixel_env.errors import TaskError
from pixel_env.locks import alone_in
from pixel_env.tasks.files.archives import SUFFIXES, unpack
from pixel_env.tasks.files.clips import clip_fault
from pixel_env.tasks.files.images import PictureFolder, thorough_fault
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.outside import format_named
from pixel_env.tasks.formats.recognition import Located, locate
from pixel_env.tasks.preparation.index import Index, index_of, stamps, write_index
from pixel_env.tasks.reading import Reading, read_located

Tell = Callable[[str], None]
_UNWRITABLE = "Prepare a copy in a folder that you may write to; pixel-env data check looks at it without writing."


@dataclass(frozen=True)
class Prepared:
    """`readings`: of each split that the folder has; empty if nothing was to be done."""

    root: Path
    index: Index
    readings: tuple[Reading, ...] = ()


def prepare(folder: Path, formats: Sequence[str] = (), tell: Tell = lambda line: None) -> Prepared:
    """Makes the folder ready. Again is a no-op, unless something was wrong or a file has changed.

    `formats`: names of those that the set may have, your own as 'module:NAME'; empty: any. `tell` gets a line for each
    step. Of processes that prepare the same folder one works and the others wait. Raises TaskError if there is no set
    in the folder, or one of another format; what is wrong with single rows stands in the readings.
    """
    if not folder.is_dir():
        raise TaskError(f"there is no folder {folder}; give the folder that holds the task file and its archives")
    wanted = tuple(map(format_named, formats))
    done = _finished(folder, wanted)
    if done is not None:
        return done
    with alone_in(folder, lambda: tell(f"waiting for another process that prepares {folder}"), _UNWRITABLE):
        return _finished(folder, wanted) or _prepared(folder, wanted, tell)


def _prepared(folder: Path, formats: Sequence[Format], tell: Tell) -> Prepared:
    packed = stamps(_archives(folder), folder)
    unpacked = _unpacked(folder)
    for archive, stamp in packed.items():
        if unpacked.get(archive) != stamp:
            tell(f"unpacking {folder / archive}")
            unpack(folder / archive, (folder / archive).parent)
    located = _splits(folder, formats)
    tell(f"reading {', '.join(str(file) for one in located for file in one.files[:3])}")
    readings, faults, looked_at = _read_and_look(located, tell)
    root = located[0].root
    index = Index(
        format_name=located[0].format.name,
        tasks=sum(len(reading.task_set) for reading in readings),
        pictures=looked_at,
        files=stamps((file for one in located for file in one.files), root),
        archives=stamps((folder / archive for archive in packed), root),
        faults=faults,
        problems=sum(len(reading.problems) for reading in readings),
    )
    write_index(index, root)
    return Prepared(root, index, readings)


def checked_reading(located: Located, tell: Tell = lambda line: None) -> Reading:
    """The set as read now, every picture and video decoded, whatever an index says. Raises TaskError."""
    [reading], _, _ = _read_and_look([located], tell)
    return reading


def _finished(folder: Path, formats: Sequence[Format]) -> Prepared | None:
    """What was prepared, if it is still as it was. A set whose root is above its files has its index there."""
    names = [known.name for known in formats]
    for root in (folder, folder.parent):
        index = index_of(root)
        if index is None or index.problems or (names and index.format_name not in names):
            continue
        try:
            present = stamps((root / name for name in index.files), root)
            packed = stamps(_archives(folder), root)
        except OSError:
            continue
        is_of_folder = root == folder or all((root / name).parent == folder for name in index.files)
        if is_of_folder and (present, packed) == (index.files, index.archives):
            return Prepared(root, index)
    return None


def _unpacked(folder: Path) -> Mapping[str, tuple[int, int]]:
    index = index_of(folder)
    return index.archives if index is not None else {}


def _archives(folder: Path) -> list[Path]:
    """The archives in the folder and in the folders in it. A folder that is a link may lead out, and is left alone."""
    try:
        folders = [folder, *(Path(entry) for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False))]
        files = [Path(entry) for place in folders for entry in os.scandir(place)]
    except OSError as error:
        raise TaskError(f"cannot read the folder {folder}: {error}") from error
    return sorted(file for file in files if file.name.lower().endswith(SUFFIXES) and file.is_file())


def _splits(folder: Path, formats: Sequence[Format]) -> list[Located]:
    """The set, or its two splits if they are files of their own."""
    named = formats[0] if len(formats) == 1 else None
    found: list[Located] = []
    errors: list[TaskError] = []
    for split in ("test", "train"):
        try:
            located = locate(folder, named, split)
        except TaskError as error:
            errors.append(error)
        else:
            found += [located] if located not in found else []
    if not found:
        raise errors[0]
    if formats and found[0].format not in formats:
        raise TaskError(
            f"{folder} holds {found[0].format.about} ({found[0].files[0].name}), not one of the formats "
            f"{', '.join(known.name for known in formats)}; give another folder, or the name that fits"
        )
    return found


def _read_and_look(located: Sequence[Located], tell: Tell) -> tuple[tuple[Reading, ...], dict[str, str], int]:
    """Each set, the faults of all pictures and videos, and how many there are."""
    first = [read_located(one, checked={}) for one in located]
    folders = [pictures for _, pictures in first]
    pictures = sum(len(one.used) + len(one.embedded) for one in folders)
    clips = sum(len(one.clips) for one in folders)
    tell(f"looking at {pictures} picture(s)" + (f" and {clips} part(s) of videos" if clips else ""))
    faults = _faults(folders)
    if not faults:
        return tuple(reading for reading, _ in first), faults, pictures + clips
    return tuple(read_located(one, checked=faults)[0] for one in located), faults, pictures + clips


def _faults(folders: Iterable[PictureFolder]) -> dict[str, str]:
    faults: dict[str, str] = {}
    with ThreadPoolExecutor(os.cpu_count()) as threads:  # Pillow and PyAV decode outside of the interpreter's lock
        for folder in folders:
            names = [folder.relative(path) for path in folder.used]
            faults |= zip(names, threads.map(lambda path: thorough_fault(Path(path)), folder.used), strict=True)
            faults |= zip(folder.clips, threads.map(clip_fault, folder.clips.values()), strict=True)
            faults |= zip(
                folder.embedded, threads.map(lambda one: one.fault(decode=True), folder.embedded.values()), strict=True
            )
    return {name: fault for name, fault in faults.items() if fault}
