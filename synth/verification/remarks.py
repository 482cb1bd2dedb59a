"""Remarks against the operations of a replayed episode: what a text announces, and what it says of the look before it.

Depends on replayed episodes and on the rules for places and looks; independent of traces' files and of answers.
"""

from collections.abc import Iterator, Mapping, Sequence

from agents.traces.trace import Mistake
from pixel_env.boxes import Box
from pixel_env.episode import Trajectory
from pixel_env.operations.operation import Operation
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.task import Task
from pixel_env.timeline import timeline_of
from pixel_env.views import View
from synth.verification.announcements import another_operation, misquoted_question
from synth.verification.looks import blame_of_right, denied_look, looks_not_made, praise_of_mistake
from synth.verification.moments import wrong_moment
from synth.verification.places import misplaced

_INSIDE = 0.9
"""A region of which this share lies in the latest view may be spoken of as a part of that view."""


def remarks_against(
    trajectory: Trajectory, said: Sequence[str], flags: Mapping[int, Mistake | None]
) -> Iterator[tuple[int, str]]:
    """Yields (turn from 0, words) for each false remark. `said`: the reasoning of each turn; `flags`: the mistake of
    each turn with an operation, None for a right one."""
    views = list(trajectory.prompt_views)
    for index, (text, steps) in enumerate(zip(said, trajectory.messages, strict=True)):
        if not text:
            views += [view for step in steps for view in step.views]
            continue
        if words := misquoted_question(text, trajectory.task.question) if index == 0 else "":
            yield index, words
        for step in steps:
            if isinstance(step.action, Operation) and (words := _against(text, step.action, views, trajectory.task)):
                yield index, words
            views += step.views
        mistake = flags.get(index - 1)
        if mistake is not None and (words := praise_of_mistake(text, mistake)):
            yield index, words
    yield from _last_remarks(said[-1], len(said) - 1, flags)


def _last_remarks(text: str, index: int, flags: Mapping[int, Mistake | None]) -> Iterator[tuple[int, str]]:
    """Those of the last turn, which follows a right operation, on all operations."""
    words = looks_not_made(text, len(flags))
    if flags and index - 1 in flags and flags[index - 1] is None:
        words = words or blame_of_right(text) or denied_look(text)
    if words:
        yield index, words


def _against(text: str, action: Operation, views: Sequence[View], task: Task) -> str:
    if words := another_operation(text, action.name):
        return words
    if isinstance(action, SelectFrames):
        return wrong_moment(text, action.frames, len(task.sources), _seconds(task))
    region = action.region()
    return misplaced(text, _readings(region[1], views[region[0]], views)) if region else ""


def _readings(box: Box, image: View, views: Sequence[View]) -> list[Box]:
    """The region in fractions of all that its text may speak of: the cropped image, its source, the latest view."""
    on_source = image.to_source(box)
    latest = views[-1]
    is_inside = latest.source.key == image.source.key and on_source.covered_by(latest.box) >= _INSIDE
    inside = latest.from_source(on_source) if is_inside else None
    return [box, on_source, *([] if inside is None else [inside])]


def _seconds(task: Task) -> list[float] | None:
    """When each frame of the task's video is shown, in seconds; None if that is not known."""
    timeline = timeline_of(task)
    if timeline is None:
        return None
    times = [timeline.time_of(number) for number in timeline.overview]
    return [time for time in times if time is not None] if None not in times else None
