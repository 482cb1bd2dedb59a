"""Questions about videos of 16 frames, with options, in the style of MVBench.

A clip is one or two shots of a camera that pans over a photograph, with cards that come, go, move or change. Each frame
is a `Scene`, so it is rendered only when it is shown. Depends on scenes; independent of episodes.

Three sizes: in the overview a frame is a sixteenth of its side (a card's colour and position are visible, no digit), a
selected frame a quarter (a large digit is readable, 8 px), a crop is native (a fine digit is readable, 8 px).
"""

import functools
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pixel_env.dialects.dialect import view_budgets
from pixel_env.samples.scenes import (
    COLOURS,
    MAX_SHIFT,
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
from pixel_env.task import VIDEO_FRAMES, Evidence, Task

APPEARING_DIGIT = "appearing-digit"
"""Which digit is on the red card? The card is there for a moment; a selected frame shows the digit."""
FINE_DIGIT = "fine-digit"
"""The same with a small digit: a crop of a frame shows it."""
STATE_CHANGE = "state-change"
"""How does the digit on the red card change? Two selected frames show it."""
APPEARANCE_ORDER = "appearance-order"
"""In which order do the cards appear? The overview suffices."""
MOVING_DIRECTION = "moving-direction"
"""In which direction does the red card move across the picture? The overview suffices."""

FRAME_SIZE = (1344, 896)
"""Width and height in source pixels of every frame."""
FRAMES_PER_SECOND = 1.0
"""Of a clip, which so lasts sixteen seconds: for operations that name times."""
LARGE_CARD_SIDE = 102
LARGE_DIGIT_SIDE = 34
FINE_DIGIT_SIDE = 8
OPTIONS = 4

_DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
_STEP = 64  # source pixels from frame to frame: 4 of an overview
_CUT_SHARE = 0.5  # of the clips have two shots


@dataclass(frozen=True, slots=True)
class Appearance:
    """A card, the first frame in which it is there, and its appearance in each of its frames."""

    start: int
    cards: tuple[Card, ...]

    @property
    def frames(self) -> range:
        """Numbers of the frames in which it is there."""
        return range(self.start, self.start + len(self.cards))


@dataclass(frozen=True, slots=True)
class Clip:
    """The parameters of a clip: the background of each frame, and the cards that come and go."""

    backgrounds: tuple[Scene, ...]
    appearances: tuple[Appearance, ...]

    @property
    def frames(self) -> tuple[SceneSource, ...]:
        """One source per frame."""
        return tuple(
            SceneSource(replace(background, cards=self._cards_in(number)))
            for number, background in enumerate(self.backgrounds)
        )

    def _cards_in(self, number: int) -> tuple[Card, ...]:
        return tuple(shown.cards[number - shown.start] for shown in self.appearances if number in shown.frames)


def draw_backgrounds(rng: np.random.Generator, split: Split) -> tuple[Scene, ...]:
    """A camera that pans over a photograph of `split`, or over two, one after the other."""
    cut = int(rng.integers(4, VIDEO_FRAMES - 3)) if rng.random() < _CUT_SHARE else VIDEO_FRAMES
    return tuple(scene for length in (cut, VIDEO_FRAMES - cut) if length for scene in _draw_shot(rng, split, length))


def _draw_shot(rng: np.random.Generator, split: Split, length: int) -> list[Scene]:
    name = str(rng.choice(PHOTOS[split]))
    width, height = photo(name).size
    room = (width - FRAME_SIZE[0] + 1, height - FRAME_SIZE[1] + 1)
    first, last = rng.integers(room), rng.integers(room)
    corners = np.rint(np.linspace(first, last, length)).astype(int).tolist()
    return [Scene(name, (left, top, *FRAME_SIZE), 0, (0, 1, 2), 1.0, 0.0, ()) for left, top in corners]


# ------------------------------------------------------------------------------------------------ kinds of question


@dataclass(frozen=True, slots=True)
class _Question:
    """A question, its options with the right one first, and the cards of the clip.

    The question is about the first appearance; `evidence`: the frames that show the answer.
    """

    text: str
    options: tuple[str, ...]
    appearances: tuple[Appearance, ...]
    evidence: Sequence[int]
    needs_looking: bool


def _digit(digit_side: int, split: Split, rng: np.random.Generator) -> _Question:
    appearances = _draw_moments(rng, split, 3, digit_side)
    target = appearances[0]
    digits = [shown.cards[0].digit for shown in appearances]
    # The digit of another card is the most plausible wrong option.
    wrong = [digit for digit in dict.fromkeys([*digits, *map(int, rng.permutation(10))]) if digit != digits[0]]
    options = tuple(str(digit) for digit in [digits[0], *wrong[: OPTIONS - 1]])
    return _Question(f"Which digit is on the {_colour(target)} card?", options, appearances, target.frames, True)


def _state_change(split: Split, rng: np.random.Generator) -> _Question:
    before, after, other_before, other_after = (int(digit) for digit in rng.permutation(10)[:4])
    length = int(rng.integers(4, 7))
    change = int(rng.integers(2, length - 1))
    colour = str(rng.choice(list(COLOURS)))
    card = draw_large_card(rng, split, colour, LARGE_DIGIT_SIDE)
    first = replace(card, tile=draw_tile(rng, split, {before}))
    second = replace(card, tile=draw_tile(rng, split, {after}))
    shown = Appearance(int(rng.integers(VIDEO_FRAMES - length + 1)), (first,) * change + (second,) * (length - change))
    # Each start is paired with each end: the options alone must not reveal the right one.
    pairs = [(before, after), (before, other_after), (other_before, after), (other_before, other_after)]
    return _Question(
        f"How does the digit on the {colour} card change?",
        tuple(f"from {old} to {new}" for old, new in pairs),
        (shown,),
        (shown.frames[0], shown.frames[-1]),
        True,
    )


def _appearance_order(split: Split, rng: np.random.Generator) -> _Question:
    appearances = _draw_moments(rng, split, 3, LARGE_DIGIT_SIDE)
    in_time = [_colour(shown) for shown in sorted(appearances, key=lambda shown: shown.start)]
    orders = list(itertools.permutations(range(3)))  # the first one is the right one
    wrong = [orders[1 + int(index)] for index in rng.permutation(5)[: OPTIONS - 1]]
    options = tuple(", ".join(in_time[index] for index in order) for order in [orders[0], *wrong])
    frames = sorted(shown.start for shown in appearances)
    return _Question("In which order do the cards appear?", options, appearances, frames, False)


def _moving_direction(split: Split, rng: np.random.Generator) -> _Question:
    direction = str(rng.choice(list(_DIRECTIONS)))
    length = int(rng.integers(6, 9))
    step_x, step_y = (_STEP * way for way in _DIRECTIONS[direction])
    card = draw_large_card(rng, split, str(rng.choice(list(COLOURS))), LARGE_DIGIT_SIDE)
    left = _start_within(card.left, step_x * (length - 1), FRAME_SIZE[0] - card.side)
    top = _start_within(card.top, step_y * (length - 1), FRAME_SIZE[1] - card.side)
    cards = tuple(replace(card, left=left + step_x * index, top=top + step_y * index) for index in range(length))
    shown = Appearance(int(rng.integers(VIDEO_FRAMES - length + 1)), cards)
    options = (direction, *(other for other in _DIRECTIONS if other != direction))
    question = f"In which direction does the {card.colour} card move across the picture?"
    return _Question(question, options, (shown,), (shown.frames[0], shown.frames[-1]), False)


def _start_within(start: int, distance: int, room: int) -> int:
    """The start nearest to `start` from which a move by `distance` stays within 0 to `room`."""
    return min(max(start, 0, -distance), room, room - distance)


def _draw_moments(rng: np.random.Generator, split: Split, count: int, digit_side: int) -> tuple[Appearance, ...]:
    """`count` cards of different colours, each in one or two frames of its own, in random order of time."""
    slots = np.array_split(np.arange(VIDEO_FRAMES), count)
    colours = rng.permutation(list(COLOURS))[:count]
    appearances = []
    for slot, colour in zip(rng.permutation(count), colours, strict=True):
        length = int(rng.integers(1, 3))
        start = int(rng.choice(slots[int(slot)][:-length]))
        appearances.append(Appearance(start, (draw_large_card(rng, split, str(colour), digit_side),) * length))
    return tuple(appearances)


def draw_large_card(rng: np.random.Generator, split: Split, colour: str, digit_side: int) -> Card:
    """A card anywhere in a frame, whose colour an overview shows; its digit may be large or fine."""
    left, top = (int(rng.integers(side - LARGE_CARD_SIDE + 1)) for side in FRAME_SIZE)
    shift = 1 if digit_side == FINE_DIGIT_SIDE else MAX_SHIFT  # of 8 px, 2 would be a quarter
    return draw_card(rng, split, colour, left, top, side=LARGE_CARD_SIDE, digit_side=digit_side, max_shift=shift)


def _colour(appearance: Appearance) -> str:
    return appearance.cards[0].colour


_QUESTIONS: dict[str, Callable[[Split, np.random.Generator], _Question]] = {
    APPEARING_DIGIT: functools.partial(_digit, LARGE_DIGIT_SIDE),
    FINE_DIGIT: functools.partial(_digit, FINE_DIGIT_SIDE),
    STATE_CHANGE: _state_change,
    APPEARANCE_ORDER: _appearance_order,
    MOVING_DIRECTION: _moving_direction,
}
KINDS = tuple(_QUESTIONS)


def _compose(kind: str, task_id: str, split: Split, rng: np.random.Generator) -> Task:
    question = _QUESTIONS[kind](split, rng)
    clip = Clip(draw_backgrounds(rng, split), question.appearances)
    frames = clip.frames
    shuffled = tuple(question.options[int(index)] for index in rng.permutation(OPTIONS))
    target_colours = {_colour(question.appearances[0])} if question.needs_looking else set(COLOURS)
    return Task(
        task_id=task_id,
        question=question.text,
        answers=(question.options[0],),
        sources=frames,
        media="video",
        grader="choice",
        options=shuffled,
        evidence=tuple(
            Evidence(number, frames[number].scene.box(card))
            for number in question.evidence
            for card in frames[number].scene.cards
            if card.colour in target_colours
        ),
        category=kind,
        needs_looking=question.needs_looking,
        frames_per_second=FRAMES_PER_SECOND,
    )


MVBENCH = SampleSet(
    name="mvbench",
    benchmark="MVBench",
    material="real photographs and handwriting as panned shots",
    # 84x56, 336x224 and native: a sixteenth and a quarter of the side of FRAME_SIZE.
    budgets=view_budgets((16_384, 57_344), (50_176, 262_144), (4704, 4704), (75_264, 75_264), factor=28),
    kinds={kind: functools.partial(_compose, kind) for kind in KINDS},
    default_kinds=KINDS,
)
"""`sample:mvbench`."""
