"""What a dialect looks like in an episode: its prompt, one call of each operation with what comes back, a refused call.

Everything is played in a `PixelEnv` on sample tasks. Depends on the environment; independent of how it is printed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from pixel_env.actions import sizes_for, write
from pixel_env.boxes import Box, Size
from pixel_env.dialects.dialect import Dialect
from pixel_env.env import PixelEnv
from pixel_env.episode import Answer, Observation, message_parts
from pixel_env.operations.arguments import Drawing
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.operation import Operation
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.task import Task, TaskSet
from pixel_env.tasks import load_tasks
from pixel_env.timeline import timeline_of

IMAGES = "sample:vstar"
"""The set whose first task is played for operations on images."""
VIDEOS = "sample:mvbench"
"""The set whose first task is played for operations on frames."""

_DRAWS = 50
_MISSING_IMAGE = 98


@dataclass(frozen=True, slots=True)
class Example:
    """A turn and what comes back; `back` says [image WxH] where an image stands. `task_id`: of the task played."""

    title: str
    task_id: str
    turn: str
    back: str


def prompt_of(dialect: Dialect, task_set: TaskSet) -> list[tuple[str, str]]:
    """Role and text of each message of the first task's prompt, with [image WxH] where an image stands."""
    env, observation = _opened(dialect, task_set)
    prompt, task = env.trajectory.prompt, env.trajectory.task
    is_entry = dialect.video_entry and task.media == "video"
    question = shown(prompt.question, _sizes(observation), is_entry=is_entry)
    return [("system", prompt.system)] * bool(prompt.system) + [("user", question)]


def calls_of(dialect: Dialect, task_set: TaskSet) -> Iterator[Example]:
    """One call of each operation that is offered, executed; on the first task of `task_set` if it has what it needs."""
    if not dialect.offers_calls:
        return
    for operation in dialect.offered:
        yield _played(dialect, operation, _set_for(operation, task_set))


def refused_call(dialect: Dialect, task_set: TaskSet) -> Example | None:
    """A call that is refused, and the text that says why; None if none of those that are tried is refused."""
    tried = _set_for(dialect.offered[0], task_set) if dialect.offered else task_set
    for turn in _refusals(dialect, tried):
        env, _ = _opened(dialect, tried)
        observation, *_, info = env.step(turn)
        if info["failure"] is not None:
            code = info["failure"].code.value
            return Example(code, env.trajectory.task.task_id, turn, shown(observation["text"], _sizes(observation)))
    return None


def turn_without_effect(dialect: Dialect, task_set: TaskSet) -> Example | None:
    """A turn with neither a call nor an answer, and what comes back; None where such a turn is the answer."""
    if not dialect.text_continues:
        return None
    env, _ = _opened(dialect, task_set)
    turn = "Let me think."
    return Example("no call, no answer", env.trajectory.task.task_id, turn, env.step(turn)[0]["text"])


def answer_of(dialect: Dialect, task_set: TaskSet) -> str:
    """The first task's answer as the dialect writes it, or why it cannot."""
    answers = task_set.tasks[0].answers
    try:
        return write(Answer(answers[0] if answers else "7"), dialect)
    except ValueError as error:
        return str(error)


def shown(text: str, sizes: Sequence[Size], *, is_entry: bool = False) -> str:
    """The message for people: its texts, and [image WxH] where an image stands; equal ones in a row are counted.

    `is_entry`: the images are the frames of a video that is one entry.
    """
    if is_entry and sizes:
        width, height = sizes[0]
        texts = [part for part in message_parts(text, len(sizes)) if part is not None]
        return "".join([f"[video: {len(sizes)} frames of {width}x{height}]", *texts])
    left, marks = iter(sizes), list[str]()
    for is_image, group in groupby(message_parts(text, len(sizes)), key=lambda part: part is None):
        if is_image:
            marks += [_counted(size, len(list(equal))) for size, equal in groupby([next(left) for _ in group])]
        else:
            marks += [part for part in group if part is not None]
    return "".join(marks)


def _counted(size: Size, count: int) -> str:
    mark = f"[image {size[0]}x{size[1]}]"
    return mark if count == 1 else f"{mark} x {count} "


# -------------------------------------------------------------------------------------------------------------- playing


def _opened(dialect: Dialect, task_set: TaskSet) -> tuple[PixelEnv, Observation]:
    env = PixelEnv(task_set, dialect=dialect)
    observation, _ = env.reset(seed=0, options={"task_id": task_set.tasks[0].task_id})
    return env, observation


def _sizes(observation: Observation) -> list[Size]:
    return [(image.shape[1], image.shape[0]) for image in observation["images"]]


def _set_for(operation: type[Operation], task_set: TaskSet) -> TaskSet:
    """`task_set` if the operation can be drawn on its first task, else a sample set on which it can."""
    drawn = next(_drawn(operation, task_set.tasks[0]), None) if task_set.tasks[0].sources else None
    if drawn is not None:
        return task_set
    needs_video = next(_drawn(operation, load_tasks(IMAGES, count=1).tasks[0]), None) is None
    return load_tasks(VIDEOS if needs_video else IMAGES, count=1)


def _drawn(operation: type[Operation], task: Task) -> Iterator[Operation]:
    """The operation with arguments of a simple example, then with random ones."""
    frames = len(task.sources) if task.media == "video" else 0
    if operation.name in _EXAMPLES and (simple := _EXAMPLES[operation.name](frames)) is not None:
        yield simple
    rng, timeline = np.random.default_rng(0), timeline_of(task)
    seconds = 0.0 if timeline is None else timeline.seconds or 0.0
    for _ in range(_DRAWS):
        if (drawn := operation.draw(Drawing(rng, 1, frames, seconds))) is not None:
            yield drawn


_EXAMPLES: dict[str, Callable[[int], Operation | None]] = {
    CropImage.name: lambda frames: CropImage(0, Box(0.25, 0.25, 0.75, 0.75)),
    SelectFrames.name: lambda frames: SelectFrames((0, frames - 1)) if frames else None,
}


def _played(dialect: Dialect, operation: type[Operation], task_set: TaskSet) -> Example:
    name, fault = dialect.name_of(operation), ""
    for drawn in _drawn(operation, task_set.tasks[0]):
        env, _ = _opened(dialect, task_set)
        try:
            turn = write(drawn, dialect, *sizes_for(dialect, env.trajectory.views, env.budgets))
        except ValueError as error:
            fault = str(error)
            continue
        observation, *_, info = env.step(turn)
        if info["failure"] is None:
            return Example(name, env.trajectory.task.task_id, turn, shown(observation["text"], _sizes(observation)))
        fault = info["failure"].message
    return Example(name, task_set.tasks[0].task_id, "", f"no call of it is executed on this task: {fault}")


def _refusals(dialect: Dialect, task_set: TaskSet) -> Iterator[str]:
    """Turns that are likely to be refused: an image that does not exist, a call that is cut off."""
    env, _ = _opened(dialect, task_set)
    sizes = [list(one) * (_MISSING_IMAGE + 1) for one in sizes_for(dialect, env.trajectory.views, env.budgets)]
    for operation in dialect.offered if dialect.offers_calls else ():
        field = operation.image_field()
        drawn = next(_drawn(operation, task_set.tasks[0]), None)
        if drawn is None or field is None:
            continue
        arguments = {name: getattr(drawn, name) for name in operation.arguments()} | {field: _MISSING_IMAGE}
        try:
            yield write(operation(**arguments), dialect, *sizes)
        except ValueError:  # a syntax that cannot say it
            continue
    yield dialect.calls.opening
