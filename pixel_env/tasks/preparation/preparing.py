"""Prepares a data folder: unpacks archives, checks every row and image, writes what it found into an index.

Depends on readers, archives and the index; independent of the hub and of printing.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from pixel_env.errors import TaskError
from pixel_env.locks import alone_in
from pixel_env.tasks.files.access import MediaAccess
from pixel_env.tasks.files.archives import SUFFIXES, unpack
from pixel_env.tasks.files.checking import Checked, checked_embedded, checked_file, findings
from pixel_env.tasks.files.clips import clip_fault
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.stated_times import disagreement
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.outside import format_named
from pixel_env.tasks.formats.recognition import Located, locate
from pixel_env.tasks.preparation.index import Index, index_of, stamps, write_index
from pixel_env.tasks.reading import Reading, read_located

Tell = Callable[[str], None]
_NOTHING_MORE = MediaAccess()
_NAMED = 20
"""Of the videos that disagree with their rows."""
_UNWRITABLE = "Prepare a copy in a folder that you may write to; pixel-env data check reads it without writing."


@dataclass(frozen=True)
class Prepared:
    """`readings`: one per split of the folder; empty if it was prepared already."""

    root: Path
    index: Index
    readings: tuple[Reading, ...] = ()


def prepare(
    folder: Path,
    formats: Sequence[str] = (),
    tell: Tell = lambda line: None,
    access: MediaAccess = _NOTHING_MORE,
) -> Prepared:
    """Prepares the folder. A second call does nothing, unless something was wrong or a file has changed.

    `formats`: names of the accepted formats, your own as 'module:NAME'; empty: any. `tell` receives a line per step.
    `access`: where images may be besides the folder. Of several processes that prepare the same folder, one works and
    the others wait. Raises TaskError if the folder holds
    no set, or one of another format; problems of single rows are in the readings.
    """
    if not folder.is_dir():
        raise TaskError(f"there is no folder {folder}; give the folder that holds the task file and its archives")
    wanted = tuple(map(format_named, formats))
    done = _finished(folder, wanted)
    if done is not None:
        return done
    with alone_in(folder, lambda: tell(f"waiting for another process that prepares {folder}"), _UNWRITABLE):
        return _finished(folder, wanted) or _prepared(folder, wanted, tell, access)


def _prepared(folder: Path, formats: Sequence[Format], tell: Tell, access: MediaAccess) -> Prepared:
    packed = stamps(_archives(folder), folder)
    unpacked = _unpacked(folder)
    for archive, stamp in packed.items():
        if unpacked.get(archive) != stamp:
            tell(f"unpacking {folder / archive}")
            unpack(folder / archive, (folder / archive).parent)
    located = [replace(part, access=access) for part in _splits(folder, formats)]
    tell(f"reading {', '.join(str(file) for part in located for file in part.files[:3])}")
    readings, faults, checked_count = _read_and_check(located, tell)
    root = located[0].root
    index = Index(
        format_name=located[0].format.name,
        tasks=sum(len(reading.task_set) for reading in readings),
        pictures=checked_count,
        files=stamps((file for part in located for file in part.files), root),
        archives=stamps((folder / archive for archive in packed), root),
        faults=faults,
        problems=sum(len(reading.problems) for reading in readings),
    )
    write_index(index, root)
    return Prepared(root, index, readings)


def checked_reading(located: Located, tell: Tell = lambda line: None) -> Reading:
    """The set, read anew with every image and video decoded; an index is ignored. Raises TaskError."""
    [reading], _, _ = _read_and_check([located], tell)
    return reading


def _finished(folder: Path, formats: Sequence[Format]) -> Prepared | None:
    """The folder as prepared, if it has not changed. If the root of a set is above its files, its index is there."""
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
    """The archives in the folder and in the folders in it. A folder that is a link may lead outside, and is skipped."""
    try:
        folders = [folder, *(Path(entry) for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False))]
        files = [Path(entry) for directory in folders for entry in os.scandir(directory)]
    except OSError as error:
        raise TaskError(f"cannot read the folder {folder}: {error}") from error
    return sorted(file for file in files if file.name.lower().endswith(SUFFIXES) and file.is_file())


def _splits(folder: Path, formats: Sequence[Format]) -> list[Located]:
    """The set, or its two splits if they are separate files."""
    named = formats[0] if len(formats) == 1 else None
    splits: list[Located] = []
    errors: list[TaskError] = []
    for split in ("test", "train"):
        try:
            located = locate(folder, named, split)
        except TaskError as error:
            errors.append(error)
        else:
            splits += [located] if located not in splits else []
    if not splits:
        raise errors[0]
    if formats and splits[0].format not in formats:
        raise TaskError(
            f"{folder} holds {splits[0].format.about} ({splits[0].files[0].name}), not one of the formats "
            f"{', '.join(known.name for known in formats)}; give another folder, or the name of its format"
        )
    return splits


def _read_and_check(located: Sequence[Located], tell: Tell) -> tuple[tuple[Reading, ...], dict[str, str], int]:
    """Each set, the faults of all images and videos, and how many were checked."""
    first = [read_located(part, checked={}) for part in located]
    folders = [images for _, images in first]
    images = sum(len(folder.used) + len(folder.embedded) for folder in folders)
    clips = sum(len(folder.clips) for folder in folders)
    tell(f"checking {images} image(s)" + (f" and {clips} segment(s) of videos" if clips else ""))
    with ThreadPoolExecutor(os.cpu_count()) as threads:  # Pillow and PyAV decode outside of the interpreter's lock
        checked = [_checked(folder, threads) for folder in folders]
        disagreeing = [_disagreements(folder, threads) for folder in folders]
    faults = {name: found.fault for of_folder in checked for name, found in of_folder.items() if found.fault}
    readings = [reading for reading, _ in first]
    if faults:
        readings = [read_located(part, checked=faults)[0] for part in located]
    told = [
        replace(reading, notices=(*reading.notices, *findings(found), *more))
        for reading, found, more in zip(readings, checked, disagreeing, strict=True)
    ]
    return tuple(told), faults, images + clips


def _disagreements(folder: ImageFolder, threads: Executor) -> list[str]:
    """What rows and the files of their videos disagree on, in a line; none where they agree."""
    found = [text for text in threads.map(disagreement, folder.stated) if text]
    if not found:
        return []
    more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return [f"rows and videos disagree, and the times in the files are followed: {'; '.join(found[:_NAMED])}{more}"]


def _checked(folder: ImageFolder, threads: Executor) -> dict[str, Checked]:
    """What was found of each image and each segment of a video that rows name."""
    names = [folder.relative(path) for path in folder.used]
    files = threads.map(lambda path: checked_file(Path(path)), folder.used)
    clips = threads.map(lambda frames: Checked(clip_fault(frames)), folder.clips.values())
    embedded = threads.map(checked_embedded, folder.embedded.values())
    return {
        **dict(zip(names, files, strict=True)),
        **dict(zip(folder.clips, clips, strict=True)),
        **dict(zip(folder.embedded, embedded, strict=True)),
    }
