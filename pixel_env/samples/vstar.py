"""Questions about one or two of a few cards, in the style of V*.

One generator makes two sets of equal proportions: `sample:vstar` (whole photographs of at least 2,000 px, shown at an
eighth of their side or less) and `sample:vstar-tiny` (512-px windows, shown at 64 px; crops at 128 px). Depends on
scenes; independent of episodes.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pixel_env.dialects.dialect import view_budgets
from pixel_env.samples.scenes import Card, Scene, SceneSource, Split, draw_scene
from pixel_env.samples.sequence import SampleSet
from pixel_env.task import Evidence, Task
from pixel_env.views import ViewBudgets

DIGIT_ON_CARD = "digit-on-card"
"""Which digit is on the red card? Cannot be answered from the overview."""
HALF = "half"
"""Is the red card in the left or the right half? The overview suffices."""
COUNT = "count"
"""How many cards show a 7?"""
LEFT_OF = "left-of"
"""Is the red card left of the blue card?"""
CHOICE = "choice"
"""The first kind with four shuffled options, in the style of V*."""

DEFAULT_KINDS = (DIGIT_ON_CARD, HALF)
ALL_KINDS = (DIGIT_ON_CARD, HALF, COUNT, LEFT_OF, CHOICE)


@dataclass(frozen=True, slots=True)
class Layout:
    """The differences between the sets: window (None: the whole photograph), cards and pixel budgets."""

    window_side: int | None
    cards: tuple[int, int]
    budgets: ViewBudgets


LAYOUTS: dict[str, Layout] = {
    # 57,344 px are at most 1/8 of the side of the smallest photograph (2600x1462), less of the larger ones.
    "vstar": Layout(
        None, (2, 4), view_budgets((16_384, 57_344), (50_176, 262_144), (16_384, 57_344), (50_176, 262_144), factor=28)
    ),
    "vstar-tiny": Layout(
        512, (2, 4), view_budgets((4096, 4096), (16_384, 16_384), (4096, 4096), (16_384, 16_384), factor=16)
    ),
}


# ------------------------------------------------------------------------------------------------ kinds of question


def _digit_on_card(task_id: str, scene: Scene, rng: np.random.Generator) -> Task:
    card = _any_card(scene, rng)
    return _task(
        task_id, scene, DIGIT_ON_CARD, digit_question(card.colour), str(card.digit), [card], needs_looking=True
    )


def _half(task_id: str, scene: Scene, rng: np.random.Generator) -> Task:
    card = _any_card(scene, rng)
    return _task(
        task_id, scene, HALF, half_question(card.colour), half_answer(scene, card), [card], needs_looking=False
    )


def _count(task_id: str, scene: Scene, rng: np.random.Generator) -> Task:
    digit = _any_card(scene, rng).digit if rng.random() < 0.7 else int(rng.integers(10))
    showing = [card for card in scene.cards if card.digit == digit]
    question = f"How many cards show a {digit}?"
    return _task(task_id, scene, COUNT, question, str(len(showing)), showing, needs_looking=True, grader="number")


def _left_of(task_id: str, scene: Scene, rng: np.random.Generator) -> Task:
    first, second = (scene.cards[int(index)] for index in rng.permutation(len(scene.cards))[:2])
    answer = "yes" if first.centre[0] < second.centre[0] else "no"
    question = f"Is the {first.colour} card left of the {second.colour} card?"
    return _task(task_id, scene, LEFT_OF, question, answer, [first, second], needs_looking=False)


def _choice(task_id: str, scene: Scene, rng: np.random.Generator) -> Task:
    card = _any_card(scene, rng)
    wrong = [digit for digit in range(10) if digit != card.digit]
    shuffled = rng.permutation([card.digit, *rng.choice(wrong, 3, replace=False)])
    options = tuple(str(digit) for digit in shuffled)
    letter = "ABCD"[options.index(str(card.digit))]
    question = digit_question(card.colour)
    return _task(task_id, scene, CHOICE, question, letter, [card], needs_looking=True, grader="choice", options=options)


_QUESTIONS: dict[str, Callable[[str, Scene, np.random.Generator], Task]] = {
    DIGIT_ON_CARD: _digit_on_card,
    HALF: _half,
    COUNT: _count,
    LEFT_OF: _left_of,
    CHOICE: _choice,
}


def _compose(kind: str, layout: Layout, task_id: str, split: Split, rng: np.random.Generator) -> Task:
    scene = draw_scene(rng, split, window_side=layout.window_side, cards=layout.cards)
    return _QUESTIONS[kind](task_id, scene, rng)


VSTAR_SETS: tuple[SampleSet, ...] = tuple(
    SampleSet(
        name=name,
        benchmark="V*",
        material="real photographs and handwriting",
        budgets=layout.budgets,
        kinds={kind: functools.partial(_compose, kind, layout) for kind in ALL_KINDS},
        default_kinds=DEFAULT_KINDS,
    )
    for name, layout in LAYOUTS.items()
)


def digit_question(colour: str) -> str:
    """The question whose answer needs a crop."""
    return f"Which digit is on the {colour} card?"


def half_question(colour: str) -> str:
    """The question that the overview answers."""
    return f"Is the {colour} card in the left or the right half?"


def half_answer(scene: Scene, card: Card) -> str:
    """left or right, by the card's centre."""
    return "left" if card.centre[0] < scene.size[0] / 2 else "right"


def _any_card(scene: Scene, rng: np.random.Generator) -> Card:
    return scene.cards[int(rng.integers(len(scene.cards)))]


def _task(
    task_id: str,
    scene: Scene,
    category: str,
    question: str,
    answer: str,
    cards: Sequence[Card],
    *,
    needs_looking: bool,
    grader: str = "exact",
    options: tuple[str, ...] = (),
) -> Task:
    return Task(
        task_id=task_id,
        question=question,
        answers=(answer,),
        sources=(SceneSource(scene),),
        grader=grader,
        options=options,
        evidence=tuple(Evidence(0, scene.box(card)) for card in cards),
        category=category,
        needs_looking=needs_looking,
    )
