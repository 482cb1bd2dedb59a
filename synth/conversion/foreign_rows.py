r"""Conversations of other projects to traces: told in a dialect, replayed, and compared with what the row shows.

The calls of a row are read in the dialect that is given or that its form declares; without either, in `rows_dialect`:
the released checkpoints' wire format with the name of the crop tool that the row calls (`crop_image` or
`crop_image_normalized`). Whether boxes are fractions or pixels is declared, never guessed from the numbers; a row that
contradicts the declaration is refused. Unverified: rows were not available, and public code has three conventions.

How such a row is read: the question is its first user text without the guideline, that is, up to the first paragraph
(other than the very first) that contains "\boxed", "step by step" or "guideline", and without the set's own closing
instructions; options and answer are read as in the released sets (`pixel_env/tasks/formats/pixelreasoner.py`); the
reference answer is the row's own if it has one, else the answer of the last turn. Where a row says which turns are
trained, that counts; elsewhere mistakes are *detected* (`detected_mistakes.py`). A row is refused if one of its
operations is refused (another dialect could not write it), or if its images are not those that its calls cut out: other
in number, in shape, or in content (`shown_regions.py`). Depends on conversations, dialects and replay; independent of
files of rows.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from agents.rollout import EpisodeSettings
from agents.traces.trace import Mistake, Trace, TraceTurn
from pixel_env.actions import parse
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.json_calls import JsonCalls
from pixel_env.dialects.table import DIALECTS, dialect_named
from pixel_env.episode import Answer, Limits, Malformed, Stop, Trajectory, Turn
from pixel_env.failures import FailureCode
from pixel_env.grading import grade
from pixel_env.media.cache import CACHE
from pixel_env.operations.coordinates import Coordinates
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.task import MediaKind, Task
from pixel_env.tasks.files.row import shortened
from pixel_env.tasks.formats.options import (
    accepted_answers,
    are_numbers,
    is_among,
    reference_answers,
    without_letter_request,
    without_options,
    without_placeholders,
)
from synth.conversion.conversations import (
    Conversation,
    Message,
    assistant_texts,
    observations_of,
    question_of,
    source_of,
    task_images,
)
from synth.conversion.detected_mistakes import detected_mistakes
from synth.conversion.mismatch import Reason, RowMismatch
from synth.conversion.shown_regions import check_region
from synth.plans.plan import PlanKind
from synth.verification.trace_replay import replay_trace

Unit = Literal["fraction", "pixel"]
CROP_NAMES = ("crop_image", "crop_image_normalized")

_PARAGRAPHS = re.compile(r"\n\s*\n")
_GUIDELINE = re.compile(r"\\boxed|step by step|guidelines?\b", re.IGNORECASE)
_INSTRUCTIONS = re.compile(r"(?:\A|\n)\s*(?:Think in the mind first\b|Format strictly as\b)[\s\S]*", re.IGNORECASE)
"""How the prompt of DeepEyes and Chain-of-Focus goes on after the question; the dialect adds its own wording."""
_REQUESTS = frozenset(text.format() for dialect in DIALECTS.values() for text in dialect.wording.requests.values())
"""What our own prompts ask an answer to be."""
_QUESTION_TITLE = re.compile(r"\A\s*question\s*:\s*", re.IGNORECASE)
_MARKED_ANSWER = re.compile(r"<answer>[\s\S]*</answer>\s*\Z")
_LIMITS = Limits(max_turns=32, max_images=64)
_NAME = re.compile(r'"name"\s*:\s*"([^"]*)"')
_CALLS = JsonCalls()
_ANY = (1000, 1000)
_WRONG_UNIT_FAILURES = {
    "fraction": (FailureCode.BOX_OUTSIDE,),
    "pixel": (FailureCode.BOX_OUTSIDE, FailureCode.BOX_EMPTY, FailureCode.CROP_TOO_SMALL),
}
"""Failures that occur when boxes of the other unit are read in this unit."""


@dataclass(frozen=True, slots=True)
class ForeignTrace:
    """A trace from elsewhere, in the dialect of its row, and its replayed episode, in which no call is refused."""

    trace: Trace
    trajectory: Trajectory
    dialect: Dialect


@dataclass(frozen=True, slots=True)
class RowReading:
    """How rows of other projects are read.

    `dialect`: of their calls; None: that of `rows_dialect`, with boxes in `unit`. `image_folders`: folders beside the
    file that may hold the images.
    """

    dialect: Dialect | None = None
    unit: Unit = "fraction"
    image_folders: tuple[str, ...] = ()


def rows_dialect(texts: Sequence[str], unit: Unit) -> Dialect:
    """The dialect of the texts of a row. Raises RowMismatch if they use two names for the crop tool."""
    names = _called_names(texts)
    crop_names = [name for name in CROP_NAMES if name in names]
    if len(crop_names) > 1:
        raise RowMismatch(Reason.UNREADABLE_CALL, f"it uses two names for the crop tool: {', '.join(crop_names)}")
    tool_names = {CropImage.name: crop_names[0] if crop_names else CROP_NAMES[0]}
    return replace(dialect_named("released"), name=f"released:{unit}", names=tool_names, coordinates=Coordinates(unit))


def _called_names(texts: Sequence[str]) -> set[str]:
    return {name for text in texts for name in _NAME.findall(text.partition(_CALLS.opening)[2])}


def foreign_trace(
    conversation: Conversation, folder: Path, reading: RowReading, name: str, reference: tuple[str, ...] = ()
) -> ForeignTrace:
    """The trace of a row of another project.

    `name`: the task id to use if the row has none. `reference`: the answers that the row declares right. Raises
    RowMismatch.
    """
    texts = assistant_texts(conversation)
    dialect = _with_marked_answers(reading.dialect or rows_dialect(texts, reading.unit), texts[-1])
    task = _task(conversation, folder, name, _answer_in(texts[-1], dialect), reference, reading)
    unflagged = Trace(task, tuple(TraceTurn(text) for text in texts))
    trajectory = replay_trace(unflagged, EpisodeSettings(dialect, _LIMITS, dialect.budgets)).trajectory
    _check(trajectory, conversation, folder, reading, dialect)
    mistakes = detected_mistakes(trajectory, dialect)
    turns = _flagged(conversation, mistakes)
    return ForeignTrace(Trace(task, turns, _kind(task, mistakes).value), trajectory, dialect)


def _with_marked_answers(dialect: Dialect, last_text: str) -> Dialect:
    """The dialect; where it takes a whole turn for the answer and the row marks its answer, one that reads the mark."""
    if dialect.answer_rule != "any" or dialect.answer_closing or not _MARKED_ANSWER.search(last_text):
        return dialect
    return replace(dialect, name=f"{dialect.name}:marked", answer_marker="<answer>", answer_closing="</answer>")


def _flagged(conversation: Conversation, mistakes: Sequence[Mistake | None]) -> tuple[TraceTurn, ...]:
    messages = [message for message in conversation.messages if message.role == "assistant"]
    trained = [message.train for message in messages]
    return tuple(
        TraceTurn(message.text, mistake is None if train is None else train, mistake)
        for message, train, mistake in zip(messages, trained, mistakes, strict=True)
    )


def _answer_in(text: str, dialect: Dialect) -> str:
    match parse(text, dialect):
        case Answer(answer):
            return answer
        case Malformed(_, reason):
            raise RowMismatch(Reason.NOT_ANSWERED, f"its episode ends with a call that cannot be read: {reason}")
        case _:
            message = f"its episode ends without an answer; its last turn is {shortened(text)}"
            raise RowMismatch(Reason.NOT_ANSWERED, message)


def _task(
    conversation: Conversation, folder: Path, name: str, answer: str, reference: tuple[str, ...], reading: RowReading
) -> Task:
    sources, is_video = task_images(conversation, folder, reading.image_folders)
    for source in sources:
        CACHE.get(source)  # an image that cannot be read is the row's fault, not that of its episode
    texts = assistant_texts(conversation)
    # TRL's rows have no videos: there, a video is recognised by a call that selects frames.
    is_video = is_video or (len(sources) > 1 and SelectFrames.name in _called_names(texts))
    text = question_alone(question_of(conversation).text)
    question, options = without_options(text)
    answers = reference_answers(reference or answer)
    if not options or not all(is_among(answer, options) for answer in answers):
        question, options = text, ()
    media: MediaKind = "video" if is_video else "image" if sources else "text"
    grader = "choice" if options else "number" if are_numbers(answers) else "exact"
    answers = accepted_answers(answers, grader)
    return Task(conversation.name or name, question, answers, sources, media, grader, options)


def question_alone(text: str) -> str:
    """The question of a first user text: without placeholders, guideline, closing instructions and a title."""
    asked = _INSTRUCTIONS.sub("", _without_guideline(without_placeholders(text))).strip()
    for request in _REQUESTS:
        asked = asked.removesuffix(request)
    return without_letter_request(_QUESTION_TITLE.sub("", asked).strip())


def _without_guideline(text: str) -> str:
    first, *others = _PARAGRAPHS.split(text.strip())
    return "\n\n".join([first, *itertools.takewhile(lambda part: not _GUIDELINE.search(part), others)])


def _check(
    trajectory: Trajectory, conversation: Conversation, folder: Path, reading: RowReading, dialect: Dialect
) -> None:
    if trajectory.error is not None:
        raise RowMismatch(Reason.UNUSABLE_ROW, trajectory.error)
    if trajectory.stop is not Stop.ANSWERED or len(trajectory.messages) != len(assistant_texts(conversation)):
        message = f"its episode ends ({trajectory.stop}) after {len(trajectory.messages)} turns"
        raise RowMismatch(Reason.NOT_ANSWERED, message)
    for steps, observation in zip(trajectory.messages, observations_of(conversation), strict=True):
        _check_shown(steps, observation, reading)
        views = [view for step in steps for view in step.views]
        stored = [item for images in observation.images for item in images.files]
        for view, item in zip(views, stored, strict=True):
            source = source_of(item, folder, reading.image_folders)
            check_region(CACHE.get(source), view, dialect.budgets)
    if grade(trajectory.task, trajectory.answer or "") != 1.0:
        is_own = not trajectory.answer or set(reference_answers(trajectory.answer)) <= set(trajectory.task.answers)
        against = "itself" if is_own else f"the row's own {shortened(trajectory.task.answers)}"
        raise RowMismatch(Reason.OTHER_ANSWER, f"its answer {trajectory.answer!r} is graded as wrong against {against}")


def _check_shown(steps: Sequence[Turn], observation: Message, reading: RowReading) -> None:
    """Raises RowMismatch if a call was refused, or if the row shows another number of images than its calls bring."""
    there = sum(len(images.files) for images in observation.images)
    views = sum(len(step.views) for step in steps)
    refused = next((step for step in steps if step.failure is not None), None)
    if refused is not None:
        raise _refusal(refused, reading, has_image=there > 0)
    if views and not there:
        message = f"it shows no image after an executed call: {shortened(observation.text)}"
        raise RowMismatch(Reason.OTHER_NUMBER_OF_IMAGES, message)
    if there and not views:
        raise RowMismatch(Reason.OTHER_NUMBER_OF_IMAGES, "it shows an image after a turn without a call")
    if there != views:
        message = f"it shows {there} images after calls that bring {views}"
        raise RowMismatch(Reason.OTHER_NUMBER_OF_IMAGES, message)


def _refusal(turn: Turn, reading: RowReading, *, has_image: bool) -> RowMismatch:
    assert turn.failure is not None
    failure = turn.failure
    if isinstance(turn.action, Malformed):
        hint = _readers_hint(turn.text) if reading.dialect is None else ""
        reason, what = Reason.UNREADABLE_CALL, "a call that cannot be read"
    else:
        hint, reason, what = "", Reason.REFUSED_CALL, "a refused call"
    if not has_image:
        return RowMismatch(
            reason, f"it has {what}, which cannot be written in another dialect: {failure.message}{hint}"
        )
    if reading.dialect is None and failure.code in _WRONG_UNIT_FAILURES[reading.unit]:
        hint = f" Its boxes are read as {reading.unit}s; give the other --coordinates if they are not"
    elif failure.code is FailureCode.CROP_TOO_SMALL:
        hint = " The original image was larger; rows of pixel-env are restored from their column 'trace'"
    return RowMismatch(reason, f"it shows an image after {what}: {failure.message}{hint}")


def _readers_hint(text: str) -> str:
    """Which rows of the table can read the call of a text; a call is never tried in all of them."""
    names = [
        name
        for name, dialect in DIALECTS.items()
        if dialect.calls.opening in text and not isinstance(parse(text, dialect, [_ANY] * 2, [_ANY] * 2), Malformed)
    ]
    return f" Its calls can be read in {', '.join(names)}: give --row_dialect" if names else ""


def _kind(task: Task, mistakes: Sequence[Mistake | None]) -> PlanKind:
    if task.media == "text":
        return PlanKind.TEXT_ONLY
    if Mistake.OVERSIZED_REGION in mistakes:
        return PlanKind.FURTHER_ZOOM
    if Mistake.WRONG_FRAMES in mistakes:
        return PlanKind.RESELECT
    recrops = {0: PlanKind.SINGLE_PASS, 1: PlanKind.RECROP_ONCE}
    return recrops.get(mistakes.count(Mistake.UNRELATED_REGION), PlanKind.RECROP_TWICE)
