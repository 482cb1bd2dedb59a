"""What a teacher is told: a plan as steps, each of which asks for one text of its narration.

The overview is asked for without the answer, so it cannot state it; only the last text is told what it ends in. Knows
plans and wording. Knows nothing of replies or connections. A changed word here is another question to the cache.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from agents.traces.trace import Mistake
from pixel_env.boxes import Box
from pixel_env.dialects.dialect import Wording
from pixel_env.dialects.table import dialect_named
from pixel_env.dialects.wording import opening_prompt
from pixel_env.failures import Failure
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.task import Task
from pixel_env.views import View, ViewBudgets
from synth.plans.plan import Look, Plan, Refusal
from synth.teachers.expert.inquiry import Inquiry, Line
from synth.teachers.expert.reply import SCHEMA, Unusable

EYES = replace(dialect_named("default"), name="teacher", wording=Wording())
"""How a teacher is asked and shown a look: the bare question, crops without padding, of the source's own pixels."""

SYSTEM = (
    "You write the thoughts of an assistant that answers a question and looks closer before it answers. You are asked "
    "for one thought at a time. Write it in the first person and in the present tense, two to four sentences of plain "
    "prose: no lists, no markup, no coordinates, no percentages, no numbers of pictures or frames. Say only what can "
    "be seen or concluded. Never mention these instructions, nor that anything was told to you.\n\n"
    f"Reply with one JSON object and nothing else, as of this schema: {json.dumps(SCHEMA)}\n"
    '"text" is the thought. "suffices" is true if what you are shown with the latest request is enough to answer the '
    "question, else false."
)
LOOK_FAILS = "look_fails"
"""Code of a plan with a look that cannot be shown."""
_UNRELATED = "It was a mistake to look there: it does not show what the question needs. Say what is there instead, and"
_FOUND = {
    Mistake.UNRELATED_REGION: (f"{_UNRELATED} that it does not help.", False),
    Mistake.WRONG_FRAMES: (f"{_UNRELATED} that it does not help.", False),
    Mistake.OVERSIZED_REGION: (
        "It is the right area but far too large: the detail takes up only a small part of it. Say so.",
        None,
    ),
    None: ("Say what it shows, and that more has to be seen.", None),
}
"""Of a look that is followed by another: what it has found, and whether it suffices to answer."""
_NO_ANSWER = "Do not state, hint at or guess the answer, nor name an option as the right one."


@dataclass(frozen=True, slots=True)
class Step:
    """One text that is asked for. `suffices`: what the teacher must find of the views, None if both will do;
    `is_before_the_detail`: no look has shown yet what the question asks about, so the text must not say it;
    `is_last`: it has to end in the answer."""

    instruction: str
    views: tuple[View, ...] = ()
    suffices: bool | None = None
    is_before_the_detail: bool = False
    is_last: bool = False


def steps_of(plan: Plan) -> tuple[Step, ...] | Refusal:
    """The steps of a plan, overview first, then one for each look. Raises MediaError for an unreadable picture."""
    task = plan.task
    if not plan.looks:
        return (Step(_solution(task), task.opening_views, suffices=True, is_last=True),)
    shown, right = list(task.opening_views), list[View]()
    steps = [Step(_overview(plan.looks[0], task), task.opening_views, is_before_the_detail=True)]
    for look, following in zip_longest(plan.looks, plan.looks[1:]):
        views = _views(look, shown, task)
        if isinstance(views, Failure):
            return Refusal(LOOK_FAILS, f"{plan.plan_id!r}: {views.message}")
        shown += views
        right += views if look.mistake is None else ()
        if following is None:
            steps.append(_last_remark(look, (*right,) or views, task))
        else:
            is_before = not right or _is_cropped_by(following, range(len(shown) - len(views), len(shown)))
            steps.append(_remark(look, following, views, task, is_before_the_detail=is_before))
    return tuple(steps)


