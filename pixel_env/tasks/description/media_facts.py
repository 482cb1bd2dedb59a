"""Sizes of images, lengths of videos, and how small evidence is when it is shown.

They are measured on a sample that is spread evenly over the set. Depends on sources, pixel budgets and Pillow;
independent of task formats and of how the figures are printed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pixel_env.boxes import Size
from pixel_env.errors import MediaError, MissingExtraError
from pixel_env.media.cache import CACHE
from pixel_env.media.orientation import upright_size
from pixel_env.media.pictures import opened
from pixel_env.media.sizes import fitted_size
from pixel_env.media.sources import FileSource
from pixel_env.task import Task
from pixel_env.tasks.description.sampling import Range, range_of, spread_over
from pixel_env.tasks.description.task_facts import TaskFacts
from pixel_env.tasks.files.embedded import EmbeddedImage
from pixel_env.timeline import FileFrame
from pixel_env.views import Source, ViewBudgets

OPENED_VIDEOS = 20
"""Of how many videos the length is read: a file is read to its end for it."""

Item = tuple[int, int]
"""A task's position in its set, and the number of one of its images."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes (width, height) of `measured` of `total` images, by area; `unreadable`: of those, and the first reason."""

    total: int
    measured: int
    sizes: Range[Size] | None
    unreadable: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Seconds and frames of `measured` of `total` video files; `reason`: why others of the sample are unknown."""

    total: int
    measured: int
    seconds: Range[float] | None
    frames: Range[int] | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class EvidenceFacts:
    """Boxes of evidence: `tasks` that have any, how many `boxes`, and `area` as fractions of their images.

    `shown_side`: the shorter side of a box in pixels as its image is shown, of `measured` boxes; `below_token`: how
    many of these are shorter than the side of one token, `token_side` pixels; `misplaced`: boxes on images that the
    task does not have.
    """

    tasks: int
    boxes: int
    area: Range[float] | None
    measured: int
    shown_side: Range[float] | None
    below_token: int
    token_side: int
    misplaced: int


def size_of(source: Source) -> Size:
    """Width and height, upright: from the header of a file, else from the decoded image. Raises MediaError."""
    match source:
        case EmbeddedImage():
            return source.size
        case FileSource(path=path):
            try:
                with path.open("rb") as file, opened(file) as picture:
                    return upright_size(picture, file)
            except Exception as error:  # a broken file makes Pillow's readers raise nearly anything
                raise MediaError(f"cannot read the image {path}: {error}") from error
        case _:
            return CACHE.size_of(source)


def sizes_of(tasks: Sequence[Task], images: Sequence[Item], most: int) -> Sizes:
    """The sizes of at most `most` of the images: pairs of a task's position and the number of one of its images."""
    sample = spread_over(images, most)
    sizes: list[Size] = []
    reasons: list[str] = []
    for position, number in sample:
        try:
            sizes.append(size_of(tasks[position].sources[number]))
        except (MediaError, MissingExtraError) as error:
            reasons.append(str(error))
    by_area = range_of(sizes, lambda size: (size[0] * size[1], size))
    return Sizes(len(images), len(sample), by_area, len(reasons), next(iter(reasons), ""))


def lengths_of(tasks: Sequence[Task], files: Sequence[int], most: int = OPENED_VIDEOS) -> Lengths:
    """The lengths of at most `most` videos; `files`: the positions of tasks whose video is one file."""
    known: list[tuple[int, float]] = []
    reason = ""
    for position in spread_over(files, most):
        frame = tasks[position].sources[0]
        try:
            if isinstance(frame, FileFrame):
                known.append(frame.length())
        except (MediaError, MissingExtraError) as error:
            reason = reason or str(error)
    seconds = range_of((count / rate for count, rate in known if rate > 0), float)
    return Lengths(len(files), len(known), seconds, range_of((count for count, _ in known), int), reason)


def evidence_of(
    tasks: Sequence[Task], facts: Sequence[TaskFacts], budgets: ViewBudgets, most: int
) -> EvidenceFacts | None:
    """The evidence of a set, measured as shown for at most `most` boxes; None if no task has any."""
    boxes = [
        (position, number, 0 <= image < task.source_count)
        for position, task in enumerate(facts)
        for number, image in enumerate(task.boxes_on)
    ]
    if not boxes:
        return None
    placed = [(position, number) for position, number, is_placed in boxes if is_placed]
    shown = [_shown_side(tasks[position], number, budgets) for position, number in spread_over(placed, most)]
    sides = [side for side in shown if side is not None]
    token_side = budgets.original.factor
    return EvidenceFacts(
        tasks=sum(bool(task.areas) for task in facts),
        boxes=len(boxes),
        area=range_of((area for task in facts for area in task.areas), float),
        measured=len(sides),
        shown_side=range_of(sides, float),
        below_token=sum(side < token_side for side in sides),
        token_side=token_side,
        misplaced=len(boxes) - len(placed),
    )


def _shown_side(task: Task, number: int, budgets: ViewBudgets) -> float | None:
    """The shorter side of the task's box `number` in pixels as shown; None for an image that cannot be read."""
    evidence = task.evidence[number]
    view = task.opening_views[evidence.image]
    try:
        width, height = fitted_size(*size_of(view.source), budgets.of(view.kind))
    except (MediaError, MissingExtraError):
        return None
    return min(evidence.box.width * width, evidence.box.height * height)
