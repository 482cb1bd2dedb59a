"""Files that are one set: the shards of a file, in order, and the split that names of files and folders say.

    data/test-00000-of-00019.parquet      shards with their number: one that is missing is an error
    default/test/0000.parquet             shards without: 0000, 0001, ... or part-0, part-1, ...

Depends on names of files; independent of what they contain. Source of the names: `datasets` ("Structure your
repository" of its documentation) for the first form and the words for splits, the hub's conversion to parquet
(refs/convert/parquet) for the second.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pixel_env.errors import TaskError
from pixel_env.tasks.files.rows import SUFFIXES

SplitName = Literal["test", "validation", "train", ""]

_COUNTED = re.compile(r"(?P<name>.*?)[-_.]?(?P<number>\d{3,6})-of-(?P<count>\d{3,6})(?:-[0-9a-f]{16})?")
_NUMBERED = re.compile(r"(?P<name>(?:.*[-_.])?)(?P<number>\d{4,6})")
_PART = re.compile(r"(?P<name>part[-_.]?)(?P<number>\d{1,6})(?:[-.].*)?")
_UNCOUNTED_SUFFIXES = (".parquet", ".arrow", ".tar")  # other names that end in a number may be years
_VALIDATION = ("validation", "valid", "val", "dev")
_SHOWN = 3


@dataclass(frozen=True)
class FileSet:
    """A single file, or the shards of one in order. `missing`: the names of shards that are not there."""

    files: tuple[Path, ...]
    pattern: Path
    missing: tuple[str, ...] = ()
    count: int = 1

    def complete(self) -> tuple[Path, ...]:
        """The files. Raises TaskError if shards are missing."""
        if self.missing:
            names = ", ".join(self.missing[:_SHOWN]) + (", ..." if len(self.missing) > _SHOWN else "")
            raise TaskError(
                f"{self.files[0].parent} lacks {len(self.missing)} of {self.count} shards: {names}. Download them, or "
                f"read what is there by its pattern: {self.pattern}"
            )
        return self.files


def joined(files: Sequence[Path]) -> list[FileSet]:
    """The sets that the files make, in the order of their first files."""
    groups: dict[tuple[Path, str, int, str], dict[int, Path]] = {}
    for file in files:
        stem, suffix = _parted(file.name)
        number, key = _shard_of(stem, suffix)
        shards = groups.setdefault((file.parent, *key, suffix), {})
        if number in shards:  # two downloads of a shard: each stays a set of its own
            groups[file.parent, stem, 0, suffix] = {0: file}
        else:
            shards[number] = file
    sets: list[FileSet] = []
    for (folder, name, count, suffix), shards in groups.items():
        sets += _sets_of(folder, name, count, suffix, shards)
    return sets


def _sets_of(folder: Path, name: str, count: int, suffix: str, shards: dict[int, Path]) -> list[FileSet]:
    numbers = sorted(shards)
    files = tuple(shards[number] for number in numbers)
    if count:
        missing = tuple(f"number {number} of {count}" for number in range(count) if number not in shards)
        known = _COUNTED.fullmatch(_parted(files[0].name)[0])
        if known is not None:
            missing = tuple(
                files[0].name.replace(known["number"], str(number).zfill(len(known["number"])), 1)
                for number in range(count)
                if number not in shards
            )
        total = str(count).zfill(len(known["count"])) if known is not None else str(count)
        pattern = folder / f"{name}*-of-{total}*{suffix}"
        return [FileSet(files, files[0] if count == 1 else pattern, missing, count)]
    if len(files) == 1 or numbers[0] > 1:
        return [FileSet((file,), file) for file in files]
    gaps = [number for number in range(numbers[0], numbers[-1]) if number not in shards]
    missing = tuple(f"number {number}" for number in gaps)
    return [FileSet(files, folder / f"{name}*{suffix}", missing, len(files) + len(gaps))]


def _shard_of(stem: str, suffix: str) -> tuple[int, tuple[str, int]]:
    """The number of a shard, and the name and count that all shards of its file share."""
    counted = _COUNTED.fullmatch(stem)
    if counted is not None and int(counted["number"]) < int(counted["count"]):
        return int(counted["number"]), (counted["name"], int(counted["count"]))
    if suffix in _UNCOUNTED_SUFFIXES:
        numbered = _NUMBERED.fullmatch(stem) or _PART.fullmatch(stem)
        if numbered is not None:
            return int(numbered["number"]), (numbered["name"], 0)
    return 0, (f"{stem}\0", 0)  # a file of its own: no shard's name holds this sign


def _parted(name: str) -> tuple[str, str]:
    suffix = next((suffix for suffix in (*SUFFIXES, ".tar") if name.lower().endswith(suffix)), Path(name).suffix)
    return name[: len(name) - len(suffix)], name[len(name) - len(suffix) :]


def split_of(file: Path, folder: Path) -> SplitName:
    """The split that the name of the file, or else of the nearest folder above it within `folder`, says."""
    stem = _parted(file.name)[0]
    for name in (stem, *(parent.name for parent in file.parents if parent != folder and folder in parent.parents)):
        words = re.findall(r"[a-z]+", name.lower())
        if any(word.startswith("test") for word in words):
            return "test"
        if any(word in _VALIDATION for word in words):
            return "validation"
        if any(word.startswith("train") for word in words):
            return "train"
    return ""
