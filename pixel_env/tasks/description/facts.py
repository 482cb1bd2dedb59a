"""What a task set holds, as a value: media, sizes, options, graders, evidence, repeats, categories, what is left out.

Depends on tasks and readings; independent of how it is printed (`words.py`, `sheet.py`).
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pixel_env.grading.choices import option_meant
from pixel_env.task import Task, TaskSet
from pixel_env.tasks.description.media_facts import EvidenceFacts, Lengths, Sizes, evidence_of, lengths_of, sizes_of
from pixel_env.tasks.description.repeats import Repeats, repeats_of
from pixel_env.tasks.description.sampling import Range, range_of
from pixel_env.tasks.reading import Reading
from pixel_env.timeline import FileFrame
from pixel_env.views import ViewBudgets

_VALUES = re.compile(r"'[^']*'|\"[^\"]*\"|\d[\d.,]*")
"""What differs between the reasons of one kind: quoted texts and numbers."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows that are left out for one kind of reason: how many, and the first of them in full."""

    count: int
    first: str


@dataclass(frozen=True, slots=True)
class ReadingFacts:
    """How a set was read: the format, its `rows`, and what is left out, the most frequent reason first."""

    format_name: str
    rows: int
    left_out: tuple[LeftOut, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OptionFacts:
    """Numbers of options, and where the right one stands; `unknown`: tasks whose right option is not known."""

    by_count: Counter[int]
    right: Counter[int]
    unknown: int


@dataclass(frozen=True, slots=True)
class Description:
    """What a task set holds. A part that no task has is None; `reading` is None for tasks that were not in files."""

    name: str
    notice: str
    tasks: int
    reading: ReadingFacts | None
    media: Counter[str]
    graders: Counter[str]
    categories: Counter[str]
    needs_looking: Counter[bool]
    unanswered: int
    images_per_task: Range[int] | None
    images: Sizes | None
    frames_per_task: Range[int] | None
    frames: Sizes | None
    lengths: Lengths | None
    options: OptionFacts | None
    evidence: EvidenceFacts | None
    repeats: Repeats


def described(task_set: TaskSet, reading: Reading | None, budgets: ViewBudgets, most: int) -> Description:
    """What `task_set` holds. Sizes, lengths and evidence as shown are measured on at most `most` images.

    `reading`: how the set was read from files; `budgets`: in which pixels images are shown.
    """
    tasks = list(task_set.tasks)
    images = [task for task in tasks if task.media == "image" and task.sources]
    videos = [task for task in tasks if task.media == "video" and task.sources]
    firsts = [task.sources[0] for task in videos]
    files = [source for source in firsts if isinstance(source, FileFrame)]
    sources = [source for task in images for source in task.sources]
    return Description(
        name=task_set.name,
        notice=task_set.notice,
        tasks=len(tasks),
        reading=None if reading is None else _reading_facts(reading),
        media=Counter(task.media for task in tasks),
        graders=Counter(task.grader for task in tasks),
        categories=Counter(task.category for task in tasks if task.category),
        needs_looking=Counter(task.needs_looking for task in tasks if task.needs_looking is not None),
        unanswered=sum(not task.answers for task in tasks),
        images_per_task=range_of((len(task.sources) for task in images), int),
        images=sizes_of(sources, most) if images else None,
        frames_per_task=range_of((len(task.sources) for task in videos), int),
        frames=sizes_of(firsts, most) if videos else None,
        lengths=lengths_of(files) if files else None,
        options=_option_facts([task for task in tasks if task.options]),
        evidence=evidence_of(tasks, budgets, most),
        repeats=repeats_of(tasks),
    )


def _reading_facts(reading: Reading) -> ReadingFacts:
    reasons: dict[str, list[str]] = {}
    for problem in reading.problems:
        reasons.setdefault(_VALUES.sub("...", problem.reason), []).append(f"{problem.location}: {problem.reason}")
    left_out = [LeftOut(len(of_kind), of_kind[0]) for of_kind in reasons.values()]
    left_out.sort(key=lambda kind: -kind.count)
    return ReadingFacts(reading.format_name, reading.rows, tuple(left_out), reading.remarks)


def _option_facts(tasks: Sequence[Task]) -> OptionFacts | None:
    if not tasks:
        return None
    right = [right_options(task) for task in tasks]
    return OptionFacts(
        by_count=Counter(len(task.options) for task in tasks),
        right=Counter(next(iter(indices)) for indices in right if len(indices) == 1),
        unknown=sum(len(indices) != 1 for indices in right),
    )


def right_options(task: Task) -> frozenset[int]:
    """The indices of the options that the task's answers mean."""
    return frozenset().union(*(option_meant(answer, task.options) for answer in task.answers))
