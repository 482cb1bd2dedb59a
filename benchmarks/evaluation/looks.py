"""Which operations of a dialect show the evidence of a task: crops, points, the whole image larger, frames.

Depends on tasks, dialects and the window around the evidence that the trace templates use; independent of how a call
is written and of limits.
"""

from collections.abc import Iterator, Sequence

from pixel_env.boxes import FULL
from pixel_env.dialects.dialect import Dialect
from pixel_env.failures import Failure
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.operation import Operation
from pixel_env.operations.point_zoom import PointZoom
from pixel_env.operations.resize import Resize
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.operations.select_range import SelectRange
from pixel_env.operations.select_segment import SelectSegment
from pixel_env.task import Evidence, Task
from pixel_env.tasks.files.clips import evenly
from pixel_env.timeline import Timeline, timeline_of
from pixel_env.views import Source
from synth.plans.windows import right_window


def looks_at(task: Task, dialect: Dialect, room: int) -> list[Operation]:
    """The operations that show the evidence of the task, at most `room` frames; none if nothing offered helps."""
    if not task.evidence or not dialect.offers_calls:
        return []
    return looks_at_video(task, dialect, room) if task.media == "video" else looks_at_images(task, dialect)


def looks_at_images(task: Task, dialect: Dialect) -> list[Operation]:
    """A look at each evidence box, each once: a crop, the surroundings of its centre, or the image larger."""
    looks = (_look(item, dialect) for item in task.evidence)
    return list(dict.fromkeys(look for look in looks if look is not None))


def looks_at_video(task: Task, dialect: Dialect, room: int) -> list[Operation]:
    """The frames of the evidence, at most `room`, then a look at the first box; without frames, that look alone."""
    frames = _frames(task, dialect, room)
    first = task.evidence[0]
    if frames is None:
        return looks_at_images(task, dialect)[:1]
    if right_window(first.box) == FULL:
        return [frames]
    shown = [source.key for source in frames_shown(frames, task, dialect)]
    key = task.sources[first.image].key
    # New images are numbered after the video's own.
    number = len(task.sources) + shown.index(key) if key in shown else first.image
    look = _look(Evidence(number, first.box), dialect)
    return [frames] if look is None else [frames, look]


def frames_shown(operation: Operation, task: Task, dialect: Dialect) -> Sequence[Source]:
    """The frames that an operation on a video brings, in order; none for any other operation, or if it is refused."""
    match operation:
        case SelectFrames(frames):
            return [task.sources[frame] for frame in frames]
        case SelectSegment() | SelectRange():
            views = operation.run(task.opening_views, task, dialect.rule)
            return () if isinstance(views, Failure) else [view.source for view in views]
        case _:
            return ()


def _look(item: Evidence, dialect: Dialect) -> Operation | None:
    """The first of the three that the dialect can call."""
    centre = ((item.box.x0 + item.box.x1) / 2, (item.box.y0 + item.box.y1) / 2)
    looks = (CropImage(item.image, right_window(item.box)), PointZoom(item.image, centre), Resize(item.image))
    return next((look for look in looks if _can(look, dialect)), None)


def _can(operation: Operation, dialect: Dialect) -> bool:
    return dialect.can_call(operation.name) and dialect.can_say(operation)


def _frames(task: Task, dialect: Dialect, room: int) -> Operation | None:
    """The operation that brings the frames of the evidence; None if the dialect has none that does."""
    wanted = list(dict.fromkeys(item.image for item in task.evidence))
    select = SelectFrames(tuple(evenly(wanted, dialect.max_frames)[:room]))
    if room and _can(select, dialect):
        return select
    timeline = timeline_of(task)
    if timeline is None:
        return None
    numbers = [number for frame in wanted if (number := timeline.number_of(task.sources[frame])) is not None]
    if not numbers:
        return None
    keys = {task.sources[frame].key for frame in wanted}
    looks = [look for look in _spans(timeline, min(numbers), max(numbers), dialect) if _can(look, dialect)]
    shown = [(look, {source.key for source in frames_shown(look, task, dialect)}) for look in looks]
    whole = (look for look, seen in shown if keys <= seen)
    return next(whole, next((look for look, seen in shown if seen & keys), None))


def _spans(timeline: Timeline, first: int, last: int, dialect: Dialect) -> Iterator[Operation]:
    """Ranges and segments that hold the frames from `first` to `last`, the narrow ones first."""
    final = timeline.frame_count - 1
    widths = [0, *(2**power for power in range(final.bit_length()))]
    for wider in widths:
        low, high = max(0, first - wider), min(final, last + wider)
        if low < high:
            yield SelectRange(low, high)
        if timeline.frames_per_second is None or timeline.seconds is None:
            continue
        # A quarter of a frame outside of the two, so that rounding keeps them.
        start = max(0.0, round((low - 0.25) / timeline.frames_per_second, 3))
        end = min(timeline.seconds, round((high + 0.75) / timeline.frames_per_second, 3))
        rate = min(timeline.frames_per_second, dialect.max_frames / (end - start))
        yield SelectSegment(start, end, round(rate - 0.0005, 3))
        yield SelectSegment(start, end)
