"""Lessons: the perception questions that the embedded model learns before it acts, as traces on the embedded scenes.

Where is a card, on which side, which digit does a crop show, list all cards. Mixed into a warm start they keep the
model from forgetting to see. A lesson may show a crop, but the call of the crop is never trained. Depends on scenes and
windows; independent of plans and training.
"""

import numpy as np

from agents.traces.trace import Trace, TraceTurn
from pixel_env.actions import write
from pixel_env.boxes import Box
from pixel_env.dialects.dialect import Dialect
from pixel_env.episode import Answer
from pixel_env.operations.crop_image import CropImage
from pixel_env.samples import LAYOUTS, digit_question, half_answer, half_question
from pixel_env.samples.scenes import COLOURS, Card, Scene, SceneSource, Split, draw_scene
from pixel_env.task import Task
from synth.plans.windows import GRID_CELLS, WINDOW_CELLS, right_window, window_at
from synth.warm_starts.templates import TraceGenerator

LIST_QUESTION = "List the cards."


def where_question(colour: str) -> str:
    """The question for the right window."""
    return f"Where is the {colour} card?"


def where_answer(scene: Scene, card: Card) -> str:
    """The four numbers of the right window, as the same tokens as in a call."""
    return " " + " ".join(str(cell) for cell in window_cells(scene, card))


def list_answer(scene: Scene) -> str:
    """Colour and first two numbers of the right window for each card, colours in a fixed order."""
    cards = {card.colour: card for card in scene.cards}
    rows = [(colour, *window_cells(scene, cards[colour])[:2]) for colour in COLOURS if colour in cards]
    return "".join(f" {colour} {x} {y}" for colour, x, y in rows)


def window_cells(scene: Scene, card: Card) -> tuple[int, ...]:
    """The corners of the right window of `card`, in cells of the grid."""
    return tuple(round(corner * GRID_CELLS) for corner in right_window(scene.box(card)).corners)


def near_window(scene: Scene, card: Card, rng: np.random.Generator) -> Box:
    """A window of 4 x 4 cells, up to one cell off the right one, that contains the whole card."""
    x, y = (int(cell) for cell in window_cells(scene, card)[:2])
    last = GRID_CELLS - WINDOW_CELLS
    while True:
        left, top = (int(np.clip(first + int(rng.integers(-1, 2)), 0, last)) for first in (x, y))
        window = window_at(left, top)
        if window.contains(scene.box(card)):
            return window


def any_window(rng: np.random.Generator) -> Box:
    """A window of 4 x 4 cells at any position."""
    return window_at(*(int(cell) for cell in rng.integers(0, GRID_CELLS - WINDOW_CELLS + 1, 2)))


def lessons(dialect: Dialect, split: Split = "train") -> TraceGenerator:
    """A generator of lessons on `sample:vstar-tiny` scenes: where 20 %, half 25 %, half after an irrelevant crop 25 %,
    the digit after a right crop 30 %."""
    layout = LAYOUTS["vstar-tiny"]

    def generate(rng: np.random.Generator) -> Trace:
        scene = draw_scene(rng, split, window_side=layout.window_side, cards=layout.cards)
        card = scene.cards[int(rng.integers(len(scene.cards)))]
        draw = rng.random()
        if draw < 0.2:
            return _lesson(scene, where_question(card.colour), where_answer(scene, card), None, dialect)
        if draw < 0.7:
            window = any_window(rng) if draw < 0.45 else None
            return _lesson(scene, half_question(card.colour), half_answer(scene, card), window, dialect)
        window = near_window(scene, card, rng)
        return _lesson(scene, digit_question(card.colour), str(card.digit), window, dialect)

    return generate


def _lesson(scene: Scene, question: str, answer: str, window: Box | None, dialect: Dialect) -> Trace:
    task = Task("lesson", question, (answer,), (SceneSource(scene),))
    crop = () if window is None else (TraceTurn(write(CropImage(0, window), dialect), train=False),)
    return Trace(task, (*crop, TraceTurn(write(Answer(answer), dialect))))
