"""Conversations: a trace with all that it was shown, as roles, texts and image files.

This is what every exchange format has in common. Depends on traces, episodes and images; independent of the formats
(`forms/`).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from agents.rollout import EpisodeSettings
from agents.traces.trace import Trace
from pixel_env.episode import Trajectory, message_parts, observed
from pixel_env.errors import TaskError
from pixel_env.media.cache import CACHE
from pixel_env.media.showing import show
from pixel_env.media.sources import FileSource
from pixel_env.store import save_image
from pixel_env.tasks.files.row import shortened
from pixel_env.views import Source, View, ViewBudgets, ViewKind
from synth.conversion.encoded_images import HeldImage
from synth.conversion.mismatch import Reason, RowMismatch
from synth.verification.trace_replay import replay_trace

IMAGES = "images"


@dataclass(frozen=True, slots=True)
class Images:
    """Image files, relative to the folder of the rows, or their bytes; `is_video`: they are the frames of one video."""

    files: tuple[str | HeldImage, ...]
    is_video: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """The texts and images of one message, in order; `train`: whether the row says that it is trained, if it does."""

    role: str
    parts: tuple[str | Images, ...]
    train: bool | None = None

    @property
    def text(self) -> str:
        """All texts of the message, joined."""
        return "".join(part for part in self.parts if isinstance(part, str))

    @property
    def images(self) -> tuple[Images, ...]:
        """All images of the message."""
        return tuple(part for part in self.parts if isinstance(part, Images))


@dataclass(frozen=True, slots=True)
class Conversation:
    """`name`: the task's id; `trace`: our own trace as JSON, from which it is restored exactly, "" for foreign rows."""

    name: str
    messages: tuple[Message, ...]
    trace: str = ""


def conversation_of(trace: Trace, settings: EpisodeSettings, folder: Path, note: str) -> Conversation:
    """The conversation of a trace, by replay. `note`: the trace as JSON (`released_rows.note_of`).

    Images of the task that are files are referenced by path. Other images are written below `folder`: images of the
    task at full size; video frames and the results of operations as they were shown. Raises TaskError if the trace
    cannot be replayed, or if an operation on a trained turn is refused.
    """
    trajectory = replay_trace(trace, settings).trajectory
    _check(trace, trajectory)
    is_video = trace.task.media == "video"
    task_images = Images(tuple(_file_of(view, settings.budgets, folder) for view in trajectory.prompt_views), is_video)
    messages = [Message("system", (trajectory.prompt.system,))] if trajectory.prompt.system else []
    messages.append(_user_message(trajectory.prompt.question, task_images))
    for number, steps in enumerate(trajectory.messages, start=1):
        messages.append(Message("assistant", (steps[0].text,)))
        if number < len(trajectory.messages):
            text, views = observed(steps)
            shown = Images(tuple(_shown_file(view, settings.budgets, folder) for view in views))
            messages.append(_user_message(text, shown))
    return Conversation(trace.task.task_id, tuple(messages), note)


def _check(trace: Trace, trajectory: Trajectory) -> None:
    fault = ""
    if trajectory.error is not None or len(trajectory.messages) != len(trace.turns):
        fault = f"cannot be replayed to its end: {trajectory.error or trajectory.stop}."
    for number, (turn, steps) in enumerate(zip(trace.turns, trajectory.messages, strict=False), start=1):
        failure = next((step.failure for step in steps if step.failure is not None), None)
        if turn.train and failure is not None and not fault:
            fault = f"has a refused operation on a trained turn, turn {number}: {failure.message}"
    if fault:
        raise TaskError(
            f"the trace of task {trace.task.task_id!r} {fault} Give the dialect and the limits of its generation."
        )


def _user_message(text: str, images: Images) -> Message:
    """A message of the user, with its images where the text has them; a video stands where its first frame does."""
    files, parts = iter(images.files), list[str | Images]()
    for is_image, run in groupby(message_parts(text, len(images.files)), key=lambda part: part is None):
        if not is_image:
            parts += [part for part in run if part is not None]
        elif not images.is_video:
            parts.append(Images(tuple(next(files) for _ in run)))
        elif images not in parts:
            parts.append(images)
    return Message("user", tuple(parts) or ("",))


def _file_of(view: View, budgets: ViewBudgets, folder: Path) -> str:
    if isinstance(view.source, FileSource):
        return os.path.relpath(view.source.path, folder)
    if view.kind is ViewKind.VIDEO_FRAME:  # 16 frames at full size take about 30 MB
        return _shown_file(view, budgets, folder)
    # At full size, as a file would be: crops of the shown size may be too small for a reader.
    return f"{IMAGES}/{save_image(np.asarray(CACHE.get(view.source, budgets.colors)), folder / IMAGES)}"


def _shown_file(view: View, budgets: ViewBudgets, folder: Path) -> str:
    return f"{IMAGES}/{save_image(show(view, budgets), folder / IMAGES)}"


def task_images(conversation: Conversation, folder: Path, below: Sequence[str] = ()) -> tuple[tuple[Source, ...], bool]:
    """The images of the question, and whether they are frames of one video. Raises TaskError for a missing file.

    `below`: folders in `folder` in which an image may be, too.
    """
    question = question_of(conversation)
    sources = tuple(source_of(item, folder, below) for part in question.images for item in part.files)
    return sources, any(part.is_video for part in question.images)


def source_of(item: str | HeldImage, folder: Path, below: Sequence[str] = ()) -> Source:
    """The image of a row. Raises RowMismatch for a missing file."""
    if not isinstance(item, str):
        return item
    for path in (folder / item, *(folder / name / item for name in below)):
        if os.path.isfile(path):  # unlike Path.is_file, also False for a name that is too long
            return FileSource(path)
    raise RowMismatch(
        Reason.MISSING_IMAGE, f"the image {shortened(item)} is missing; unpack images and videos beside the rows"
    )


def question_of(conversation: Conversation) -> Message:
    """The first user message. Raises TaskError if there is none."""
    return _of_role(conversation.messages, "user")[0]


def assistant_texts(conversation: Conversation) -> tuple[str, ...]:
    """The texts of the assistant messages, in order. Raises TaskError if there is none."""
    return tuple(message.text for message in _of_role(conversation.messages, "assistant"))


def observations_of(conversation: Conversation) -> tuple[Message, ...]:
    """For each assistant message, all that follows it up to the next one, as one message (empty if nothing follows)."""
    groups: list[list[str | Images]] = []
    for message in conversation.messages:
        if message.role == "assistant":
            groups.append([])
        elif groups:
            groups[-1] += message.parts
    return tuple(Message("user", tuple(parts)) for parts in groups)


def _of_role(messages: Sequence[Message], role: str) -> list[Message]:
    of_role = [message for message in messages if message.role == role]
    if not of_role:
        raise TaskError(f"the conversation has no message with the role {role!r}")
    return of_role