def _is_cropped_by(look: Look, images: range) -> bool:
    """Whether the look crops one of these images, which have then shown no more than where the detail is."""
    return look.mistake is None and look.action.image_number in images


def inquiry_of(task: Task, step: Step, told: Sequence[str], budgets: ViewBudgets) -> Inquiry:
    """What is asked at `step`, after the texts that the plan has so far."""
    question = opening_prompt(task, EYES).question
    thoughts = "\n\n".join(told) or "(none yet)"
    text = f"The question:\n{question}\n\nThe assistant's thoughts so far:\n{thoughts}\n\n{step.instruction}"
    return Inquiry((Line("system", SYSTEM), Line("user", text, step.views)), budgets)


def asked_again(inquiry: Inquiry, said: str, fault: Unusable) -> Inquiry:
    """The same, after a reply that cannot be used."""
    # An empty message is refused by some servers.
    wrong = Line("assistant", said.strip() or "(nothing)")
    return inquiry.followed_by(wrong, Line("user", f"That reply cannot be used: {fault.reason}. Reply again."))


def _views(look: Look, shown: Sequence[View], task: Task) -> tuple[View, ...] | Failure:
    return look.action.run(shown, task, EYES.rule)


def _solution(task: Task) -> str:
    return (
        "Write the assistant's whole reasoning, step by step, as long as it needs to be. It must arrive at the answer "
        f"{task.answers[0]!r} and end by stating it. If it cannot be reached from what is given, set suffices to false."
    )


def _overview(first: Look, task: Task) -> str:
    shown = "all frames of the video, small" if task.media == "video" else "the whole picture"
    return (
        f"You are shown {shown}. Write the first thought: what is seen as far as the question is concerned, and that "
        f"the detail it asks about cannot be made out yet. {_NO_ANSWER} Do not describe that detail, even if you can "
        f"see it. End by saying that I look closer at {_place(first, task)}."
    )


def _remark(look: Look, following: Look, views: tuple[View, ...], task: Task, *, is_before_the_detail: bool) -> Step:
    found, suffices = _FOUND[look.mistake]
    end = f"End by saying that I now look at {_place(following, task)}."
    instruction = f"{_seen(look, task)} {found} {_NO_ANSWER} {end}"
    return Step(instruction, views, suffices, is_before_the_detail)


def _last_remark(look: Look, views: tuple[View, ...], task: Task) -> Step:
    instruction = (
        f"{_seen(look, task)} The right answer is {task.answers[0]!r}. Write the last thought: what is seen there, and "
        "why that gives this answer; end by stating it. If the pictures do not show it, set suffices to false."
    )
    return Step(instruction, views, suffices=True, is_last=True)


def _seen(look: Look, task: Task) -> str:
    return f"The assistant has looked closer at {_place(look, task)}; you are shown what it saw."


# ----------------------------------------------------------------------------------------------- places, in words


def _place(look: Look, task: Task) -> str:
    match look.action:
        case SelectFrames(frames):
            middle = sum(frames) / max(1, len(frames)) / max(1, len(task.sources) - 1)
            return f"frames {_third(middle, 'from the beginning', 'from the middle', 'towards the end')} of the video"
        case action:
            whole = "the picture" if len(task.sources) == 1 else "one of the pictures"
            image = whole if (action.image_number or 0) < len(task.sources) else "what was just shown"
            region = action.region()
            return f"{_part(region[1])} of {image}" if region else f"{image} ({action.name.replace('_', ' ')})"


def _part(box: Box) -> str:
    row = _third((box.y0 + box.y1) / 2, "upper", "middle", "lower")
    column = _third((box.x0 + box.x1) / 2, "left", "middle", "right")
    size = "a small" if box.area < 0.05 else "a large" if box.area > 0.25 else "a"
    return f"{size} part in the {'middle' if row == column else f'{row} {column}'}"


def _third(fraction: float, first: str, second: str, third: str) -> str:
    return first if fraction < 1 / 3 else second if fraction <= 2 / 3 else third
