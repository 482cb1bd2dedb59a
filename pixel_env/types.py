"""The nouns of the library: actions, views, tasks, turns, trajectories.

Values only: nothing here parses, decodes, grades or plays. Images and frames count from 0 and a box is fractions
(`boxes.py`); dialects translate to what a model writes and reads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol, TypedDict

import numpy as np
from PIL import Image

from pixel_env.boxes import FULL, Box
from pixel_env.failures import Failure, FailureCode

# ---------------------------------------------------------------------------------------------------- actions


@dataclass(frozen=True, slots=True)
class CropImage:
    """Look at `box` of image number `image` (from 0: the task's images first, then every observation's, in order)."""

    image: int
    box: Box


@dataclass(frozen=True, slots=True)
class SelectFrames:
    """Look at these frames (from 0) of the video, larger."""

    frames: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The final answer, without its marker."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A turn with neither a call nor an answer: a chunk of reasoning."""

    text: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """A turn that tries to call an operation and cannot be read as one call."""

    code: FailureCode
    reason: str


Action = CropImage | SelectFrames | Answer | Text | Malformed

# ------------------------------------------------------------------------------------------------------ views


class Source(Protocol):
    """Where pixels come from: a file, a video's frame, or a recipe that is rendered on demand.

    A source is small, immutable and picklable. `key` names its content: equal keys mean equal pixels, so it is what
    caches and stores go by.
    """

    @property
    def key(self) -> str: ...

    def decode(self) -> Image.Image:
        """The whole picture, RGB, at native resolution. Raises MediaError if it cannot be read."""
        ...


class ViewKind(StrEnum):
    """What a view is to the model: each kind has a pixel budget of its own."""

    ORIGINAL = "original"
    CROP = "crop"
    VIDEO_FRAME = "video_frame"
    SELECTED_FRAME = "selected_frame"


@dataclass(frozen=True, slots=True)
class View:
    """A box of a source. A crop of a crop is a view of the source: pixels are never copied, nor lost on the way.

    `via` is the view whose *shown* pixels are cut, for a dialect that crops what was shown; None: cut from the source
    at native resolution. `box` is fractions of the source either way.
    """

    source: Source
    kind: ViewKind
    box: Box = FULL
    via: "View | None" = None


# ------------------------------------------------------------------------------------------------------ tasks

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


# --------------------------------------------------------------------------------------------------- episodes


class Observation(TypedDict):
    """What the environment returns: the increment since the last step.

    `text`: what the model reads; `images`: uint8 arrays of shape (height, width, 3), already at the size that the
    model is shown.
    """

    text: str
    images: tuple[np.ndarray, ...]


class Stop(StrEnum):
    """Why an episode ended."""

    ANSWERED = "answered"
    TURNS = "turns"
    IMAGES = "images"
    TOKENS = "tokens"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Turn:
    """One step: what the model wrote, how it was read, what came back.

    `views` are the new pictures of `observation` (empty if none); `failure` is set if an operation was refused.
    """

    text: str
    action: Action
    failure: Failure | None
    observation: str
    views: tuple[View, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """What an episode opens with, as the dialect renders it: the system text (tools included) and the question."""

    system: str
    question: str

    @property
    def text(self) -> str:
        """Both, as one text for people."""
        return "\n\n".join(part for part in (self.system, self.question) if part)


class Unfinished(str):
    """An assistant text that the turn's token limit cut: it may be continued. Any other `str` is a finished turn."""


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A whole episode. `reward` is the grade of the answer, nothing else; shaping lives in `rewards/`.

    `stop` is None while the episode runs. `error` tells what happened where `stop` is FAILED.
    """

    task: Task
    prompt: Prompt
    prompt_views: tuple[View, ...]
    turns: tuple[Turn, ...] = ()
    stop: Stop | None = None
    reward: float = 0.0
    answer: str | None = None
    error: str | None = None

    @property
    def views(self) -> tuple[View, ...]:
        """Every picture that the model saw, in order: what image numbers count."""
        return self.prompt_views + tuple(view for turn in self.turns for view in turn.views)

    @property
    def operations(self) -> int:
        """Operations spent: every call, executed or refused (n_vo of the paper's penalty). Spamming is never free."""
        return sum(operations_spent(turn.action) for turn in self.turns)

    @property
    def valid_operations(self) -> int:
        """Operations that were executed: what the curiosity bonus and RaPR count."""
        # The turn that exceeded a budget brought nothing: its operation was asked for, not executed.
        turns = self.turns[:-1] if self.stop in (Stop.IMAGES, Stop.TOKENS) else self.turns
        return sum(operations_spent(turn.action) for turn in turns if turn.failure is None)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The refused operations, in order."""
        return tuple(turn.failure for turn in self.turns if turn.failure is not None)


def operations_spent(action: Action) -> int:
    """1 for anything that tries an operation, readable or not, else 0."""
    match action:
        case CropImage() | SelectFrames() | Malformed():
            return 1
        case Answer() | Text():
            return 0


# ---------------------------------------------------------------------------------------------- pixel budgets


@dataclass(frozen=True, slots=True)
class PixelBudget:
    """How many pixels a view may have when shown; both sides are multiples of `factor` (the model's patch x merge)."""

    min_pixels: int
    max_pixels: int
    factor: int = 28

    def __post_init__(self) -> None:
        if not (0 < self.min_pixels <= self.max_pixels and self.factor > 0):
            raise ValueError(f"a PixelBudget is 0 < min_pixels <= max_pixels and factor > 0, got {self}")


@dataclass(frozen=True, slots=True)
class ViewBudgets:
    """One pixel budget per kind of view, in the configuration once."""

    original: PixelBudget
    crop: PixelBudget
    video_frame: PixelBudget
    selected_frame: PixelBudget

    def of(self, kind: ViewKind) -> PixelBudget:
        """The budget of `kind`."""
        match kind:
            case ViewKind.ORIGINAL:
                return self.original
            case ViewKind.CROP:
                return self.crop
            case ViewKind.VIDEO_FRAME:
                return self.video_frame
            case ViewKind.SELECTED_FRAME:
                return self.selected_frame


# ----------------------------------------------------------------------------------------------------- limits


VIDEO_FRAMES = 16
"""Frames of a video as the method shows it (arXiv 2505.15966, released code)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When an episode is cut. All are counted over the whole episode.

    `max_turns`: steps, the answering one included, so the default leaves room for three operations; `max_images`:
    pictures shown, the task's own included (a video counts its frames once, as 1); `max_tokens`: text and picture
    tokens of the whole conversation, as counted by the environment's `count_tokens` (an engine's exact counter in
    rollouts), None for no limit.
    """

    max_turns: int = 4
    max_images: int = 16
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        for name, value in (
            ("max_turns", self.max_turns),
            ("max_images", self.max_images),
            ("max_tokens", self.max_tokens),
        ):
            if value is not None and value < 1:
                raise ValueError(f"Limits.{name} must be at least 1, got {value}")


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
