"""Counting questions about groups of many cards on whole photographs, in the style of TallyQA's complex questions.

A complex question combines an attribute that the overview shows (the colour) with one that only a crop shows (the
digit). There are up to three separate groups of cards; each fits into one crop at native size. The number of cards with
the colour and the number of those that count are drawn independently, so without reading the digits there are at least
three equally likely answers. Depends on scenes; independent of episodes.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pixel_env.boxes import Box
from pixel_env.dialects.dialect import view_budgets
from pixel_env.samples.scenes import (
    CARD_SIDE,
    COLOURS,
    PHOTOS,
    Card,
    Scene,
    SceneSource,
    Split,
    draw_card,
    draw_tile,
    photo,
)
from pixel_env.samples.sequence import SampleSet
from pixel_env.task import Evidence, Task

COLOUR = "colour"
"""How many red cards are there? The overview suffices."""
COLOUR_AND_PARITY = "colour-and-parity"
"""How many red cards show an even digit?"""
COLOUR_AND_SIZE = "colour-and-size"
"""How many red cards show a digit greater than 4?"""
COLOUR_AND_DIGIT = "colour-and-digit"
"""How many red cards show a 7?"""

KINDS = (COLOUR_AND_PARITY, COLOUR_AND_SIZE, COLOUR_AND_DIGIT, COLOUR)

GROUPS = (2, 3)
"""Fewest and most groups: with three operations per episode, each can be cropped."""
GROUP_SIDE = 448
"""Side in source pixels of the square that holds the cards of a group."""
CARDS_IN_GROUP = (3, 6)
TARGET_CARDS = (2, 6)
"""Fewest and most cards of the colour in the question."""
OTHER_COLOURS = 3
MARGIN = 8
"""Source pixels around the cards of an evidence box."""

_CARD_GAP = 16  # two pixels of an overview: neighbours of the same colour can be distinguished and counted
_GROUP_GAP = 32


@dataclass(frozen=True, slots=True)
class Attribute:
    """What a card must show to be counted: in words, and as digits."""

    words: str
    digits: frozenset[int]


def _any_digit(rng: np.random.Generator) -> Attribute:
    return Attribute("are there", frozenset(range(10)))


def _parity(rng: np.random.Generator) -> Attribute:
    odd = int(rng.integers(2))
    return Attribute(f"show an {'odd' if odd else 'even'} digit", frozenset(range(odd, 10, 2)))


def _size(rng: np.random.Generator) -> Attribute:
    bound = int(rng.integers(3, 7))
    if rng.random() < 0.5:
        return Attribute(f"show a digit greater than {bound}", frozenset(range(bound + 1, 10)))
    return Attribute(f"show a digit smaller than {bound}", frozenset(range(bound)))


def _digit(rng: np.random.Generator) -> Attribute:
    digit = int(rng.integers(10))
    return Attribute(f"show {'an' if digit == 8 else 'a'} {digit}", frozenset({digit}))


_ATTRIBUTES: dict[str, Callable[[np.random.Generator], Attribute]] = {
    COLOUR_AND_PARITY: _parity,
    COLOUR_AND_SIZE: _size,
    COLOUR_AND_DIGIT: _digit,
    COLOUR: _any_digit,
}


def _compose(kind: str, task_id: str, split: Split, rng: np.random.Generator) -> Task:
    attribute = _ATTRIBUTES[kind](rng)
    name = str(rng.choice(PHOTOS[split]))
    size = photo(name).size
    groups = _draw_corners(rng, size)
    colours = _draw_colours(rng, sum(len(corners) for corners in groups))
    target_colour = colours[0]
    rng.shuffle(colours)
    remaining = iter(colours)
    cards = [[draw_card(rng, split, next(remaining), *corner) for corner in corners] for corners in groups]
    cards = _with_digits(rng, split, cards, target_colour, attribute.digits)
    scene = Scene(name, (0, 0, *size), 0, (0, 1, 2), 1.0, 0.0, tuple(card for group in cards for card in group))
    target_cards = [[card for card in group if card.colour == target_colour] for group in cards]
    return Task(
        task_id=task_id,
        question=f"How many {target_colour} cards {attribute.words}?",
        answers=(str(sum(card.digit in attribute.digits for group in target_cards for card in group)),),
        sources=(SceneSource(scene),),
        grader="number",
        evidence=tuple(Evidence(0, enclosing_box(group, size)) for group in target_cards if group),
        category=kind,
        needs_looking=kind != COLOUR,
    )


def enclosing_box(cards: Sequence[Card], size: tuple[int, int]) -> Box:
    """The box around `cards` and a margin, as fractions of a scene of `size`."""
    left, top = min(card.left for card in cards) - MARGIN, min(card.top for card in cards) - MARGIN
    right = max(card.left + card.side for card in cards) + MARGIN
    bottom = max(card.top + card.side for card in cards) + MARGIN
    width, height = size
    return Box(max(0, left) / width, max(0, top) / height, min(right, width) / width, min(bottom, height) / height)


def _draw_corners(rng: np.random.Generator, size: tuple[int, int]) -> list[list[tuple[int, int]]]:
    """The top left corners of the cards of each group."""
    count = int(rng.integers(GROUPS[0], GROUPS[1] + 1))
    corners = _apart(rng, count, (size[0] - GROUP_SIDE, size[1] - GROUP_SIDE), GROUP_SIDE + _GROUP_GAP)
    free = GROUP_SIDE - CARD_SIDE
    return [
        [
            (left + x, top + y)
            for x, y in _apart(
                rng, int(rng.integers(CARDS_IN_GROUP[0], CARDS_IN_GROUP[1] + 1)), (free, free), CARD_SIDE + _CARD_GAP
            )
        ]
        for left, top in corners
    ]


def _apart(rng: np.random.Generator, count: int, free: tuple[int, int], distance: int) -> list[tuple[int, int]]:
    """`count` corners within `free`, each at least `distance` from the others in one direction."""
    # This terminates: on the smallest photograph two groups leave positions free, and so do five cards of a group.
    corners: list[tuple[int, int]] = []
    while len(corners) < count:
        x, y = int(rng.integers(free[0] + 1)), int(rng.integers(free[1] + 1))
        if all(abs(x - other[0]) >= distance or abs(y - other[1]) >= distance for other in corners):
            corners.append((x, y))
    return corners


def _draw_colours(rng: np.random.Generator, count: int) -> list[str]:
    """A colour for each of `count` cards; the first is the colour in the question, of 2 to 6 cards."""
    order = [list(COLOURS)[int(index)] for index in rng.permutation(len(COLOURS))]
    target_count = int(rng.integers(TARGET_CARDS[0], min(TARGET_CARDS[1], count) + 1))
    others = [order[1 + int(index)] for index in rng.integers(OTHER_COLOURS, size=count - target_count)]
    return [order[0]] * target_count + others


def _with_digits(
    rng: np.random.Generator, split: Split, groups: list[list[Card]], colour: str, counted: frozenset[int]
) -> list[list[Card]]:
    """The groups with new digits on the cards of `colour`: each count of matching cards, 0 to all, is as likely."""
    total = sum(card.colour == colour for group in groups for card in group)
    rest = frozenset(range(10)) - counted
    hits = int(rng.integers(total + 1)) if rest else total
    is_hit = iter(rng.permutation([True] * hits + [False] * (total - hits)))

    def with_digit(card: Card) -> Card:
        if card.colour != colour:
            return card
        return replace(card, tile=draw_tile(rng, split, counted if next(is_hit) else rest))

    return [[with_digit(card) for card in group] for group in groups]


TALLYQA = SampleSet(
    name="tallyqa",
    benchmark="TallyQA",
    material="real photographs and handwriting",
    # As for V*: at most an eighth of the side is shown, so that a digit is 2 px high.
    budgets=view_budgets((16_384, 57_344), (50_176, 262_144), (16_384, 57_344), (50_176, 262_144), factor=28),
    kinds={kind: functools.partial(_compose, kind) for kind in KINDS},
    default_kinds=KINDS,
)
"""`sample:tallyqa`."""
