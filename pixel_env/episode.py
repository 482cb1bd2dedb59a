"""Core data types of an episode: actions, turns, prompt, observation, trajectory, limits.

Depends on tasks, views and operations; independent of parsing, decoding and grading. Images and frames count from 0 and
a box is fractions (`boxes.py`); dialects translate to what a model writes and reads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from numbers import Integral
from typing import TypedDict

import numpy as np

from pixel_env.failures import Failure, FailureCode
from pixel_env.operations.operation import Operation
from pixel_env.task import Task
from pixel_env.views import View

# ---------------------------------------------------------------------------------------------------- actions


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


Action = Operation | Answer | Text | Malformed

# --------------------------------------------------------------------------------------------------- episodes

IMAGE_SIGN = "\ufffc"
"""Stands in the text of a message where each of its images goes (U+FFFC, Unicode's object replacement character)."""


class Observation(TypedDict):
    """What the environment returns: the increment since the last step.

    `text`: what the model reads, with `IMAGE_SIGN` where each image stands; without that sign the images come before
    the text. `images`: uint8 arrays of shape (height, width, 3), already at the size that the model is shown.
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
    """One step: the text of the model, the action that was read from it, the observation.

    `views` are the new images of `observation` (empty if none); `failure` is set if an operation was refused. A message
    with several calls is one step per call: its text stands in the first one, and the others, whose text is empty, have
    `same_message`.
    """

    text: str
    action: Action
    failure: Failure | None
    observation: str
    views: tuple[View, ...] = ()
    same_message: bool = False


@dataclass(frozen=True, slots=True)
class Prompt:
    """The prompt of an episode, as the dialect renders it: the system text (tools included) and the question."""

    system: str
    question: str

    @property
    def text(self) -> str:
        """Both, as one text for people."""
        return "\n\n".join(part for part in (self.system, self.question) if part)


class Unfinished(str):
    """A text truncated by the turn's token limit: it may be continued. Any other `str` is a finished turn."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Trajectory:
    """A whole episode. `reward` is the grade of the answer, nothing else; shaping lives in `rewards/`.

    `stop` is None while the episode runs. `error` is the message if `stop` is FAILED.
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
    def messages(self) -> tuple[tuple[Turn, ...], ...]:
        """The steps of each of the assistant's messages; `Limits.max_turns` counts messages."""
        grouped: list[list[Turn]] = []
        for turn in self.turns:
            if turn.same_message:
                grouped[-1].append(turn)
            else:
                grouped.append([turn])
        return tuple(tuple(turns) for turns in grouped)

    @property
    def views(self) -> tuple[View, ...]:
        """Every image that the model saw, in order: what image numbers count."""
        return self.prompt_views + tuple(view for turn in self.turns for view in turn.views)

    @property
    def operations(self) -> int:
        """Operations spent: every call, executed or refused (n_vo of the paper's penalty). Spamming is never free."""
        return sum(operations_spent(turn.action) for turn in self.turns)

    @property
    def executed(self) -> tuple[bool, ...]:
        """For each turn, whether it is an operation that was executed."""
        # The message that exceeded a budget returned no view: its operations were requested, not executed.
        is_over_budget = self.stop in (Stop.IMAGES, Stop.TOKENS) and bool(self.turns)
        within_budgets = len(self.turns) - (len(self.messages[-1]) if is_over_budget else 0)
        return tuple(
            turn.failure is None and operations_spent(turn.action) > 0 and index < within_budgets
            for index, turn in enumerate(self.turns)
        )

    @property
    def valid_operations(self) -> int:
        """Operations that were executed: what the curiosity bonus and RaPR count."""
        return sum(self.executed)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The refused operations, in order."""
        return tuple(turn.failure for turn in self.turns if turn.failure is not None)


def operations_spent(action: Action) -> int:
    """1 for anything that tries an operation, readable or not, else 0."""
    match action:
        case Operation() | Malformed():
            return 1
        case Answer() | Text():
            return 0


def message_parts(text: str, images: int) -> list[str | None]:
    """A message's parts in order: texts, and None for each of its `images`; empty texts are left out.

    Raises ValueError if the text has the sign of images, but not once for each.
    """
    texts = text.split(IMAGE_SIGN)
    if len(texts) == 1:
        return [None] * images + ([text] if text else [])
    if len(texts) != images + 1:
        raise ValueError(f"a text has {len(texts) - 1} image signs for {images} images")
    parts: list[str | None] = [texts[0]]
    for after in texts[1:]:
        parts += [None, after]
    return [part for part in parts if part != ""]


def with_images_named(text: str) -> str:
    """A message's text for people: "[image]" where an image stands."""
    return text.replace(IMAGE_SIGN, "[image]")


def joined(texts: Sequence[str], images: Sequence[int]) -> str:
    """The texts of several observations as the text of one message, `images` the number of images of each."""
    if len(texts) == 1:
        return texts[0]
    signed = [
        text if IMAGE_SIGN in text else IMAGE_SIGN * count + text for text, count in zip(texts, images, strict=True)
    ]
    return "\n".join(text for text in signed if text)


def observed(turns: Sequence[Turn]) -> tuple[str, tuple[View, ...]]:
    """The observation after one message, given its steps: the text, and the images that it shows."""
    text = joined([turn.observation for turn in turns], [len(turn.views) for turn in turns])
    return text, tuple(view for turn in turns for view in turn.views)


# ----------------------------------------------------------------------------------------------------- limits


@dataclass(frozen=True, slots=True)
class Limits:
    """When an episode is truncated. All are counted over the whole episode.

    `max_turns`: messages, including the answer, so the default leaves room for three operations; `max_images`: images
    shown, the task's own included (a video counts its frames once, as 1); `max_tokens`: text and image tokens of the
    whole conversation, as counted by the environment's `count_tokens` (an engine's exact counter in rollouts), None for
    no limit.
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
            if (value is None and name == "max_tokens") or (isinstance(value, Integral) and value >= 1):
                continue
            raise ValueError(f"Limits.{name} must be at least 1, a whole number, got {value!r}")
