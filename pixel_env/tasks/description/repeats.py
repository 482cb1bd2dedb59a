"""What stands in a task set more than once: images, questions about the same images, ids.

Depends on tasks and sources; independent of formats. Images in files of the same size, and images within task files,
are compared by their content, up to a bound.
"""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pixel_env.errors import MediaError
from pixel_env.grading.choices import option_meant
from pixel_env.media.images import FileSource
from pixel_env.task import Task
from pixel_env.tasks.files.embedded import EmbeddedImage
from pixel_env.timeline import FileFrame
from pixel_env.views import Source

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


def repeats_of(tasks: Sequence[Task], most: int = COMPARED_IMAGES) -> Repeats:
    """What stands in `tasks` more than once; at most `most` images are compared by their content."""
    shown = [tuple(_identity(source) for source in _compared_sources(task)) for task in tasks]
    sources = {
        identity: source
        for task, identities in zip(tasks, shown, strict=True)
        for identity, source in zip(identities, _compared_sources(task), strict=True)
    }
    comparable = _comparable(sources)
    contents = _contents({identity: sources[identity] for identity in comparable[:most]})
    media = [tuple(contents.get(identity, identity) for identity in identities) for identities in shown]
    per_image = Counter(image for images in media for image in set(images))
    repeated = {image for image, count in per_image.items() if count > 1}
    asked: defaultdict[tuple[str, Hashable], list[Task]] = defaultdict(list)
    for task, images in zip(tasks, media, strict=True):
        asked[" ".join(task.question.split()).casefold(), images].append(task)
    again = [group for group in asked.values() if len(group) > 1]
    return Repeats(
        images=len(repeated),
        image_tasks=sum(not repeated.isdisjoint(images) for images in media),
        compared=min(len(comparable), most),
        comparable=len(comparable),
        questions=len(again),
        question_tasks=sum(map(len, again)),
        contradictions=tuple(pair for group in again if (pair := _contradiction(group)) is not None),
        ids=_repeated_ids(tasks),
    )


def _compared_sources(task: Task) -> tuple[Source, ...]:
    """The images of a task; of a video its first frame alone."""
    return task.sources[:1] if task.media == "video" else task.sources


def _identity(source: Source) -> Hashable:
    """What tells sources apart without reading them, if possible."""
    match source:
        case FileSource(path=path):
            return path
        case EmbeddedImage(place=place):
            return place
        case FileFrame():
            return source
    try:
        return source.key
    except MediaError:
        return id(source)


def _comparable(sources: Mapping[Hashable, Source]) -> list[Hashable]:
    """The identities of images that another one may equal in content: of files, those of the same size."""
    sizes = {identity: _bytes_of(source) for identity, source in sources.items() if isinstance(source, FileSource)}
    counts = Counter(sizes.values())
    return [
        identity
        for identity, source in sources.items()
        if isinstance(source, EmbeddedImage) or (identity in sizes and counts[sizes[identity]] > 1)
    ]


def _bytes_of(source: FileSource) -> int:
    try:
        return os.stat(source.path).st_size
    except OSError:
        return -1


def _contents(sources: Mapping[Hashable, Source]) -> dict[Hashable, Hashable]:
    contents: dict[Hashable, Hashable] = {}
    for identity, source in sources.items():
        try:
            contents[identity] = source.key
        except MediaError:
            contents[identity] = identity
    return contents


def _contradiction(group: Sequence[Task]) -> tuple[str, str] | None:
    """The ids of two tasks of the group without an answer in common; a task without answers contradicts none."""
    answered = [(task.task_id, _answers(task)) for task in group if task.answers]
    first, *others = answered or [("", frozenset())]
    return next(((first[0], name) for name, answers in others if first[1].isdisjoint(answers)), None)


def _answers(task: Task) -> frozenset[str]:
    """The texts of the right answers: that of the option, if a letter means one."""
    texts: list[str] = []
    for answer in task.answers:
        meant = option_meant(answer, task.options) if task.options else ()
        texts += [task.options[index] for index in meant] or [answer]
    return frozenset(" ".join(text.split()).casefold() for text in texts)


def _repeated_ids(tasks: Iterable[Task]) -> int:
    counts = Counter(task.task_id for task in tasks)
    renamed = sum(bool((first := _RENAMED.fullmatch(name)) and first[1] in counts) for name in counts)
    return renamed + counts.total() - len(counts)
