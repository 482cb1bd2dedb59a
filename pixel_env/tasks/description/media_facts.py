"""Sizes of images, lengths of videos, and how small evidence is when it is shown.

They are measured on a sample that is spread evenly over the set. Depends on sources, pixel budgets and Pillow;
independent of task formats and of how the figures are printed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import ExifTags, Image

from pixel_env.boxes import Size
from pixel_env.errors import MediaError, MissingExtraError
from pixel_env.media.images import CACHE, FileSource, fitted_size
from pixel_env.task import Evidence, Task
from pixel_env.tasks.description.sampling import Range, range_of, spread_over
from pixel_env.timeline import FileFrame
from pixel_env.views import Source, ViewBudgets

OPENED_VIDEOS = 20
"""Of how many videos the length is read: a file is read to its end for it."""

_QUARTER_TURNS = frozenset({5, 6, 7, 8})  # the values of the EXIF tag that swap width and height


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
    if not isinstance(source, FileSource):
        return CACHE.size_of(source)
    try:
        with Image.open(source.path) as opened:
            width, height = opened.size
            is_turned = opened.getexif().get(ExifTags.Base.Orientation) in _QUARTER_TURNS
    except Exception as error:  # a broken file makes Pillow's readers raise nearly anything
        raise MediaError(f"cannot read the image {source.path}: {error}") from error
    return (height, width) if is_turned else (width, height)


def sizes_of(sources: Sequence[Source], most: int) -> Sizes:
    """The sizes of at most `most` of the images."""
    sample = spread_over(sources, most)
    sizes: list[Size] = []
    reasons: list[str] = []
    for source in sample:
        try:
            sizes.append(size_of(source))
        except (MediaError, MissingExtraError) as error:
            reasons.append(str(error))
    by_area = range_of(sizes, lambda size: (size[0] * size[1], size))
    return Sizes(len(sources), len(sample), by_area, len(reasons), next(iter(reasons), ""))


def lengths_of(frames: Sequence[FileFrame], most: int = OPENED_VIDEOS) -> Lengths:
    """The lengths of at most `most` videos; `frames`: a frame of each."""
    known: list[tuple[int, float]] = []
    reason = ""
    for frame in spread_over(frames, most):
        try:
            known.append(frame.length())
        except (MediaError, MissingExtraError) as error:
            reason = reason or str(error)
    seconds = range_of((count / rate for count, rate in known if rate > 0), float)
    return Lengths(len(frames), len(known), seconds, range_of((count for count, _ in known), int), reason)


def evidence_of(tasks: Sequence[Task], budgets: ViewBudgets, most: int) -> EvidenceFacts | None:
    """The evidence of `tasks`, measured as shown for at most `most` boxes; None if no task has any."""
    pairs = [(task, evidence) for task in tasks for evidence in task.evidence]
    if not pairs:
        return None
    placed = [(task, evidence) for task, evidence in pairs if 0 <= evidence.image < len(task.sources)]
    sides = [side for pair in spread_over(placed, most) if (side := _shown_side(*pair, budgets)) is not None]
    token_side = budgets.original.factor
    return EvidenceFacts(
        tasks=sum(bool(task.evidence) for task in tasks),
        boxes=len(pairs),
        area=range_of((evidence.box.area for _, evidence in pairs), float),
        measured=len(sides),
        shown_side=range_of(sides, float),
        below_token=sum(side < token_side for side in sides),
        token_side=token_side,
        misplaced=len(pairs) - len(placed),
    )


def _shown_side(task: Task, evidence: Evidence, budgets: ViewBudgets) -> float | None:
    """The shorter side of the box in pixels as shown; None for an image that cannot be read."""
    view = task.opening_views[evidence.image]
    try:
        width, height = fitted_size(*size_of(view.source), budgets.of(view.kind))
    except (MediaError, MissingExtraError):
        return None
    return min(evidence.box.width * width, evidence.box.height * height)
