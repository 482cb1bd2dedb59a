"""How the oracle shows frames of a video in the operations of a dialect: by number, as a segment, or as a range.

Depends on dialects and timelines; independent of evidence and of how a call is written.
"""

from collections.abc import Iterator, Sequence
from itertools import product

from pixel_env.dialects.dialect import Dialect
from pixel_env.failures import Failure
from pixel_env.operations.operation import Operation
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.operations.select_range import SelectRange
from pixel_env.operations.select_segment import SelectSegment
from pixel_env.task import Task
from pixel_env.timeline import Timeline, timeline_of

OTHERS = (SelectSegment.name, SelectRange.name)
"""What shows frames where `select_frames` is not offered."""
_LONGER = 16  # frames by which a segment or a range is tried longer than it has to be


def showing(task: Task, frames: Sequence[int], dialect: Dialect) -> list[Operation]:
    """The fewest operations found that show these frames of the overview, in order of time.

    Frames that no operation of the dialect can show are left out (a range that excludes its ends has no first frame).
    Where none of `OTHERS` is offered: one selection by number, whether or not the dialect can write it.
    """
    if not frames or not any(map(dialect.can_call, OTHERS)) or dialect.can_call(SelectFrames.name):
        return [SelectFrames(tuple(frames))] if frames else []
    timeline = timeline_of(task)
    assert timeline is not None, "evidence in frames is that of a video"
    operations: list[Operation] = []
    left = sorted(frames)
    while left:
        shown, operation = _best(task, left, timeline, dialect)
        if operation is not None:
            operations.append(operation)
        left = [frame for frame in left[1:] if frame not in shown]
    return operations


def frames_shown(operation: Operation, task: Task, dialect: Dialect) -> list[int | None]:
    """For each image that the operation brings, the frame of the overview that it is; None: another frame."""
    views = operation.run(task.opening_views, task, dialect.rule)
    if isinstance(views, Failure):
        return []
    index_by_key = {source.key: frame for frame, source in reversed(list(enumerate(task.sources)))}
    return [index_by_key.get(view.source.key) for view in views]


def _best(
    task: Task, frames: Sequence[int], timeline: Timeline, dialect: Dialect
) -> tuple[Sequence[int | None], Operation | None]:
    """The operation that shows the first of `frames` and most of the others, with the fewest images."""
    numbers = [timeline.number_of(task.sources[frame]) for frame in frames]
    found: tuple[int, Sequence[int | None], Operation | None] = (0, (), None)
    for operation in _candidates([number for number in numbers if number is not None], timeline, dialect):
        shown = frames_shown(operation, task, dialect)
        count = len(set(frames) & set(shown)) if frames[0] in shown else 0
        if count > found[0] or (count == found[0] > 0 and len(shown) < len(found[1])):
            found = (count, shown, operation)
    return found[1], found[2]


def _candidates(numbers: Sequence[int], timeline: Timeline, dialect: Dialect) -> Iterator[Operation]:
    """Segments and ranges from the first number to each of the others, and a little longer on one side."""
    first, final, rate = numbers[0], timeline.frame_count - 1, timeline.frames_per_second
    longer = range(min(dialect.max_frames, _LONGER) + 2)
    for last, (before, after) in product(numbers, [(0, 0), *product((0, 1), longer), *product(longer, (0, 1))]):
        low, high = max(first - before, 0), min(last + after, final)
        if dialect.can_call(SelectRange.name) and low < high:
            yield SelectRange(low, high)
        if dialect.can_call(SelectSegment.name) and rate is not None and before == 0:
            start_s, end_s = timeline.time_of(low), timeline.end_of(high)
            assert start_s is not None and end_s is not None, "a video with a rate has times"
            yield SelectSegment(start_s, end_s, rate)
            yield SelectSegment(start_s, end_s)
