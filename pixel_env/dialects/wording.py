"""The environment's texts in a dialect's wording: the opening prompt and the text of every observation.

Depends on the templates of a dialect; independent of how a call is written (`actions.py`) or executed.
"""

import string
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.prompt import system_text
from pixel_env.episode import Limits, Prompt, Stop
from pixel_env.failures import Failure
from pixel_env.operations.coordinates import Size
from pixel_env.operations.operation import Operation
from pixel_env.task import Task

OPTION_LETTERS = string.ascii_uppercase
"""The letters of options, in order. A task has at most as many options."""


def opening_prompt(task: Task, dialect: Dialect) -> Prompt:
    """The system text and the question, options below it, one a line and lettered."""
    options = [
        dialect.wording.option.format(letter=OPTION_LETTERS[index], text=text)
        for index, text in enumerate(task.options)
    ]
    question = dialect.wording.question.format(question="\n".join([task.question, *options]))
    return Prompt(system_text(dialect), question)


def observation_text(
    operation: Operation, numbers: range, size: Size, dialect: Dialect, fields: Mapping[str, Any] = MappingProxyType({})
) -> str:
    """The text that comes back with an operation's images; `numbers`: of the new images, from 0; `size`: as shown.

    `fields`: what the operation adds (`Operation.observation_fields`). Without images `size` is (0, 0).
    """
    template = dialect.wording.observations.get(operation.name, operation.observation)
    first, last = numbers.start + dialect.first_index, numbers.stop - 1 + dialect.first_index
    width, height = size
    known = {"number": first, "first": first, "last": last, "count": len(numbers), "width": width, "height": height}
    return template.format(**known, **fields)


def failure_text(failure: Failure, dialect: Dialect) -> str:
    """The observation after an operation that was refused."""
    return dialect.wording.failure.format(code=failure.code.value, message=failure.message)


def expected_text(dialect: Dialect) -> str:
    """The observation after a turn that the model ended without call or answer."""
    return dialect.wording.expected.format()


def budget_text(stop: Stop, limits: Limits) -> str:
    """The text, for people, instead of an observation that exceeds the budget that `stop` names."""
    allowed = {Stop.TURNS: limits.max_turns, Stop.IMAGES: limits.max_images, Stop.TOKENS: limits.max_tokens}
    return f"The episode ended: at most {allowed[stop]} {stop.value} are allowed, and this turn needed more."
