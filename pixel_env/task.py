"""`Task`: one question about images, a video or text alone; `TaskSet`: an ordered set of tasks.

Depends on views, names of functions and what users hold as images; independent of formats and episodes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pixel_env.boxes import Box
from pixel_env.errors import TaskError, shortened
from pixel_env.given_images import image_sources
from pixel_env.import_callable import name_of
from pixel_env.views import Source, View, ViewBudgets, ViewKind

MediaKind = Literal["image", "video", "text"]
VariantKind = Literal["rotation", "view"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where the answer can be read: `box` of the task's image (or frame) number `image`."""

    image: int
    box: Box


@dataclass(frozen=True, slots=True)
class Variant:
    """One of the forms in which a set asks a question several times, each time as a task of its own.

    `kind`: "rotation" if the options stand in another order each time, as in HR-Bench: they are not shuffled again, and
    the question counts as right only if every rotation is; "view" if another image is shown, as in ZoomBench: the whole
    image or the crop that shows the evidence. `question_id`: what the variants of one question share; `name`: which one
    it is, for a rotation its number from "0", for a view `WHOLE_IMAGE` or `GIVEN_CROP`.
    """

    kind: VariantKind
    question_id: str
    name: str


WHOLE_IMAGE, GIVEN_CROP = "full", "crop"
"""Names of the variants of kind "view"."""


@dataclass(frozen=True, slots=True)
class Task:
    """One question about one or more images, a video (its frames, in order), or text alone.

    `sources`: the images; given as paths, PIL images or arrays, they become sources here, once
    (`given_images.image_sources`, which type checkers know). Raises TaskError for what is none of these, or no image.

    `answers`: all reference answers, none if unknown; `grader`: a name of `grading.GRADERS`, or your own as
    'module:function' (a function is kept as its name); `category`: the group in which results are reported;
    `needs_looking`: whether a crop or a selection of frames is needed to answer, None if unknown; `cluster`: tasks with
    the same one share a question or an image, so that their grades are not independent and intervals are made by
    clusters ("": the task is a cluster of its own); `variant`: which form of a question that is asked several times,
    None for a question that is asked once; `frames_per_second`: the rate of a video that is given as separate images,
    None if unknown (a video file knows its own).
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
    # Not in the repr, which fingerprints are made of: a task without a rate keeps the one that it had.
    frames_per_second: float | None = field(default=None, repr=False)
    cluster: str = field(default="", repr=False)
    variant: Variant | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.grader, str):
            # By name it is recorded with a run, and found again by other processes and later commands.
            object.__setattr__(self, "grader", name_of(self.grader, "grader"))
        try:
            sources = image_sources(self.sources)
        except TaskError as error:
            raise TaskError(f"the task {shortened(self.task_id)}: {error}") from error
        object.__setattr__(self, "sources", sources)

    @property
    def opening_views(self) -> tuple[View, ...]:
        """The images that an episode opens with, in order."""
        kind = ViewKind.VIDEO_FRAME if self.media == "video" else ViewKind.ORIGINAL
        return tuple(View(source, kind) for source in self.sources)


def cluster_of(task: Task) -> str:
    """The task's cluster; without one, the question whose variant it is; "" for a task that is asked once."""
    return task.cluster or (task.variant.question_id if task.variant else "")


VIDEO_FRAMES = 16
"""How many frames of a video are shown (arXiv 2505.15966, released code)."""


@dataclass(frozen=True, slots=True)
class TaskSet:
    """An ordered set of tasks with a notice for people, which every `reset` returns in `info`.

    `tasks` may be lazy (`lazy_sequence.py`); `notice`: "embedded sample set, ..."; `budgets`: the set's own pixel
    budgets, None to use the dialect's.
    """

    name: str
    tasks: Sequence[Task]
    notice: str = ""
    budgets: ViewBudgets | None = None

    def __len__(self) -> int:
        return len(self.tasks)
