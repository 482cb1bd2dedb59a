"""What a task set holds, as a value: media, sizes, options, graders, evidence, repeats, categories, what is left out.

Depends on tasks and readings; independent of how it is printed (`words.py`, `sheet.py`).
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pixel_env.task import MediaKind, TaskSet
from pixel_env.tasks.description.media_facts import EvidenceFacts, Lengths, Sizes, evidence_of, lengths_of, sizes_of
from pixel_env.tasks.description.repeats import Repeats, repeats_of
from pixel_env.tasks.description.sampling import Range, range_of
from pixel_env.tasks.description.task_facts import TaskFacts, facts_of
from pixel_env.tasks.reading import Reading
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
class ClusterFacts:
    """Tasks that share a question or an image: `tasks` in `clusters`; `variants`: how many questions come in each kind.

    A cluster has two tasks or more.
    """

    clusters: int
    tasks: int
    variants: Counter[str]


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
    clusters: ClusterFacts | None


def described(task_set: TaskSet, reading: Reading | None, budgets: ViewBudgets, most: int) -> Description:
    """What `task_set` holds. Sizes, lengths and evidence as shown are measured on at most `most` images.

    `reading`: how the set was read from files; `budgets`: in which pixels images are shown.
    """
    tasks = task_set.tasks
    facts = [facts_of(task) for task in tasks]
    images = [(at, number) for at, task in _of(facts, "image") for number in range(task.source_count)]
    videos = [(at, 0) for at, _ in _of(facts, "video")]
    files = [at for at, task in _of(facts, "video") if task.is_file]
    return Description(
        name=task_set.name,
        notice=task_set.notice,
        tasks=len(facts),
        reading=None if reading is None else _reading_facts(reading),
        media=Counter(task.media for task in facts),
        graders=Counter(task.grader for task in facts),
        categories=Counter(task.category for task in facts if task.category),
        needs_looking=Counter(task.needs_looking for task in facts if task.needs_looking is not None),
        unanswered=sum(not task.answers for task in facts),
        images_per_task=range_of((task.source_count for _, task in _of(facts, "image")), int),
        images=sizes_of(tasks, images, most) if images else None,
        frames_per_task=range_of((task.source_count for _, task in _of(facts, "video")), int),
        frames=sizes_of(tasks, videos, most) if videos else None,
        lengths=lengths_of(tasks, files) if files else None,
        options=_option_facts([task for task in facts if task.option_count]),
        evidence=evidence_of(tasks, facts, budgets, most),
        repeats=repeats_of(facts),
        clusters=_cluster_facts(facts),
    )


def _of(facts: Sequence[TaskFacts], media: MediaKind) -> list[tuple[int, TaskFacts]]:
    """The tasks of that kind that show something, with their positions."""
    return [(position, task) for position, task in enumerate(facts) if task.media == media and task.source_count]


def _reading_facts(reading: Reading) -> ReadingFacts:
    reasons: dict[str, list[str]] = {}
    for problem in reading.problems:
        reasons.setdefault(_VALUES.sub("...", problem.reason), []).append(f"{problem.location}: {problem.reason}")
    left_out = [LeftOut(len(of_kind), of_kind[0]) for of_kind in reasons.values()]
    left_out.sort(key=lambda kind: -kind.count)
    return ReadingFacts(reading.format_name, reading.rows, tuple(left_out), reading.remarks)


def _cluster_facts(facts: Sequence[TaskFacts]) -> ClusterFacts | None:
    counts = Counter(task.cluster for task in facts if task.cluster)
    shared = [count for count in counts.values() if count > 1]
    asked = {(task.variant.kind, task.variant.question_id) for task in facts if task.variant is not None}
    return ClusterFacts(len(shared), sum(shared), Counter(kind for kind, _ in asked)) if shared else None


def _option_facts(facts: Sequence[TaskFacts]) -> OptionFacts | None:
    if not facts:
        return None
    return OptionFacts(
        by_count=Counter(task.option_count for task in facts),
        right=Counter(next(iter(task.right)) for task in facts if len(task.right) == 1),
        unknown=sum(len(task.right) != 1 for task in facts),
    )
