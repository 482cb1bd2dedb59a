"""Conversations: a trace with everything that it is shown, as roles, texts and pictures' files.

What every exchange format has in common. Knows traces, episodes and pictures. Knows no format (`conversions.py`).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agents.rollout import EpisodeSettings
from agents.traces.trace import Trace
from pixel_env.episode import Trajectory
from pixel_env.errors import TaskError
from pixel_env.media.images import CACHE, FileSource, show
from pixel_env.store import save_image
from pixel_env.tasks.files.row import shortened
from pixel_env.views import Source, View, ViewBudgets, ViewKind
from synth.conversion.encoded_pictures import EncodedPicture
from synth.verification.playing import play

IMAGES = "images"


@dataclass(frozen=True, slots=True)
class Pictures:
    """Files, named from the folder of the rows, or their bytes; `is_video`: they are the frames of one video."""

    files: tuple[str | EncodedPicture, ...]
    is_video: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """What one role says and shows, in order."""

    role: str
    parts: tuple[str | Pictures, ...]

    @property
    def text(self) -> str:
        """All that it says."""
        return "".join(part for part in self.parts if isinstance(part, str))

    @property
    def pictures(self) -> tuple[Pictures, ...]:
        """All that it shows."""
        return tuple(part for part in self.parts if isinstance(part, Pictures))


@dataclass(frozen=True, slots=True)
class Conversation:
    """`name`: the task's id; `trace`: what brings our own trace back exactly, as JSON, "" if it is not one of ours."""

    name: str
    messages: tuple[Message, ...]
    trace: str = ""


def conversation_of(trace: Trace, settings: EpisodeSettings, folder: Path, note: str) -> Conversation:
    """The trace, played. Raises TaskError if it cannot be, or if an operation that is trained is refused.

    The task's own pictures that are files are referred to. Others are written below `folder`: pictures whole, frames of
    a video and what each look showed as they were shown.
    """
    trajectory = play(trace, settings).trajectory
    _check(trace, trajectory)
    is_video = trace.task.media == "video"
    own = Pictures(tuple(_file_of(view, settings.budgets, folder) for view in trajectory.prompt_views), is_video)
    messages = [_message("system", trajectory.prompt.system, None)] if trajectory.prompt.system else []
    messages.append(_message("user", trajectory.prompt.question, own if own.files else None))
    for turn in trajectory.turns:
        messages.append(_message("assistant", turn.text, None))
        shown = Pictures(tuple(_shown_file(view, settings.budgets, folder) for view in turn.views))
        if turn is not trajectory.turns[-1]:
            messages.append(_message("user", turn.observation, shown if shown.files else None))
    return Conversation(trace.task.task_id, tuple(messages), note)


def _check(trace: Trace, trajectory: Trajectory) -> None:
    fault = ""
    if trajectory.error is not None or len(trajectory.turns) != len(trace.turns):
        fault = f"cannot be played to its end: {trajectory.error or trajectory.stop}."
    for number, (turn, played) in enumerate(zip(trace.turns, trajectory.turns, strict=False), start=1):
        if turn.train and played.failure is not None and not fault:
            fault = f"has an operation that is trained and refused, in turn {number}: {played.failure.message}"
    if fault:
        raise TaskError(
            f"the trace of task {trace.task.task_id!r} {fault} Give the dialect and the limits that it was made with."
        )


def _message(role: str, text: str, pictures: Pictures | None) -> Message:
    return Message(role, (text,) if pictures is None else (text, pictures))


def _file_of(view: View, budgets: ViewBudgets, folder: Path) -> str:
    if isinstance(view.source, FileSource):
        return os.path.relpath(view.source.path, folder)
    if view.kind is ViewKind.VIDEO_FRAME:  # 16 whole ones take some 30 MB
        return _shown_file(view, budgets, folder)
    # Whole, as a file would be: at the size that it was shown at, crops of it may be too small for a reader.
    return f"{IMAGES}/{save_image(np.asarray(CACHE.get(view.source)), folder / IMAGES)}"


def _shown_file(view: View, budgets: ViewBudgets, folder: Path) -> str:
    return f"{IMAGES}/{save_image(show(view, budgets), folder / IMAGES)}"


def task_pictures(conversation: Conversation, folder: Path) -> tuple[tuple[Source, ...], bool]:
    """The pictures of the question, and whether they are one video's. Raises TaskError for a missing file."""
    question = question_of(conversation)
    sources = tuple(_source_of(item, folder) for part in question.pictures for item in part.files)
    return sources, any(part.is_video for part in question.pictures)


def _source_of(item: str | EncodedPicture, folder: Path) -> Source:
    if isinstance(item, EncodedPicture):
        return item
    if not os.path.isfile(folder / item):  # unlike Path.is_file, also False for a name that is too long
        raise TaskError(f"the picture {shortened(item)} is missing; unpack images and videos beside the rows")
    return FileSource(folder / item)


def question_of(conversation: Conversation) -> Message:
    """The first message of the user. Raises TaskError."""
    return _of_role(conversation.messages, "user")[0]


def said_by_assistant(conversation: Conversation) -> tuple[str, ...]:
    """The texts of the assistant, in order. Raises TaskError."""
    return tuple(message.text for message in _of_role(conversation.messages, "assistant"))


def shown_after_each(conversation: Conversation) -> tuple[Message, ...]:
    """What follows each message of the assistant up to its next one, as one message; without parts if nothing does."""
    groups: list[list[str | Pictures]] = []
    for message in conversation.messages:
        if message.role == "assistant":
            groups.append([])
        elif groups:
            groups[-1] += message.parts
    return tuple(Message("user", tuple(parts)) for parts in groups)


def _of_role(messages: Sequence[Message], role: str) -> list[Message]:
    found = [message for message in messages if message.role == role]
    if not found:
        raise TaskError(f"the conversation has no message of the {role}")
    return found
