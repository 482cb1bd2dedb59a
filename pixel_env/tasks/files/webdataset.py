"""Archives of samples, as the library webdataset writes them: a row for all files of the same name.

    a/0001.jpg a/0001.json     one row: the keys of the JSON, and the image as `image`

The name of a sample is that of the file up to its first dot; what follows names the column: `json` is an object whose
keys are columns, `txt` is `text`, `cls` a number as `label`, an image `image` (a list if there are several). Depends on
rows and tar; independent of benchmarks. Source: the naming rule of the library's documentation (`base_plus_ext`).
"""

import json
import re
import tarfile
from collections.abc import Iterator
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from pixel_env.errors import TaskError
from pixel_env.media.pictures import IMAGE_SUFFIXES
from pixel_env.tasks.files.embedded import EmbeddedImage
from pixel_env.tasks.files.piece import Piece
from pixel_env.tasks.files.row import Row

_NAME = re.compile(r"(?P<key>(?:.*/)?[^/.]+)\.(?P<column>[^/]+)")
_IMAGES = tuple(suffix.removeprefix(".") for suffix in IMAGE_SUFFIXES)
_TEXTS = ("json", "txt", "cls", "text", "label")
_LARGEST_TEXT = 1 << 24
_PEEKED = 20


def holds_samples(path: Path) -> bool:
    """Whether the tar archive begins with samples: a text and an image of the same name."""
    try:
        with tarfile.open(path, mode="r:") as tar:
            members = [member for member in islice(tar, _PEEKED) if member.isfile()]
    except (OSError, tarfile.TarError, ValueError):
        return False
    named = [match for member in members if (match := _NAME.fullmatch(member.name))]
    texts = {match["key"] for match in named if match["column"].lower().endswith(_TEXTS)}
    return any(match["key"] in texts for match in named if match["column"].lower().endswith(_IMAGES))


def read_samples(path: Path) -> Iterator[Row]:
    """The rows of the archive. Raises TaskError for an archive that cannot be read."""
    number = 0
    try:
        with tarfile.open(path, mode="r:") as tar:
            for key, members in groupby(_named(tar), key=lambda named: named[0]):
                number += 1
                yield _row(path, number, key, tar, [(column, member) for _, column, member in members])
    except (OSError, tarfile.TarError, ValueError) as error:
        raise TaskError(f"cannot read {path} after row {number}: {error}. Give a complete archive.") from error


def _named(tar: tarfile.TarFile) -> Iterator[tuple[str, str, tarfile.TarInfo]]:
    """The sample, the column and the entry of each file."""
    for member in tar:
        match = _NAME.fullmatch(member.name)
        if member.isfile() and match is not None:
            yield match["key"], match["column"], member


def _row(path: Path, number: int, key: str, tar: tarfile.TarFile, members: list[tuple[str, tarfile.TarInfo]]) -> Row:
    values: dict[str, Any] = {"__key__": key}
    images: list[EmbeddedImage] = []
    location = f"row {number} ({key})"
    for column, member in members:
        kind = column.rpartition(".")[2].lower()
        if kind in _IMAGES:
            images.append(EmbeddedImage(Piece(path, member.offset_data, member.size)))
        elif kind in _TEXTS:
            try:
                values |= _values(column.rpartition(".")[0], kind, _text(tar, member))
            except (ValueError, RecursionError) as error:
                return Row(path, number, location, values, problem=f"cannot read {member.name!r}: {error}")
    if images:
        values["image"] = images[0] if len(images) == 1 else images
    return Row(path, number, location, values)


def _text(tar: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    if member.size > _LARGEST_TEXT:
        raise ValueError(f"it has {member.size:,} bytes, {_LARGEST_TEXT:,} are allowed")
    file = tar.extractfile(member)
    return "" if file is None else file.read().decode("utf-8")


def _values(column: str, kind: str, text: str) -> dict[str, Any]:
    """The columns that a text of a sample gives; `column`: the rest of its name, as in "question.txt"."""
    match kind:
        case "json":
            content = json.loads(text)
            return content if isinstance(content, dict) and not column else {column or "json": content}
        case "cls":
            return {column or "label": int(text)}
        case _:
            return {column or ("text" if kind == "txt" else kind): text}
