"""A task: one question about images, a video or nothing but text, and a set of them.

Depends on views; independent of files, formats and episodes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pixel_env.boxes import Box
from pixel_env.views import Source, View, ViewBudgets, ViewKind

MediaKind = Literal["image", "video", "text"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where the answer can be read: `box` of the task's image (or frame) number `image`."""

    image: int
    box: Box


@dataclass(frozen=True, slots=True)
class Task:
    """One question about one or more images, a video (its frames, in order), or nothing but text.

    `answers`: all reference answers, none if nobody knows; `grader`: a name of `grading.GRADERS`; `category`: what
    figures are split by; `needs_looking`: True if the overview does not suffice, False if it does, None: unknown.
    """

    task_id: str
    question: str
    answers: tuple[str, ...]
    sources: tuple[Source, ...] = ()
    media: MediaKind = "image"
    grader: str = "exact"
    options: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    category: str = ""
    needs_looking: bool | None = None

    @property
    def opening_views(self) -> tuple[View, ...]:
        """The pictures that an episode opens with, in order."""
        kind = ViewKind.VIDEO_FRAME if self.media == "video" else ViewKind.ORIGINAL
        return tuple(View(source, kind) for source in self.sources)


VIDEO_FRAMES = 16
"""Frames of a video as the method shows it (arXiv 2505.15966, released code)."""


@dataclass(frozen=True, slots=True)
class TaskSet:
    """An ordered set of tasks with what is said about it on every `reset` and on render.

    `tasks` may be lazy (a sequence that composes its items); `notice` is shown to people ("embedded sample set, ...");
    `budgets`: the set's own pixel budgets, None to use the dialect's.
    """

    name: str
    tasks: Sequence[Task]
    notice: str = ""
    budgets: ViewBudgets | None = None

    def __len__(self) -> int:
        return len(self.tasks)
