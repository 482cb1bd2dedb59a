"""The prompts of a teacher: a plan as steps, each of which requests one text of its narration.

The overview is requested without the answer, so that it cannot state it; only the prompt of the last text contains the
answer. Depends on plans and wording; independent of connections. Any changed word here changes the keys of the cache,
so that stored replies are requested again.
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
from synth.plans.plan import Plan, PlannedOperation, Refusal
from synth.teachers.expert.chat_request import ChatMessage, ChatRequest
from synth.teachers.expert.reply import SCHEMA, Unusable

TEACHER_DIALECT = replace(dialect_named("default"), name="teacher", wording=Wording())
"""How a teacher sees a task: the bare question, and crops without padding from the pixels of the source."""

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
"""Refusal code of a plan with an operation that cannot be executed."""
_UNRELATED = "It was a mistake to look there: it does not show what the question needs. Say what is there instead, and"
_VERDICTS = {
    Mistake.UNRELATED_REGION: (f"{_UNRELATED} that it does not help.", False),
    Mistake.WRONG_FRAMES: (f"{_UNRELATED} that it does not help.", False),
    Mistake.OVERSIZED_REGION: (
        "It is the right area but far too large: the detail takes up only a small part of it. Say so.",
        None,
    ),
    None: ("Say what it shows, and that more has to be seen.", None),
}
"""For an operation before the last: the instruction about its result, and whether that suffices to answer."""
_NO_ANSWER = "Do not state, hint at or guess the answer, nor name an option as the right one."


@dataclass(frozen=True, slots=True)
class Step:
    """One requested text. `suffices`: the verdict on the views that the teacher must give, None if either is accepted;
    `is_before_the_detail`: no operation has shown the detail of the question yet, so that the text must not state it;
    `is_last`: the text has to end in the answer."""

    instruction: str
    views: tuple[View, ...] = ()
    suffices: bool | None = None
    is_before_the_detail: bool = False
    is_last: bool = False


def steps_of(plan: Plan) -> tuple[Step, ...] | Refusal:
    """The steps of a plan: the overview, then one for each operation. Raises MediaError for an unreadable image."""
    task = plan.task
    if not plan.operations:
        return (Step(_solution(task), task.opening_views, suffices=True, is_last=True),)
    shown, right = list(task.opening_views), list[View]()
    steps = [Step(_overview(plan.operations[0], task), task.opening_views, is_before_the_detail=True)]
    for planned, following in zip_longest(plan.operations, plan.operations[1:]):
        views = _views(planned, shown, task)
        if isinstance(views, Failure):
            return Refusal(LOOK_FAILS, f"{plan.plan_id!r}: {views.message}")
        shown += views
        right += views if planned.mistake is None else ()
        if following is None:
            steps.append(_last_remark(planned, (*right,) or views, task))
        else:
            is_before = not right or _is_cropped_by(following, range(len(shown) - len(views), len(shown)))
            steps.append(_remark(planned, following, views, task, is_before_the_detail=is_before))
    return tuple(steps)


def _is_cropped_by(planned: PlannedOperation, images: range) -> bool:
    """Whether a right operation crops one of these images, which then show only where the detail is."""
    return planned.mistake is None and planned.operation.image_number in images


def request_for(task: Task, step: Step, texts: Sequence[str], budgets: ViewBudgets) -> ChatRequest:
    """The request for the text of `step`; `texts`: those of the earlier steps."""
    question = opening_prompt(task, TEACHER_DIALECT).question
    thoughts = "\n\n".join(texts) or "(none yet)"
    text = f"The question:\n{question}\n\nThe assistant's thoughts so far:\n{thoughts}\n\n{step.instruction}"
    return ChatRequest((ChatMessage("system", SYSTEM), ChatMessage("user", text, step.views)), budgets)


def retry_request(request: ChatRequest, reply: str, fault: Unusable) -> ChatRequest:
    """The same request, extended by the unusable reply and the reason."""
    # Some servers refuse an empty message.
    wrong = ChatMessage("assistant", reply.strip() or "(nothing)")
    return request.followed_by(wrong, ChatMessage("user", f"That reply cannot be used: {fault.reason}. Reply again."))


def _views(planned: PlannedOperation, shown: Sequence[View], task: Task) -> tuple[View, ...] | Failure:
    return planned.operation.run(shown, task, TEACHER_DIALECT.rule)


def _solution(task: Task) -> str:
    return (
        "Write the assistant's whole reasoning, step by step, as long as it needs to be. It must arrive at the answer "
        f"{task.answers[0]!r} and end by stating it. If it cannot be reached from what is given, set suffices to false."
    )


def _overview(first: PlannedOperation, task: Task) -> str:
    shown = "all frames of the video, small" if task.media == "video" else "the whole picture"
    return (
        f"You are shown {shown}. Write the first thought: what is seen as far as the question is concerned, and that "
        f"the detail it asks about cannot be made out yet. {_NO_ANSWER} Do not describe that detail, even if you can "
        f"see it. End by saying that I look closer at {_position(first, task)}."
    )


def _remark(
    planned: PlannedOperation,
    following: PlannedOperation,
    views: tuple[View, ...],
    task: Task,
    *,
    is_before_the_detail: bool,
) -> Step:
    verdict, suffices = _VERDICTS[planned.mistake]
    end = f"End by saying that I now look at {_position(following, task)}."
    instruction = f"{_seen(planned, task)} {verdict} {_NO_ANSWER} {end}"
    return Step(instruction, views, suffices, is_before_the_detail)


def _last_remark(planned: PlannedOperation, views: tuple[View, ...], task: Task) -> Step:
    instruction = (
        f"{_seen(planned, task)} The right answer is {task.answers[0]!r}. Write the last thought: what is seen there, "
        "and why that gives this answer; end by stating it. If the pictures do not show it, set suffices to false."
    )
    return Step(instruction, views, suffices=True, is_last=True)


def _seen(planned: PlannedOperation, task: Task) -> str:
    return f"The assistant has looked closer at {_position(planned, task)}; you are shown what it saw."


# ----------------------------------------------------------------------------------------------- positions, in words


def _position(planned: PlannedOperation, task: Task) -> str:
    match planned.operation:
        case SelectFrames(frames):
            middle = sum(frames) / max(1, len(frames)) / max(1, len(task.sources) - 1)
            return f"frames {_third(middle, 'from the beginning', 'from the middle', 'towards the end')} of the video"
        case operation:
            whole = "the picture" if len(task.sources) == 1 else "one of the pictures"
            image = whole if (operation.image_number or 0) < len(task.sources) else "what was just shown"
            region = operation.region()
            return f"{_part(region[1])} of {image}" if region else f"{image} ({operation.name.replace('_', ' ')})"


def _part(box: Box) -> str:
    row = _third((box.y0 + box.y1) / 2, "upper", "middle", "lower")
    column = _third((box.x0 + box.x1) / 2, "left", "middle", "right")
    size = "a small" if box.area < 0.05 else "a large" if box.area > 0.25 else "a"
    return f"{size} part in the {'middle' if row == column else f'{row} {column}'}"


def _third(fraction: float, first: str, second: str, third: str) -> str:
    return first if fraction < 1 / 3 else second if fraction <= 2 / 3 else third
