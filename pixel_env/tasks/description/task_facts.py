"""What is kept of a task while a set is described: no image, so that a set whose tasks are made on use stays small.

Depends on tasks and sources; independent of files.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from pixel_env.errors import MediaError
from pixel_env.grading.choices import option_meant
from pixel_env.media.sources import FileSource
from pixel_env.task import MediaKind, Task, Variant, cluster_of
from pixel_env.tasks.files.embedded import EmbeddedImage
from pixel_env.timeline import FileFrame
from pixel_env.views import Source


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """A task without its images.

    `answers`: the texts of the right answers, that of the option where a letter means one; `right`: the indices of the
    right options; `areas`: of the boxes of evidence, as fractions of their images; `boxes_on`: the images that they lie
    on; `images`: what tells its images apart, of a video that of its first frame alone; `is_file`: whether a video is
    one file; `cluster`: "" if it shares none.
    """

    task_id: str
    question: str
    media: MediaKind
    grader: str
    category: str
    needs_looking: bool | None
    option_count: int
    right: frozenset[int]
    answers: frozenset[str]
    source_count: int
    areas: tuple[float, ...]
    boxes_on: tuple[int, ...]
    images: tuple[Hashable, ...]
    is_file: bool
    cluster: str
    variant: Variant | None


def facts_of(task: Task) -> TaskFacts:
    """What is kept of `task`. Its images are not decoded, unless their keys need it."""
    shown = task.sources[:1] if task.media == "video" else task.sources
    return TaskFacts(
        task_id=task.task_id,
        question=plain_text(task.question),
        media=task.media,
        grader=task.grader,
        category=task.category,
        needs_looking=task.needs_looking,
        option_count=len(task.options),
        right=right_options(task),
        answers=_answers(task),
        source_count=len(task.sources),
        areas=tuple(evidence.box.area for evidence in task.evidence),
        boxes_on=tuple(evidence.image for evidence in task.evidence),
        images=tuple(map(_identity, shown)),
        is_file=bool(shown) and isinstance(shown[0], FileFrame),
        cluster=cluster_of(task),
        variant=task.variant,
    )


def right_options(task: Task) -> frozenset[int]:
    """The indices of the options that the task's answers mean."""
    meant = [option_meant(answer, task.options) for answer in task.answers] if task.options else []
    return frozenset().union(*meant)


def plain_text(text: str) -> str:
    """`text` without what makes no difference between texts: case and spaces."""
    return " ".join(text.split()).casefold()


def _answers(task: Task) -> frozenset[str]:
    texts: list[str] = []
    for answer in task.answers:
        meant: Sequence[int] = sorted(option_meant(answer, task.options)) if task.options else ()
        texts += [task.options[index] for index in meant] or [answer]
    return frozenset(map(plain_text, texts))


def _identity(source: Source) -> Hashable:
    """What tells sources apart: for images in files the source itself, which is small, else its key."""
    if isinstance(source, FileSource | EmbeddedImage | FileFrame):
        return source
    try:
        return source.key
    except MediaError:
        return id(source)
