"""The template teacher: narrates plans from their annotations alone, without a model and without a network.

It knows what is asked, where each look goes, what was wrong on purpose and the reference answer, and says no more than
that: the answer not before the look that shows it (`leaks.py` is asked about every text). What it says depends on the
plan and the seed alone. Knows nothing of dialects or of how traces are checked.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from agents.traces.trace import Mistake
from pixel_env.grading.choices import option_meant
from pixel_env.grading.counts import number_named
from pixel_env.operations.operation import Operation
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.task import Task
from synth.plans.plan import Look, Narration, Plan, PlanKind, Refusal
from synth.teachers.template import images, videos
from synth.teachers.template.wording import Grammar, moment_words, place_words
from synth.text_only.tasks import solution
from synth.verification.leaks import HOW_MANY, leak_in

MOST_COUNTED = 20
"""A larger number is read off, not counted: "How many employees ...? 4711"."""
_TRIES = 100


@dataclass(frozen=True, slots=True)
class TemplateTeacher:
    """Deterministic wording from small grammars; a `Teacher`."""

    name: str = "template"

    def narrate(self, plans: Sequence[Plan], *, seed: int) -> Iterator[tuple[int, Narration | Refusal]]:
        """(place in `plans`, narration or why there is none), in order."""
        return ((place, narrated(plan, seed=seed)) for place, plan in enumerate(plans))


def narrated(plan: Plan, *, seed: int) -> Narration | Refusal:
    """What is said with the plan, drawn from (seed, plan id).

    Refused: "no_solution" for a text-only task that is not of `text_only/`; "cannot_avoid_leak" where every text
    that was tried would have stated the answer too early.
    """
    if plan.kind is PlanKind.TEXT_ONLY:
        steps = solution(plan.task)
        if steps is None:
            return Refusal("no_solution", f"the task {plan.task.task_id!r} has no written solution; use an engine's.")
        return Narration(steps)
    rng = np.random.default_rng((seed, _number(plan.plan_id)))
    said: list[str] = []
    for place in range(len(plan.looks) + 1):
        text = _text(plan, place, said, rng)
        if text is None:
            return Refusal("cannot_avoid_leak", f"no wording for {plan.plan_id!r} hides its answer until it is shown.")
        said.append(text)
    return Narration(said[0], tuple(said[1:]))


def _number(plan_id: str) -> int:
    return int.from_bytes(hashlib.sha256(plan_id.encode()).digest()[:8], "big")


def _text(plan: Plan, place: int, said: Sequence[str], rng: np.random.Generator) -> str | None:
    """What is said before look number `place`, or before the answer; nothing that was said, nor a leak."""
    grammar, is_last = _grammar(plan, place), place == len(plan.looks)
    for _ in range(_TRIES):
        text = grammar.draw(rng, _fields(plan, place, rng))
        if text not in said and (is_last or leak_in(text, plan.task) is None):
            return text
    return None


def _grammar(plan: Plan, place: int) -> Grammar:
    """The grammar of what is said before look number `place`: after what was seen, before what is done next."""
    is_video = plan.task.media == "video"
    if place == 0:
        return videos.OVERVIEW if is_video else images.OVERVIEW
    shown = plan.looks[place - 1]
    match shown.mistake:
        case Mistake.UNRELATED_REGION:
            return images.AFTER_UNRELATED
        case Mistake.OVERSIZED_REGION:
            return images.AFTER_OVERSIZED
        case Mistake.WRONG_FRAMES:
            return videos.AFTER_WRONG_FRAMES
        case None:
            return _last_grammar(plan, shown) if place == len(plan.looks) else _between_grammar(shown)


def _between_grammar(shown: Look) -> Grammar:
    is_selection = isinstance(shown.action, SelectFrames)
    return videos.FRAME_THEN_CROP if is_selection else images.NEXT_CUE


def _last_grammar(plan: Plan, shown: Look) -> Grammar:
    if _is_counted(plan.task):
        return images.COUNTED
    return videos.SEEN if isinstance(shown.action, SelectFrames) else images.SEEN


def _is_counted(task: Task) -> bool:
    """Whether the answer is a count. Other numbers, such as a year, are seen."""
    number = number_named(task.answers[0])
    asks_how_many = HOW_MANY.search(task.question.casefold()) is not None
    return task.grader == "number" and asks_how_many and number is not None and number <= MOST_COUNTED


def _fields(plan: Plan, place: int, rng: np.random.Generator) -> dict[str, str]:
    fields = {"question": plan.task.question, "place": "", "moment": "", "answer": answer_words(plan.task)}
    if place == len(plan.looks):
        return fields
    action = plan.looks[place].action
    if isinstance(action, SelectFrames):
        return fields | {"moment": moment_words(action.frames, len(plan.task.sources), rng)}
    if (region := action.region()) is None:
        return fields | {"place": _whole(plan, action)}
    return fields | {"place": place_words(region[1], _whole(plan, action), rng)}


def _whole(plan: Plan, action: Operation) -> str:
    """What the picture is called that the crop is taken of."""
    if plan.task.media == "video":
        return "the frame"
    return "the picture" if (action.image_number or 0) < len(plan.task.sources) else "this crop"


def answer_words(task: Task) -> str:
    """The first reference answer as it is said: of a choice the letter and the option's text."""
    [*meant] = option_meant(task.answers[0], task.options) if task.options else ()
    if not meant:
        return task.answers[0].rstrip(". ")
    return f"({chr(ord('A') + meant[0])}) {task.options[meant[0]].rstrip('. ')}"
