r"""Conversations to traces: ours are restored exactly, foreign ones are read from their texts and calls.

The rows of TIGER-Lab/PixelReasoner-SFT-Data carry no flags: their mistakes are *detected* (`detected_mistakes.py`).
Such a row is replayed in `rows_dialect`: the released checkpoints' wire format with the name of the crop tool that the
row calls (`crop_image` or `crop_image_normalized`). Whether its boxes are fractions or pixels is declared, never
guessed from the numbers; a row that contradicts the declaration is refused. Unverified: the rows were not available,
and public code has three conventions.

How a foreign row is read: the question is its first user text without the guideline, that is, up to the first paragraph
(other than the very first) that contains "\boxed", "step by step" or "guideline"; options and answer are read as in the
released sets (`pixel_env/tasks/formats/pixelreasoner.py`); the reference answer is the answer of the last turn. A row
is refused if one of its operations is refused (another dialect could not write it), or if it shows no image after an
operation that is executed. Depends on conversations, dialects and replay; independent of files of rows.
"""

import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from agents.rollout import EpisodeSettings
from agents.traces.folder import budgets_of_row, budgets_row, call_alike, task_of_row, task_row
from agents.traces.trace import Mistake, Trace, TraceTurn, read_turn, turn_row
from pixel_env.actions import sizes_for, write
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.json_calls import JsonCalls
from pixel_env.dialects.table import dialect_named
from pixel_env.episode import Action, Limits, Stop, Trajectory, Turn
from pixel_env.errors import TaskError
from pixel_env.failures import FailureCode
from pixel_env.grading import grade
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
    without_options,
    without_placeholders,
)
from pixel_env.views import View, ViewBudgets
from synth.conversion.conversations import (
    Conversation,
    Message,
    assistant_texts,
    observations_of,
    question_of,
    task_images,
)
from synth.conversion.detected_mistakes import detected_mistakes
from synth.plans.plan import PlanKind
from synth.verification.reasoning import reasoning_in
from synth.verification.trace_replay import replay_trace

Unit = Literal["fraction", "pixel"]
CROP_NAMES = ("crop_image", "crop_image_normalized")

_PARAGRAPHS = re.compile(r"\n\s*\n")
_GUIDELINE = re.compile(r"\\boxed|step by step|guidelines?\b", re.IGNORECASE)
_LIMITS = Limits(max_turns=16, max_images=64)
_NAME = re.compile(r'"name"\s*:\s*"([^"]*)"')
_CALLS = JsonCalls()
_WRONG_UNIT_FAILURES = {
    "fraction": (FailureCode.BOX_OUTSIDE,),
    "pixel": (FailureCode.BOX_OUTSIDE, FailureCode.BOX_EMPTY, FailureCode.CROP_TOO_SMALL),
}
"""Failures that occur when boxes of the other unit are read in this unit."""


@dataclass(frozen=True, slots=True)
class OwnTrace:
    """One of our traces, and the pixel budgets of its set."""

    trace: Trace
    budgets: ViewBudgets | None


def note_of(own: OwnTrace, dialect: Dialect, folder: Path, seeds_folder: Path | None) -> str:
    """The trace as JSON, for the column `trace` of a row that is written into `folder`; `dialect`: of the trace."""
    trace = own.trace
    note = {
        "dialect": dialect.name,
        "task": task_row(trace.task, folder, seeds_folder),
        "kind": trace.kind,
        "turns": [turn_row(turn) for turn in trace.turns],
        "budgets": budgets_row(own.budgets),
    }
    return json.dumps(note)


