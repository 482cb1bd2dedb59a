r"""Conversations to traces: our own exactly, others by what they say and do.

The rows of TIGER-Lab/PixelReasoner-SFT-Data carry no flags: their mistakes are *found* (`found_mistakes.py`). Such a
row is played in `rows_dialect`: the released checkpoints' wire format with the name of the crop that the row calls
(`crop_image` or `crop_image_normalized`). Whether its boxes are fractions or pixels is declared, never guessed from the
numbers; a row that contradicts it is refused. Unverified: no row was seen, and public code has three conventions.

What a foreign row becomes: the question is its first user text without the guideline (from the first paragraph on that
says "\boxed", "step by step" or "guideline", but never the first one); options and answer are read as in the released
sets (`pixel_env/tasks/formats/pixelreasoner.py`); the reference is what the last turn answers. A row is refused if an
operation of it is (another dialect cannot say it), and if it shows no picture where its operation is carried out.
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
from pixel_env.actions import write
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.json_calls import JsonCalls
from pixel_env.dialects.table import dialect_named
from pixel_env.episode import Action, Limits, Stop, Trajectory, Turn
from pixel_env.errors import TaskError
from pixel_env.failures import FailureCode
from pixel_env.grading import grade
from pixel_env.media.images import shown_size
from pixel_env.operations.coordinates import Coordinates
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.task import MediaKind, Task
from pixel_env.tasks.files.row import shortened
from pixel_env.tasks.formats.options import (
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
    question_of,
    said_by_assistant,
    shown_after_each,
    task_pictures,
)
from synth.conversion.found_mistakes import found_mistakes
from synth.plans.plan import PlanKind
from synth.verification.playing import play
from synth.verification.spoken import spoken

Unit = Literal["fraction", "pixel"]
CROP_NAMES = ("crop_image", "crop_image_normalized")

_PARAGRAPHS = re.compile(r"\n\s*\n")
_GUIDELINE = re.compile(r"\\boxed|step by step|guidelines?\b", re.IGNORECASE)
_LIMITS = Limits(max_turns=16, max_images=64)
_NAME = re.compile(r'"name"\s*:\s*"([^"]*)"')
_CALLS = JsonCalls()
_OF_THE_UNIT = {
    "fraction": (FailureCode.BOX_OUTSIDE,),
    "pixel": (FailureCode.BOX_OUTSIDE, FailureCode.BOX_EMPTY, FailureCode.CROP_TOO_SMALL),
}
"""Refusals that boxes meet which are read in this unit and are not in it."""


@dataclass(frozen=True, slots=True)
class OwnTrace:
    """One of our traces, and the pixel budgets of its set."""

    trace: Trace
    budgets: ViewBudgets | None


def note_of(own: OwnTrace, dialect: Dialect, folder: Path, seeds_folder: Path | None) -> str:
    """What brings the trace, which is in `dialect`, back from a row that is written into `folder`."""
    trace = own.trace
    note = {
        "dialect": dialect.name,
        "task": task_row(trace.task, folder, seeds_folder),
        "kind": trace.kind,
        "turns": [turn_row(turn) for turn in trace.turns],
        "budgets": budgets_row(own.budgets),
    }
    return json.dumps(note)


def own_trace(conversation: Conversation, dialect: Dialect, folder: Path, seeds_folder: Path) -> OwnTrace:
    """What `note_of` noted. Raises TaskError, also for another dialect or a row that was edited beside it."""
    try:
        note = json.loads(conversation.trace)
        json.dumps(note, ensure_ascii=False).encode()  # half of a surrogate pair can be in no file
        made = str(note.get("dialect", dialect.name))
        turns = tuple(read_turn(turn) for turn in note["turns"])
        trace = Trace(task_of_row(note["task"], folder, seeds_folder), turns, str(note["kind"]))
        own = OwnTrace(trace, budgets_of_row(note["budgets"]))
        is_edited = trace.task.question not in question_of(conversation).text
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise TaskError(f"the column 'trace' is not one of ours ({type(error).__name__}: {error})") from error
    if not call_alike(made, dialect.name):
        raise TaskError(f"it was made in the dialect {made!r}, not in {dialect.name!r}; give --dialect {made}")
    if is_edited or tuple(turn.text for turn in turns) != said_by_assistant(conversation):
        raise TaskError(
            "its question or what its assistant says is not what the column 'trace' holds, from which it comes back; "
            "edit both alike, or drop that column: then it is read as a row that is not ours"
        )
    return own


# ----------------------------------------------------------------------------------------------------- foreign rows


@dataclass(frozen=True, slots=True)
class ForeignTrace:
    """A trace that was made elsewhere, in the dialect of its row, and its episode, in which nothing is refused."""

    trace: Trace
    trajectory: Trajectory
    dialect: Dialect


def rows_dialect(texts: Sequence[str], unit: Unit) -> Dialect:
    """The dialect that the texts of a row are in. Raises TaskError if they call crops by two names."""
    names = _called_names(texts)
    called = [name for name in CROP_NAMES if name in names]
    if len(called) > 1:
        raise TaskError(f"it calls crops by two names: {', '.join(called)}")
    crop_name = {CropImage.name: called[0] if called else CROP_NAMES[0]}
    return replace(dialect_named("released"), name=f"released:{unit}", names=crop_name, coordinates=Coordinates(unit))


def _called_names(texts: Sequence[str]) -> set[str]:
    return {name for text in texts for name in _NAME.findall(text.partition(_CALLS.opening)[2])}


def foreign_trace(conversation: Conversation, folder: Path, unit: Unit, name: str) -> ForeignTrace:
    """The trace of a row that is not ours; `name`: its task's id if it has none. Raises TaskError."""
    texts = said_by_assistant(conversation)
    dialect = rows_dialect(texts, unit)
    task = _task(conversation, folder, name)
    silent = Trace(task, tuple(TraceTurn(text) for text in texts))
    trajectory = play(silent, EpisodeSettings(dialect, _LIMITS, dialect.budgets)).trajectory
    _check(trajectory, conversation, unit)
    mistakes = found_mistakes(trajectory, dialect)
    turns = tuple(
        TraceTurn(turn.text, mistake is None, mistake) for turn, mistake in zip(trajectory.turns, mistakes, strict=True)
    )
    return ForeignTrace(Trace(task, turns, _kind(task, mistakes).value), trajectory, dialect)


