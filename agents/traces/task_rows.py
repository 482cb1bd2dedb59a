"""A task of a folder of traces as a row of JSON, and back: what it shows is named by where it lies.

A rendered scene is not stored: its row is the id of a task of a sample set, which contains its number and random seed.
An image of a file is named by its path relative to the folder of the seed data. Rows may come from strangers: every
value is checked, and no name leads out of the folder of the seed data unless the user allows it. Depends on tasks,
images and files; independent of traces.
"""

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast, get_args

import numpy as np

from pixel_env.boxes import Box
from pixel_env.errors import TaskError, shortened
from pixel_env.media.sources import FileSource
from pixel_env.samples import SAMPLE_SETS
from pixel_env.samples.scenes import Split
from pixel_env.store import save_image
from pixel_env.task import Evidence, MediaKind, Task
from pixel_env.tasks.files.access import MediaAccess
from pixel_env.tasks.files.clips import ClipFrame
from pixel_env.views import Source, ViewBudgets

PICTURES = "pictures"
"""The folder of images without a file of their own."""
_MOST_FRAMES = 100_000
_LONGEST_PATH = 300
_MOST_NUMBER = 1_000_000


def budgets_row(budgets: ViewBudgets | None) -> dict[str, Any] | None:
    """The budgets as JSON; `budgets_of_row` is the inverse."""
    return None if budgets is None else budgets.to_row()


def task_row(task: Task, folder: Path, seeds_folder: Path | None) -> dict[str, Any]:
    """The task as JSON; `task_of_row` with the same folders is the inverse."""
    if _rendered_task(task.task_id) == task:
        return {"sample": task.task_id}
    rate = {} if task.frames_per_second is None else {"frames_per_second": task.frames_per_second}
    return {
        "id": task.task_id,
        "question": task.question,
        "answers": list(task.answers),
        "media": task.media,
        "sources": [_source_row(source, folder, seeds_folder) for source in task.sources],
        "grader": task.grader,
        "options": list(task.options),
        "evidence": [{"image": one.image, "box": list(one.box.corners)} for one in task.evidence],
        "category": task.category,
        "needs_looking": task.needs_looking,
        **rate,
    }


def _source_row(source: Source, folder: Path, seeds_folder: Path | None) -> str | dict[str, Any]:
    if seeds_folder is not None:
        match source:
            case FileSource(path) if path.parent == folder / PICTURES:
                return {"picture": path.name}
            case FileSource(path):
                return os.path.relpath(path, seeds_folder)
            case ClipFrame(path, number, count, start_s, end_s):
                clip = os.path.relpath(path, seeds_folder)
                return {"clip": clip, "number": number, "count": count, "start_s": start_s, "end_s": end_s}
    return {"picture": save_image(np.asarray(source.decode()), folder / PICTURES)}


# --------------------------------------------------------------------------------------------------------- reading


def budgets_of_row(row: dict[str, Any] | None) -> ViewBudgets | None:
    """The budgets that `budgets_row` wrote."""
    return None if row is None else ViewBudgets.from_row(row)


@dataclass(frozen=True, slots=True)
class Places:
    """Where the images of rows lie: below the folder of the traces, or of the seed data.

    `access`: what the user allows besides; None: the rows are our own, and may name any file.
    """

    folder: Path
    seeds_folder: Path
    access: MediaAccess | None = None

    def picture(self, name: str) -> Path:
        """The file of an image that was written with the traces."""
        return self._checked(self.folder / PICTURES, name)

    def seed(self, name: str) -> Path:
        """The file of the seed data."""
        return self._checked(self.seeds_folder, name)

    def _checked(self, root: Path, name: str) -> Path:
        """Raises TaskError for a name that leads out of what the user allows: absolute, by "..", or by a link."""
        if "\0" in name:
            raise TaskError(f"the path {shortened(name)} is none")
        path = root / name
        if self.access is None or self._is_within(path, root):
            return path
        raise TaskError(
            f"the path {shortened(name)} leaves the folder {root}; allow it: --follow_links if links in the folder "
            f"lead out, --media_root FOLDER for files in another folder, or 'seeds_folder' in task_set.json"
        )

    def _is_within(self, path: Path, root: Path) -> bool:
        assert self.access is not None, "the caller checked it"
        if self.access.follow_links and _begins_with(os.path.abspath(path), os.path.abspath(root)):
            return True
        folders = map(os.path.realpath, self.access.folders_of(root))
        return any(_begins_with(os.path.realpath(path), folder) for folder in folders)


def _begins_with(path: str, folder: str) -> bool:
    return path.startswith(os.path.join(folder, ""))


