"""What the generator of lies is made of: the registry of kinds, honest traces, and the parts of a trace.

A kind of lie is a function from an honest trace to a lying one, marked with `@lie`. Depends on the template teacher and
on pictures that cost nothing; independent of the verification.
"""

import dataclasses
from collections.abc import Callable
from functools import cache

import numpy as np

from agents.rollout import EpisodeSettings
from agents.traces.trace import Trace, TraceTurn
from pixel_env.actions import parse, write
from pixel_env.boxes import Box
from pixel_env.dialects.dialect import view_budgets
from pixel_env.dialects.table import dialect_named
from pixel_env.episode import Limits
from pixel_env.grading import grade
from pixel_env.grading.choices import option_meant
from pixel_env.operations.crop_image import CropImage
from pixel_env.testing import PixelSource
from synth.plans.mix import Mix, draw_plans
from synth.plans.plan import traced
from synth.seed_data import load_seeds
from synth.teachers.template.teacher import narrated

DIALECT = dataclasses.replace(dialect_named("default"), budgets=view_budgets(*[(28 * 28, 84 * 84)] * 4, factor=28))
SETTINGS = EpisodeSettings(DIALECT, Limits(), DIALECT.budgets)
ROMAN = dict(zip(range(2, 10), ("II", "III", "IV", "V", "VI", "VII", "VIII", "IX"), strict=True))
GERMAN = ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"]
CHINESE = "零一二三四五六七八九"

Lie = Callable[[Trace, np.random.Generator], Trace | None]
"""From an honest trace to a lying one; None where it has no room for this lie."""
LIES: dict[str, Lie] = {}


def lie(function: Lie) -> Lie:
    """Registers a kind of lie by the name of its function."""
    LIES[function.__name__] = function
    return function


@cache
def honest_traces(count: int = 300, seed: int = 1) -> tuple[Trace, ...]:
    """Traces of the template teacher: embedded questions and evidence, on pictures that cost nothing."""
    tasks = [
        dataclasses.replace(task, sources=tuple(PixelSource(240, 240, shade) for shade in range(len(task.sources))))
        for task in load_seeds("embedded", count=count + count // 3).task_set.tasks
    ]
    plans = draw_plans(tasks, Mix(image=3, video=1, text=0), count, seed=seed).plans
    return tuple(traced(plan, narrated(plan, seed=seed), DIALECT) for plan in plans)


def halves(turn: TraceTurn) -> tuple[str, str]:
    """The words of a turn, and its call or answer."""
    words, _, action = turn.text.rpartition("\n")
    return words, action


def with_turn(
    trace: Trace, index: int, *, words: str | None = None, action: str | None = None, **flags: object
) -> Trace:
    """The trace with another text, action or flag in one turn."""
    turns = list(trace.turns)
    old_words, old_action = halves(turns[index])
    text = f"{old_words if words is None else words}\n{old_action if action is None else action}".lstrip("\n")
    turns[index] = dataclasses.replace(turns[index], text=text, **flags)  # type: ignore[arg-type]
    return dataclasses.replace(trace, turns=tuple(turns))


def before_the_end(trace: Trace, sentence: str) -> Trace:
    """The trace with a sentence instead of the words of its last turn."""
    return with_turn(trace, len(trace.turns) - 1, words=sentence)


def one_of(rng: np.random.Generator, texts: tuple[str, ...] | list[str]) -> str:
    """A text at random."""
    return texts[int(rng.integers(len(texts)))]


def number_of(trace: Trace) -> int | None:
    """The answer as a number from 0 to 9."""
    answer = trace.task.answers[0]
    return int(answer) if answer.isdigit() and len(answer) == 1 else None


def another_number(trace: Trace, rng: np.random.Generator) -> str | None:
    """A digit that is not the answer; None if the answer is no digit."""
    number = number_of(trace)
    return None if number is None else str((number + int(rng.integers(1, 9))) % 10)


def another_answer(trace: Trace, rng: np.random.Generator) -> str | None:
    """An answer that is graded wrong, of the kind of the right one."""
    if trace.task.options:
        others = [option for option in trace.task.options if grade(trace.task, option) == 0.0]
        return one_of(rng, others)
    return another_number(trace, rng) or next(
        (text for text in ("Saturn", "12.75", "1788") if grade(trace.task, text) == 0.0), None
    )


def right_option(trace: Trace) -> int | None:
    """The place of the right option; None without options."""
    meant = option_meant(trace.task.answers[0], trace.task.options) if trace.task.options else frozenset()
    return next(iter(meant), None)


def looks_of(trace: Trace) -> list[int]:
    """The turns that call an operation."""
    return list(range(len(trace.turns) - 1))


def action_of(trace: Trace, index: int) -> object:
    """The parsed action of a turn, its boxes in fractions."""
    return parse(trace.turns[index].text, DIALECT, *(((240, 240),) * 64 for _ in range(2)))


def crop_call(image: int, box: Box) -> str:
    """A call that crops a box."""
    return write(CropImage(image, box), DIALECT)


def asks_for_a_digit(trace: Trace) -> bool:
    """Whether the answer is one digit that is read, not counted."""
    return number_of(trace) is not None and trace.task.question.startswith("Which digit") and not trace.task.options


def counts(trace: Trace) -> bool:
    """Whether the answer is a count."""
    return trace.task.grader == "number"


def told_early(trace: Trace, sentence: str) -> Trace:
    """The trace with one more sentence in its first turn."""
    words, _ = halves(trace.turns[0])
    return with_turn(trace, 0, words=f"{words} {sentence}".strip())