def dialect_in_note(text: str) -> str | None:
    """The dialect in a column `trace` that `note_of` wrote; None for any other text."""
    try:
        dialect = json.loads(text)["dialect"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return dialect if isinstance(dialect, str) else None


def own_trace(conversation: Conversation, dialect: Dialect, folder: Path, seeds_folder: Path) -> OwnTrace:
    """The trace that `note_of` wrote. Raises TaskError, also for another dialect and for a row that was edited."""
    try:
        note = json.loads(conversation.trace)
        json.dumps(note, ensure_ascii=False).encode()  # half of a surrogate pair cannot be written to a file
        made_in = str(note.get("dialect", dialect.name))
        turns = tuple(read_turn(turn) for turn in note["turns"])
        trace = Trace(task_of_row(note["task"], folder, seeds_folder), turns, str(note["kind"]))
        own = OwnTrace(trace, budgets_of_row(note["budgets"]))
        is_edited = trace.task.question not in question_of(conversation).text
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise TaskError(f"the column 'trace' is not one of ours ({type(error).__name__}: {error})") from error
    if not call_alike(made_in, dialect.name):
        raise TaskError(f"its dialect is {made_in!r}, not {dialect.name!r}; give --dialect {made_in}")
    if is_edited or tuple(turn.text for turn in turns) != assistant_texts(conversation):
        raise TaskError(
            "its question or its assistant messages differ from the column 'trace', from which the trace is restored; "
            "edit both in the same way, or remove that column: then the row is read as a foreign one"
        )
    return own


# ----------------------------------------------------------------------------------------------------- foreign rows


@dataclass(frozen=True, slots=True)
class ForeignTrace:
    """A trace from elsewhere, in the dialect of its row, and its replayed episode, in which no call is refused."""

    trace: Trace
    trajectory: Trajectory
    dialect: Dialect


def rows_dialect(texts: Sequence[str], unit: Unit) -> Dialect:
    """The dialect of the texts of a row. Raises TaskError if they use two names for the crop tool."""
    names = _called_names(texts)
    crop_names = [name for name in CROP_NAMES if name in names]
    if len(crop_names) > 1:
        raise TaskError(f"it uses two names for the crop tool: {', '.join(crop_names)}")
    tool_names = {CropImage.name: crop_names[0] if crop_names else CROP_NAMES[0]}
    return replace(dialect_named("released"), name=f"released:{unit}", names=tool_names, coordinates=Coordinates(unit))


def _called_names(texts: Sequence[str]) -> set[str]:
    return {name for text in texts for name in _NAME.findall(text.partition(_CALLS.opening)[2])}


def foreign_trace(conversation: Conversation, folder: Path, unit: Unit, name: str) -> ForeignTrace:
    """The trace of a foreign row; `name`: the task id to use if the row has none. Raises TaskError."""
    texts = assistant_texts(conversation)
    dialect = rows_dialect(texts, unit)
    task = _task(conversation, folder, name)
    unflagged = Trace(task, tuple(TraceTurn(text) for text in texts))
    trajectory = replay_trace(unflagged, EpisodeSettings(dialect, _LIMITS, dialect.budgets)).trajectory
    _check(trajectory, conversation, unit)
    mistakes = detected_mistakes(trajectory, dialect)
    turns = tuple(TraceTurn(text, mistake is None, mistake) for text, mistake in zip(texts, mistakes, strict=True))
    return ForeignTrace(Trace(task, turns, _kind(task, mistakes).value), trajectory, dialect)


def _task(conversation: Conversation, folder: Path, name: str) -> Task:
    sources, is_video = task_images(conversation, folder)
    texts = assistant_texts(conversation)
    # TRL's rows have no videos: there, a video is recognised by a call that selects frames.
    is_video = is_video or (len(sources) > 1 and SelectFrames.name in _called_names(texts))
    text = without_placeholders(_without_guideline(question_of(conversation).text))
    question, options = without_options(text)
    answers = reference_answers(texts[-1])
    if not options or not all(is_among(answer, options) for answer in answers):
        question, options = text, ()
    media: MediaKind = "video" if is_video else "image" if sources else "text"
    grader = "choice" if options else "number" if are_numbers(answers) else "exact"
    answers = accepted_answers(answers, grader)
    return Task(conversation.name or name, question, answers, sources, media, grader, options)


def _without_guideline(text: str) -> str:
    first, *others = _PARAGRAPHS.split(text.strip())
    return "\n\n".join([first, *itertools.takewhile(lambda part: not _GUIDELINE.search(part), others)])


def _check(trajectory: Trajectory, conversation: Conversation, unit: Unit) -> None:
    if trajectory.error is not None:
        raise TaskError(trajectory.error)
    if trajectory.stop is not Stop.ANSWERED or len(trajectory.messages) != len(assistant_texts(conversation)):
        raise TaskError(f"its episode ends ({trajectory.stop}) after {len(trajectory.messages)} turns")
    if grade(trajectory.task, trajectory.answer or "") != 1.0:
        raise TaskError(f"its answer {trajectory.answer!r} is graded as wrong against itself")
    for turn, observation in zip(trajectory.turns, observations_of(conversation), strict=True):
        _check_shown(turn, observation, unit)


def _check_shown(turn: Turn, observation: Message, unit: Unit) -> None:
    if turn.failure is not None and not observation.images:
        raise TaskError(f"it has a refused call, which cannot be written in another dialect: {turn.failure.message}")
    if turn.failure is not None:
        hint = ""
        if turn.failure.code in _WRONG_UNIT_FAILURES[unit]:
            hint = f" Its boxes are read as {unit}s; give the other --coordinates if they are not"
        elif turn.failure.code is FailureCode.CROP_TOO_SMALL:
            hint = " The original image was larger; rows of pixel-env are restored from their column 'trace'"
        raise TaskError(f"it shows an image after a refused call: {turn.failure.message}{hint}")
    if turn.views and not observation.images:
        raise TaskError(f"it shows no image after an executed call: {shortened(observation.text)}")
    if observation.images and not turn.views:
        raise TaskError("it shows an image after a turn without a call")


def _kind(task: Task, mistakes: Sequence[Mistake | None]) -> PlanKind:
    if task.media == "text":
        return PlanKind.TEXT_ONLY
    if Mistake.OVERSIZED_REGION in mistakes:
        return PlanKind.FURTHER_ZOOM
    if Mistake.WRONG_FRAMES in mistakes:
        return PlanKind.RESELECT
    recrops = {0: PlanKind.SINGLE_PASS, 1: PlanKind.RECROP_ONCE}
    return recrops.get(mistakes.count(Mistake.UNRELATED_REGION), PlanKind.RECROP_TWICE)


# ---------------------------------------------------------------------------------------------------- other dialects


def translated(foreign: ForeignTrace, target: Dialect) -> Trace:
    """The trace in the dialect `target`: its reasoning is kept, its calls and its answer are rewritten.

    A dialect that pads crops shows more than the box of the call; a target that does not pad gets the box that was
    shown. Raises TaskError for what `target` cannot write.
    """
    shown = list(foreign.trajectory.prompt_views)
    turns = []
    for turn, played in zip(foreign.trace.turns, foreign.trajectory.turns, strict=True):
        try:
            action = _action_for(target, played, shown, foreign.dialect)
            call = write(action, target, *sizes_for(target, shown, target.budgets))
        except ValueError as error:
            raise TaskError(str(error)) from error
        reasoning = reasoning_in(turn.text, foreign.dialect)
        turns.append(replace(turn, text=f"{reasoning}\n{call}" if reasoning else call))
        shown += played.views
    return replace(foreign.trace, turns=tuple(turns))


def _action_for(target: Dialect, played: Turn, shown: Sequence[View], source: Dialect) -> Action:
    if not isinstance(played.action, CropImage) or target.edges.padding == source.edges.padding:
        return played.action
    if target.edges.padding:
        raise TaskError(
            f"the dialect {target.name!r} pads crops by {target.edges.padding}, the row's by {source.edges.padding}"
        )
    image = played.action.image
    return CropImage(image, played.views[0].box.relative_to(shown[image].box))