def task_of_row(row: dict[str, Any], places: Places) -> Task:
    """The task that `task_row` wrote. Raises TaskError for one whose images are missing or must not be read.

    Raises KeyError, TypeError or ValueError for a row of another form.
    """
    if "sample" in row:
        task = _rendered_task(_value(str, row, "sample"))
        if task is None:
            raise TaskError(
                f"no sample set has a task {shortened(row['sample'])}. Use the release that wrote the folder."
            )
        return task
    sources = tuple(_source_of(one, places) for one in _value(list, row, "sources"))
    media, needs_looking, rate = row["media"], row["needs_looking"], row.get("frames_per_second")
    if media not in get_args(MediaKind) or not isinstance(needs_looking, bool | None):
        raise ValueError(f"media is {shortened(media)} and needs_looking {shortened(needs_looking)}")
    return Task(
        _value(str, row, "id"),
        _value(str, row, "question"),
        _texts(row, "answers"),
        sources,
        media=cast(MediaKind, media),
        grader=_value(str, row, "grader"),
        options=_texts(row, "options"),
        evidence=evidence_in(row, len(sources)),
        category=_value(str, row, "category"),
        needs_looking=needs_looking,
        frames_per_second=None if rate is None else _positive(rate),
    )


_Value = TypeVar("_Value", str, list[Any], dict[str, Any])


def _value(kind: type[_Value], row: dict[str, Any], name: str) -> _Value:
    """The value of a key. Raises TypeError for another type: a text where a list is wanted would be its letters."""
    if not isinstance(value := row[name], kind):
        raise TypeError(f"{name!r} is {shortened(value)}, wanted a {kind.__name__}")
    return value


def _texts(row: dict[str, Any], name: str) -> tuple[str, ...]:
    texts = _value(list, row, name)
    if not all(isinstance(text, str) for text in texts):
        raise TypeError(f"{name!r} is {shortened(texts)}, wanted a list of texts")
    return tuple(texts)


def evidence_in(row: dict[str, Any], images: int) -> tuple[Evidence, ...]:
    """The evidence of a row of a task with so many images. Raises as `task_of_row`."""
    return tuple(_evidence_of(one, images) for one in _value(list, row, "evidence"))


def _evidence_of(one: dict[str, Any], images: int) -> Evidence:
    image, box = one["image"], _value(list, one, "box")
    if not _is_number(image) or not isinstance(image, int) or not 0 <= image < images:
        raise ValueError(f"evidence lies on image {shortened(image)} of {images}")
    if len(box) != 4 or not all(map(_is_number, box)):
        raise ValueError(f"a box is {shortened(box)}, wanted four numbers")
    return Evidence(image, Box(*map(float, box)))


def _positive(number: Any) -> float:
    if not _is_number(number) or number <= 0:
        raise ValueError(f"{shortened(number)} is no positive number")
    return float(number)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _source_of(one: str | dict[str, Any], places: Places) -> Source:
    if isinstance(one, str):
        return _file(places.seed(one))
    if "picture" in one:
        return _file(places.picture(_value(str, one, "picture")))
    number, count, start_s, end_s = one["number"], one["count"], one["start_s"], one["end_s"]
    if not all(isinstance(value, int) and not isinstance(value, bool) for value in (number, count)):
        raise TypeError(f"frame {shortened(number)} of {shortened(count)}, wanted whole numbers")
    if not 0 <= number < count <= _MOST_FRAMES:
        raise ValueError(f"frame {number} of {count}, wanted one of at most {_MOST_FRAMES}")
    if not all(value is None or (_is_number(value) and value >= 0) for value in (start_s, end_s)):
        raise ValueError(f"a segment from {shortened(start_s)} to {shortened(end_s)}, wanted seconds")
    return ClipFrame(FileSource(places.seed(_value(str, one, "clip"))).path, number, count, start_s, end_s)


def _file(path: Path) -> FileSource:
    if not os.path.isfile(path):  # unlike Path.is_file, also False for a name that is too long
        raise TaskError(
            f"the image {shortened(str(path), _LONGEST_PATH)} is missing. Restore the images of the seed "
            "data, or set 'seeds_folder' in task_set.json to their folder."
        )
    return FileSource(path)


def _rendered_task(task_id: str) -> Task | None:
    """The task of a sample set that has this id ("NAME/SPLIT/SEED/NUMBER-KIND"), or None."""
    name, _, rest = task_id.partition("/")
    parts = rest.split("/")
    if name not in SAMPLE_SETS or len(parts) != 3:
        return None
    split, seed, (number, _, kind) = parts[0], parts[1], parts[2].partition("-")
    sample = SAMPLE_SETS[name]
    if split not in get_args(Split) or not (seed.isdigit() and number.isdigit()) or kind not in sample.kinds:
        return None
    index = int(number)
    if index > _MOST_NUMBER:
        return None
    return sample.tasks(cast(Split, split), index + 1, (kind,), int(seed)).tasks[index]
