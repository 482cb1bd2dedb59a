"""The index of a prepared data folder: what was read and unpacked, and which images cannot be used.

Depends on files and their stamps; independent of tasks. An index that does not match the files in the folder is
ignored.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pixel_env.errors import TaskError
from pixel_env.tasks.formats.recognition import Located

INDEX_NAME = ".pixel-env-index.json"
_VERSION = 2

Stamp = tuple[int, int]
"""Size in bytes and time of the last change in nanoseconds."""


@dataclass(frozen=True)
class Index:
    """`files`, `archives` and `faults` by path relative to the folder; a fault of an embedded image by file and place.

    `pictures` (a key of the file) counts the images and the segments of videos that were checked.
    """

    format_name: str
    tasks: int
    pictures: int
    files: Mapping[str, Stamp]
    archives: Mapping[str, Stamp] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    problems: int = 0


def stamps(files: Iterable[Path], folder: Path) -> dict[str, Stamp]:
    """The stamps of files by their path relative to `folder`."""
    facts_by_name = {os.path.relpath(file, folder): file.stat() for file in files}
    return {name: (facts.st_size, facts.st_mtime_ns) for name, facts in facts_by_name.items()}


def read_index(located: Located) -> Index | None:
    """The index of the data folder if it was made from these very files, else None."""
    index = index_of(located.root)
    if index is None or index.format_name != located.format.name:
        return None
    present = stamps(located.files, located.root)
    return index if all(index.files.get(name) == stamp for name, stamp in present.items()) else None


def index_of(folder: Path) -> Index | None:
    """The folder's index, even if its files have changed; None if no index can be read."""
    try:
        content = json.loads((folder / INDEX_NAME).read_text(encoding="utf-8"))
        if content.pop("version") != _VERSION:
            return None
        index = Index(**{**content, "files": _stamps(content["files"]), "archives": _stamps(content["archives"])})
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return None
    return index if _is_sound(index) else None


def _is_sound(index: Index) -> bool:
    """Whether the values have the right types: the file may come from elsewhere."""
    texts = [index.format_name, *index.faults, *index.faults.values()] if isinstance(index.faults, dict) else [None]
    counts = [index.tasks, index.pictures, index.problems]
    return all(isinstance(text, str) for text in texts) and all(isinstance(count, int) for count in counts)


def write_index(index: Index, folder: Path) -> None:
    """Writes the index in one step: a killed process leaves the old index, or none. Raises TaskError."""
    unfinished = folder / f"{INDEX_NAME}.{os.getpid()}.part"
    try:
        with unfinished.open("w", encoding="utf-8") as file:
            json.dump({"version": _VERSION, **asdict(index)}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, folder / INDEX_NAME)
    except OSError as error:
        raise TaskError(
            f"cannot write the index into {folder}: {error.strerror}. Prepare a copy that you may write to; "
            "pixel-env data check reads it without writing."
        ) from error


def _stamps(content: Mapping[str, Any]) -> dict[str, Stamp]:
    return {name: (int(size), int(time)) for name, (size, time) in content.items()}