def _task(conversation: Conversation, folder: Path, name: str) -> Task:
    sources, is_video = task_pictures(conversation, folder)
    texts = said_by_assistant(conversation)
    # TRL's rows have no videos: there, frames that are selected from tell one.
    is_video = is_video or (len(sources) > 1 and SelectFrames.name in _called_names(texts))
    text = without_placeholders(_without_guideline(question_of(conversation).text))
    question, options = without_options(text)
    answers = reference_answers(texts[-1])
    if not options or not all(is_among(answer, options) for answer in answers):
        question, options = text, ()
    media: MediaKind = "video" if is_video else "image" if sources else "text"
    grader = "choice" if options else "number" if are_numbers(answers) else "exact"
    return Task(conversation.name or name, question, answers, sources, media, grader, options)


def _without_guideline(text: str) -> str:
    first, *others = _PARAGRAPHS.split(text.strip())
    return "\n\n".join([first, *itertools.takewhile(lambda part: not _GUIDELINE.search(part), others)])


def _check(trajectory: Trajectory, conversation: Conversation, unit: Unit) -> None:
    if trajectory.error is not None:
        raise TaskError(trajectory.error)
    if trajectory.stop is not Stop.ANSWERED or len(trajectory.turns) != len(said_by_assistant(conversation)):
        raise TaskError(f"its episode ends ({trajectory.stop}) after {len(trajectory.turns)} turns")
    if grade(trajectory.task, trajectory.answer or "") != 1.0:
        raise TaskError(f"its answer {trajectory.answer!r} is not read as an answer")
    for turn, observation in zip(trajectory.turns, shown_after_each(conversation), strict=True):
        _check_shown(turn, observation, unit)


def _check_shown(turn: Turn, observation: Message, unit: Unit) -> None:
    if turn.failure is not None and not observation.pictures:
        raise TaskError(f"it has a call that is refused, which another dialect cannot say: {turn.failure.message}")
    if turn.failure is not None:
        way_out = ""
        if turn.failure.code in _OF_THE_UNIT[unit]:
            way_out = f" Its boxes are read as {unit}s; give the other --coordinates if they are not"
        elif turn.failure.code is FailureCode.CROP_TOO_SMALL:
            way_out = " It looked at a larger picture than the row has; a row of ours comes back by its column 'trace'"
        raise TaskError(f"it shows a picture where the call is refused: {turn.failure.message}{way_out}")
    if turn.views and not observation.pictures:
        raise TaskError(f"it shows no picture where the call is carried out: {shortened(observation.text)}")
    if observation.pictures and not turn.views:
        raise TaskError("it shows a picture where nothing is called")


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
    """The trace in the words of `target`: what it says stays, what it does is written anew.

    A dialect that pads crops has said a smaller box than it showed; one that does not is told the box that was shown.
    Raises TaskError for what `target` cannot say.
    """
    shown = list(foreign.trajectory.prompt_views)
    turns = []
    for turn, played in zip(foreign.trace.turns, foreign.trajectory.turns, strict=True):
        sizes = [shown_size(view, target.budgets) for view in shown]
        try:
            done = write(_action_for(target, played, shown, foreign.dialect), target, sizes)
        except ValueError as error:
            raise TaskError(str(error)) from error
        said = spoken(turn.text, foreign.dialect)
        turns.append(replace(turn, text=f"{said}\n{done}" if said else done))
        shown += played.views
    return replace(foreign.trace, turns=tuple(turns))


def _action_for(target: Dialect, played: Turn, shown: Sequence[View], source: Dialect) -> Action:
    if not isinstance(played.action, CropImage) or target.padding == source.padding:
        return played.action
    if target.padding:
        raise TaskError(f"the dialect {target.name!r} pads crops by {target.padding}, the row's by {source.padding}")
    image = played.action.image
    return CropImage(image, played.views[0].box.relative_to(shown[image].box))
