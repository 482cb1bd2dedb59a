"""The template teacher: narrates plans from their annotations alone, without a model and without a network.

Its texts use only the question, the positions of the operations, the flagged mistakes and the reference answer; the
answer does not occur before the operation that shows it (`leaks.py` checks every text). The texts depend only on the
plan and the seed. Depends on plans, grammars and the leak rules; independent of dialects and of how traces are
verified.
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
from synth.plans.plan import Narration, Plan, PlanKind, PlannedOperation, Refusal
from synth.teachers.template import images, videos
from synth.teachers.template.wording import Grammar, moment_words, place_words
from synth.text_only.tasks import solution
from synth.verification.leaks import HOW_MANY, leak_in

MOST_COUNTED = 20
"""A larger number is read from the image, not counted: "How many employees ...? 4711"."""
_TRIES = 100


@dataclass(frozen=True, slots=True)
class TemplateTeacher:
    """Deterministic wording from small grammars; a `Teacher`."""

    name: str = "template"

    def narrate(self, plans: Sequence[Plan], *, seed: int) -> Iterator[tuple[int, Narration | Refusal]]:
        """Yields (index in `plans`, narration or refusal), in order."""
        return ((index, narrated(plan, seed=seed)) for index, plan in enumerate(plans))


def narrated(plan: Plan, *, seed: int) -> Narration | Refusal:
    """The narration of the plan, drawn from (seed, plan id), or a refusal.

    Codes: "no_solution" for a text-only task that is not from `text_only/`; "cannot_avoid_leak" if every text that was
    tried states the answer too early.
    """
    if plan.kind is PlanKind.TEXT_ONLY:
        steps = solution(plan.task)
        if steps is None:
            return Refusal(
                "no_solution", f"the task {plan.task.task_id!r} has no written solution; use a teacher with a model."
            )
        return Narration(steps)
    rng = np.random.default_rng((seed, _number(plan.plan_id)))
    texts: list[str] = []
    for index in range(len(plan.operations) + 1):
        text = _text(plan, index, texts, rng)
        if text is None:
            return Refusal("cannot_avoid_leak", f"every wording for {plan.plan_id!r} states its answer too early.")
        texts.append(text)
    return Narration(texts[0], tuple(texts[1:]))


def _number(plan_id: str) -> int:
    return int.from_bytes(hashlib.sha256(plan_id.encode()).digest()[:8], "big")


def _text(plan: Plan, index: int, earlier: Sequence[str], rng: np.random.Generator) -> str | None:
    """The text before operation `index`, or before the answer: not one of `earlier`, and without a leak; or None."""
    grammar, is_last = _grammar(plan, index), index == len(plan.operations)
    for _ in range(_TRIES):
        text = grammar.draw(rng, _fields(plan, index, rng))
        if text not in earlier and (is_last or leak_in(text, plan.task) is None):
            return text
    return None


def _grammar(plan: Plan, index: int) -> Grammar:
    """The grammar of the text before operation `index`, which comments on the result of the one before it."""
    is_video = plan.task.media == "video"
    if index == 0:
        return videos.OVERVIEW if is_video else images.OVERVIEW
    latest = plan.operations[index - 1]
    match latest.mistake:
        case Mistake.UNRELATED_REGION:
            return images.AFTER_UNRELATED
        case Mistake.OVERSIZED_REGION:
            return images.AFTER_OVERSIZED
        case Mistake.WRONG_FRAMES:
            return videos.AFTER_WRONG_FRAMES
        case None:
            return _last_grammar(plan, latest) if index == len(plan.operations) else _between_grammar(latest)


def _between_grammar(latest: PlannedOperation) -> Grammar:
    is_selection = isinstance(latest.operation, SelectFrames)
    return videos.FRAME_THEN_CROP if is_selection else images.NEXT_CUE


def _last_grammar(plan: Plan, latest: PlannedOperation) -> Grammar:
    if _is_counted(plan.task):
        return images.COUNTED
    return videos.SEEN if isinstance(latest.operation, SelectFrames) else images.SEEN


def _is_counted(task: Task) -> bool:
    """Whether the answer is a count. Other numbers, such as a year, are read."""
    number = number_named(task.answers[0])
    asks_how_many = HOW_MANY.search(task.question.casefold()) is not None
    return task.grader == "number" and asks_how_many and number is not None and number <= MOST_COUNTED


def _fields(plan: Plan, index: int, rng: np.random.Generator) -> dict[str, str]:
    fields = {"question": plan.task.question, "place": "", "moment": "", "answer": answer_words(plan.task)}
    if index == len(plan.operations):
        return fields
    operation = plan.operations[index].operation
    if isinstance(operation, SelectFrames):
        return fields | {"moment": moment_words(operation.frames, len(plan.task.sources), rng)}
    if (region := operation.region()) is None:
        return fields | {"place": _whole(plan, operation)}
    return fields | {"place": place_words(region[1], _whole(plan, operation), rng)}


def _whole(plan: Plan, operation: Operation) -> str:
    """The words for the image that is cropped."""
    if plan.task.media == "video":
        return "the frame"
    return "the picture" if (operation.image_number or 0) < len(plan.task.sources) else "this crop"


def answer_words(task: Task) -> str:
    """The first reference answer in words; for a choice, the letter and the text of the option."""
    [*meant] = option_meant(task.answers[0], task.options) if task.options else ()
    if not meant:
        return task.answers[0].rstrip(". ")
    return f"({chr(ord('A') + meant[0])}) {task.options[meant[0]].rstrip('. ')}"
