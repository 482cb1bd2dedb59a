"""The environment's texts in a dialect's wording: the opening prompt and the text of every observation.

Depends on the templates of a dialect; independent of how a call is written (`actions.py`) or executed.
"""

import string
from collections.abc import Mapping, Sequence
from typing import Any

from pixel_env.boxes import Size
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.prompt import system_text
from pixel_env.dialects.templates import fields_of
from pixel_env.episode import IMAGE_SIGN, Limits, Prompt, Stop
from pixel_env.failures import Failure
from pixel_env.operations.operation import Operation
from pixel_env.task import Task
from pixel_env.timeline import frame_labels
from pixel_env.views import Source, View

OPTION_LETTERS = string.ascii_uppercase
"""The letters of options, in order. A task has at most as many options."""


def opening_prompt(
    task: Task, dialect: Dialect, sizes: Sequence[Size] = (), source_sizes: Sequence[Size] = ()
) -> Prompt:
    """The system text and the question, below it its options, one a line and lettered, and what is requested.

    `sizes`: (width, height) of the task's images as shown, and `source_sizes` in the source, for templates that tell
    them (0 without images).
    """
    template = dialect.wording.question
    fields = fields_of(template)
    question, options, request = _plain(task.question), _options(task, dialect), request_of(task, dialect)
    if "request" not in fields:
        options = _lines(options, request)
    if "options" not in fields:
        question = _lines(question, options)
    (width, height), (source_width, source_height) = [*sizes, (0, 0)][0], [*source_sizes, (0, 0)][0]
    text = template.format(
        question=question,
        options=options,
        request=request,
        images=_images(range(len(sizes)), sizes, task.sources, task, dialect),
        width=width,
        height=height,
        source_width=source_width,
        source_height=source_height,
    )
    return Prompt(system_text(dialect), text)


def request_of(task: Task, dialect: Dialect) -> str:
    """What the prompt asks the answer to be: the dialect's words for the task's grader, "" if it has none."""
    if task.grader == "choice" and not task.options:
        return ""  # no letter is shown that could be requested
    return dialect.wording.requests.get(task.grader, "").format()


def observation_text(
    operation: Operation,
    numbers: range,
    views: Sequence[View],
    sizes: Sequence[Size],
    dialect: Dialect,
    task: Task,
    *,
    call: int,
    fields: Mapping[str, Any],
) -> str:
    """The text that comes back with an operation's images.

    `numbers`: of the new images, from 0; `views`: they themselves; `sizes`: their (width, height) as shown; `call`:
    operations called before; `fields`: what the operation adds (`Operation.observation_fields`). Without images width
    and height are 0.
    """
    template = dialect.wording.observations.get(operation.name, operation.observation)
    first, last = numbers.start + dialect.first_index, numbers.stop - 1 + dialect.first_index
    width, height = [*sizes, (0, 0)][0]
    return template.format(
        number=first,
        first=first,
        last=last,
        count=len(numbers),
        width=width,
        height=height,
        images=_images(numbers, sizes, [view.source for view in views], task, dialect),
        call=call,
        question=_question(task, dialect),
        **fields,
    )


def failure_text(failure: Failure, dialect: Dialect, task: Task, call: int) -> str:
    """The observation after an operation that was refused; `call`: operations called before."""
    return dialect.wording.failure.format(
        code=failure.code.value, message=_plain(failure.message), call=call, question=_question(task, dialect)
    )


def expected_text(dialect: Dialect, task: Task) -> str:
    """The observation after a turn that the model ended without call or answer."""
    return dialect.wording.expected.format(question=_question(task, dialect))


def last_turn_text(dialect: Dialect, task: Task) -> str:
    """What is appended to the observation before the last turn."""
    return dialect.wording.last_turn.format(question=_question(task, dialect))


def budget_text(stop: Stop, limits: Limits) -> str:
    """The text, for people, instead of an observation that exceeds the budget that `stop` names."""
    allowed = {Stop.TURNS: limits.max_turns, Stop.IMAGES: limits.max_images, Stop.TOKENS: limits.max_tokens}
    return f"The episode ended: at most {allowed[stop]} {stop.value} are allowed, and this turn needed more."


def _options(task: Task, dialect: Dialect) -> str:
    template = dialect.wording.option
    return "\n".join(
        template.format(letter=OPTION_LETTERS[index], text=_plain(text)) for index, text in enumerate(task.options)
    )


def _question(task: Task, dialect: Dialect) -> str:
    return _lines(_plain(task.question), _options(task, dialect))


def _lines(*texts: str) -> str:
    """The texts that are not empty, one below the other."""
    return "\n".join(filter(None, texts))


def _images(numbers: range, sizes: Sequence[Size], sources: Sequence[Source], task: Task, dialect: Dialect) -> str:
    """What stands in the slot `{images}`: a sign for each image, in the dialect's wording."""
    wording, first = dialect.wording, dialect.first_index
    labels = _frame_fields(sources, task, dialect) if {"frame", "time"} & set(fields_of(wording.image)) else None
    shown = [
        wording.image.format(
            image=IMAGE_SIGN,
            number=number + first,
            index=index,
            width=width,
            height=height,
            **({} if labels is None else labels[index]),
        )
        for index, (number, (width, height)) in enumerate(zip(numbers, sizes, strict=True))
    ]
    return wording.separator.join(shown)


def _frame_fields(sources: Sequence[Source], task: Task, dialect: Dialect) -> list[dict[str, str]]:
    """For each image: the number of its frame and its time in seconds, "?" where the video does not tell."""
    return [
        {
            "frame": "?" if label.number is None else str(label.number + dialect.first_index),
            "time": "?" if label.time_s is None else f"{label.time_s:.2f}",
        }
        for label in frame_labels(sources, task)
    ]


def _plain(text: str) -> str:
    """`text` without the sign of images, which would stand for an image."""
    return text.replace(IMAGE_SIGN, "")
