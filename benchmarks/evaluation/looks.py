"""Which operations of a dialect show the evidence of a task: crops, points, the whole image larger, frames.

Depends on tasks, dialects and the window around the evidence that the trace templates use; independent of how a call
is written and of limits.
"""

from collections.abc import Sequence

from benchmarks.evaluation.oracle_frames import showing
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
    wanted = list(dict.fromkeys(item.image for item in task.evidence))
    selections = showing(task, evenly(wanted, dialect.max_frames)[:room], dialect) if room else []
    selections = [selection for selection in selections if _can(selection, dialect)]
    first = task.evidence[0]
    if not selections:
        return looks_at_images(task, dialect)[:1]
    if right_window(first.box) == FULL:
        return selections
    shown = [source.key for selection in selections for source in frames_shown(selection, task, dialect)]
    key = task.sources[first.image].key
    # New images are numbered after the video's own.
    number = len(task.sources) + shown.index(key) if key in shown else first.image
    look = _look(Evidence(number, first.box), dialect)
    return selections if look is None else [*selections, look]


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
