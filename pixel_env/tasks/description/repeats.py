"""What stands in a task set more than once: images, questions about the same images, ids.

Depends on facts of tasks; independent of formats. Images in files of the same size, and images within task files, are
compared by their content, up to a bound.
"""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from pixel_env.errors import MediaError
from pixel_env.media.sources import FileSource
from pixel_env.tasks.description.task_facts import TaskFacts
from pixel_env.tasks.files.embedded import EmbeddedImage

COMPARED_IMAGES = 5_000
"""How many images at most are compared by their content."""

_RENAMED = re.compile(r"(.+)#\d+", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Repeats:
    """`images` that stand in several tasks, and in how many tasks; `compared`, `comparable`: images by content.

    `questions`: pairs of question and images that stand in several tasks, and in how many tasks; `contradictions`: ids
    of two tasks for each of these whose tasks have no answer in common; `ids`: tasks whose id an earlier one has.
    """

    images: int
    image_tasks: int
    compared: int
    comparable: int
    questions: int
    question_tasks: int
    contradictions: tuple[tuple[str, str], ...]
    ids: int


def repeats_of(facts: Sequence[TaskFacts], most: int = COMPARED_IMAGES) -> Repeats:
    """What stands in a set more than once; at most `most` images are compared by their content."""
    comparable = _comparable(image for task in facts for image in task.images)
    contents: dict[Hashable, Hashable] = {image: _content(image) for image in comparable[:most]}
    media = [tuple(contents.get(image, image) for image in task.images) for task in facts]
    per_image = Counter(image for images in media for image in set(images))
    repeated = {image for image, count in per_image.items() if count > 1}
    asked: defaultdict[tuple[str, Hashable], list[TaskFacts]] = defaultdict(list)
    for task, images in zip(facts, media, strict=True):
        asked[task.question, images].append(task)
    again = [group for group in asked.values() if len(group) > 1]
    return Repeats(
        images=len(repeated),
        image_tasks=sum(not repeated.isdisjoint(images) for images in media),
        compared=len(contents),
        comparable=len(comparable),
        questions=len(again),
        question_tasks=sum(map(len, again)),
        contradictions=tuple(pair for group in again if (pair := _contradiction(group)) is not None),
        ids=_repeated_ids(facts),
    )


def _comparable(images: Iterable[Hashable]) -> list[FileSource | EmbeddedImage]:
    """The images that another one may equal in content: of those in files of their own, files of the same size."""
    distinct = dict.fromkeys(image for image in images if isinstance(image, FileSource | EmbeddedImage))
    sizes = {image: _bytes_of(image) for image in distinct if isinstance(image, FileSource)}
    counts = Counter(sizes.values())
    return [image for image in distinct if image not in sizes or counts[sizes[image]] > 1]


def _bytes_of(source: FileSource) -> int:
    try:
        return os.stat(source.path).st_size
    except OSError:
        return -1


def _content(image: FileSource | EmbeddedImage) -> Hashable:
    try:
        return image.key
    except MediaError:
        return image


def _contradiction(group: Sequence[TaskFacts]) -> tuple[str, str] | None:
    """The ids of two tasks of the group without an answer in common; a task without answers contradicts none."""
    answered = [task for task in group if task.answers]
    others = [task for task in answered[1:] if task.answers.isdisjoint(answered[0].answers)]
    return (answered[0].task_id, others[0].task_id) if others else None


def _repeated_ids(facts: Iterable[TaskFacts]) -> int:
    counts = Counter(task.task_id for task in facts)
    renamed = sum(bool((first := _RENAMED.fullmatch(name)) and first[1] in counts) for name in counts)
    return renamed + counts.total() - len(counts)
