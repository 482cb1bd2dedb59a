"""Scenes: a window of a real photograph with small coloured cards, a real handwritten digit on each.

A scene is a set of parameters, rendered on demand; there is no file. Depends on the embedded photographs and digits;
independent of questions. Photographs AND digits are split, so no part of a test scene occurs in training.

The sizes make a crop necessary, not merely convenient: in an overview of an eighth of the side a card is 6 px (its
colour and position are visible), its digit 2 px (it cannot be read; `tests/pixel_env/samples/test_samples.py` proves it
with a probe that is given the position).
"""

import functools
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from importlib import resources
from typing import Literal

import numpy as np
from PIL import Image

from pixel_env.boxes import Box

Split = Literal["train", "test"]

CARD_SIDE = 48
"""Side of a card in source pixels."""
DIGIT_SIDE = 16
"""Side of a digit in source pixels; it is in the middle of its card."""
BOLDNESS = (0.5, 2.0)
"""Range of the exponent on a digit's strokes."""
MAX_SHIFT = 2
"""Largest offset of a digit from the middle of its card, in source pixels."""
TRAIN_DIGITS = 1400
"""Digits of the training split; the other 397 are the test split."""

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (230, 30, 30),
    "green": (20, 200, 40),
    "blue": (40, 60, 240),
    "yellow": (245, 225, 30),
    "pink": (250, 90, 200),
    "cyan": (30, 220, 230),
}
PHOTOS: dict[Split, tuple[str, ...]] = {
    "train": ("aitzgorri", "bowl", "life", "picosdeeuropa", "sunset", "wine"),
    "test": ("friends", "seeding"),
}

_DATA = resources.files("pixel_env") / "data"
_TURNS = (
    None,
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_180,
)


@dataclass(frozen=True, slots=True)
class Card:
    """A card at (`left`, `top`).

    `tile` is the digit's number in the set; `paper` and `ink` are grey levels of its ground and its strokes (which of
    them is the lighter is random), `boldness` an exponent on the strokes' density (so that the amount of ink does not
    give the digit away), `shift` the offset of the digit from the middle. Lengths are in source pixels.
    """

    colour: str
    left: int
    top: int
    tile: int
    paper: float
    ink: float
    boldness: float = 1.0
    shift: tuple[int, int] = (0, 0)
    side: int = CARD_SIDE
    digit_side: int = DIGIT_SIDE

    @property
    def digit(self) -> int:
        """The digit that the card shows, 0 to 9."""
        return int(digits()[1][self.tile])

    @property
    def centre(self) -> tuple[float, float]:
        """x, y in source pixels."""
        return (self.left + self.side / 2, self.top + self.side / 2)


@dataclass(frozen=True, slots=True)
class Scene:
    """The parameters of a scene.

    `window`: left, top, width, height in pixels of the photograph, turned by `turn` (an index), then recoloured:
    channels in the order `channels`, then `contrast` * value + `lift`.
    """

    photo: str
    window: tuple[int, int, int, int]
    turn: int
    channels: tuple[int, int, int]
    contrast: float
    lift: float
    cards: tuple[Card, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in source pixels, after the turn."""
        width, height = self.window[2:]
        return (height, width) if _TURNS[self.turn] == Image.Transpose.TRANSPOSE else (width, height)

    def box(self, card: Card) -> Box:
        """Where `card` lies, as fractions of the scene."""
        width, height = self.size
        return Box(
            card.left / width, card.top / height, (card.left + card.side) / width, (card.top + card.side) / height
        )


@dataclass(frozen=True, slots=True)
class SceneSource:
    """A scene as a source of pixels."""

    scene: Scene

    @property
    def key(self) -> str:
        """Hash of the parameters."""
        return hashlib.sha256(repr(self.scene).encode()).hexdigest()

    def decode(self) -> Image.Image:
        """The scene at native resolution."""
        scene = self.scene
        left, top, width, height = scene.window
        image = photo(scene.photo).crop((left, top, left + width, top + height))
        turn = _TURNS[scene.turn]
        if turn is not None:
            image = image.transpose(turn)
        if scene.channels != (0, 1, 2):
            bands = image.split()
            image = Image.merge("RGB", [bands[channel] for channel in scene.channels])
        if (scene.contrast, scene.lift) != (1.0, 0.0):
            image = image.point(_tone(scene.contrast, scene.lift))
        for card in scene.cards:
            image.paste(Image.fromarray(render_card(card)), (card.left, card.top))
        return image


def _tone(contrast: float, lift: float) -> list[int]:
    """The lookup table of Pillow's `point` for three channels."""
    return [min(255, max(0, round(contrast * level + lift))) for level in range(256)] * 3


def render_card(card: Card) -> np.ndarray:
    """The card's pixels: uint8 (side, side, 3)."""
    strokes = _scaled_tile(card.tile, card.digit_side)
    pixels = np.empty((card.side, card.side, 3), np.uint8)
    pixels[:] = COLOURS[card.colour]
    rim = max(1, card.digit_side // 8)
    patch = np.full((card.digit_side + 2 * rim,) * 2, card.paper, np.float32)
    patch[rim:-rim, rim:-rim] += (card.ink - card.paper) * strokes**card.boldness
    start = (card.side - len(patch)) // 2
    left, top = start + card.shift[0], start + card.shift[1]
    pixels[top : top + len(patch), left : left + len(patch)] = patch.astype(np.uint8)[:, :, None]
    return pixels


@functools.lru_cache(maxsize=4096)
def _scaled_tile(tile: int, side: int) -> np.ndarray:
    """Stroke density 0 to 1, (side, side)."""
    levels = Image.fromarray((digits()[0][tile] * (255 / 16)).astype(np.uint8))
    return np.asarray(levels.resize((side, side), Image.Resampling.BICUBIC), np.float32) / 255.0


@functools.lru_cache(maxsize=len(PHOTOS["train"]) + len(PHOTOS["test"]))
def photo(name: str) -> Image.Image:
    """The embedded photograph `name`, decoded once per process. Do not draw on it: it is shared."""
    with (_DATA / "photos" / f"{name}.jpg").open("rb") as file:
        opened = Image.open(file)
        opened.load()
        return opened


@functools.lru_cache(maxsize=1)
def digits() -> tuple[np.ndarray, np.ndarray]:
    """All tiles, uint8 (1797, 8, 8) with levels 0 to 16, and their labels, uint8 (1797,)."""
    with (_DATA / "digits.npz").open("rb") as file, np.load(file) as arrays:
        return arrays["tiles"], arrays["labels"]


@functools.lru_cache(maxsize=2)
def tiles_of(split: Split) -> np.ndarray:
    """Numbers of the tiles that belong to `split`."""
    shuffled = np.random.default_rng(0).permutation(len(digits()[1]))
    return shuffled[:TRAIN_DIGITS] if split == "train" else shuffled[TRAIN_DIGITS:]


def draw_tile(rng: np.random.Generator, split: Split, among: Collection[int]) -> int:
    """Number of a random tile of `split` that shows one of the digits `among`."""
    tiles = tiles_of(split)
    return int(rng.choice(tiles[np.isin(digits()[1][tiles], list(among))]))


def draw_scene(rng: np.random.Generator, split: Split, *, window_side: int | None, cards: tuple[int, int]) -> Scene:
    """A random scene.

    `window_side`: side in pixels of a square window, turned and recoloured at random; None for the whole photograph,
    unchanged. `cards`: fewest and most cards, each of a different colour.
    """
    name = str(rng.choice(PHOTOS[split]))
    photo_width, photo_height = photo(name).size
    if window_side is None:
        size = (photo_width, photo_height)
        drawn_cards = _draw_cards(rng, split, size, int(rng.integers(cards[0], cards[1] + 1)))
        return Scene(name, (0, 0, *size), 0, (0, 1, 2), 1.0, 0.0, drawn_cards)
    width = height = window_side
    left = int(rng.integers(photo_width - width + 1))
    top = int(rng.integers(photo_height - height + 1))
    # A few photographs must represent many: without these variants, localisation does not generalise to unseen ones.
    turn = int(rng.integers(len(_TURNS)))
    order = rng.permutation(3)
    return Scene(
        photo=name,
        window=(left, top, width, height),
        turn=turn,
        channels=(int(order[0]), int(order[1]), int(order[2])),
        contrast=float(rng.uniform(0.35, 0.6)),
        lift=float(rng.uniform(30, 90)),
        cards=_draw_cards(rng, split, (width, height), int(rng.integers(cards[0], cards[1] + 1))),
    )


def _draw_cards(rng: np.random.Generator, split: Split, size: tuple[int, int], count: int) -> tuple[Card, ...]:
    gap = CARD_SIDE + 16  # cards never touch, so that the overview shows the colour of each
    corners: list[tuple[int, int]] = []
    while len(corners) < count:
        left, top = int(rng.integers(size[0] - CARD_SIDE + 1)), int(rng.integers(size[1] - CARD_SIDE + 1))
        if all(abs(left - x) > gap or abs(top - y) > gap for x, y in corners):
            corners.append((left, top))
    colours = [list(COLOURS)[index] for index in rng.permutation(len(COLOURS))[:count]]
    return tuple(draw_card(rng, split, colour, left, top) for colour, (left, top) in zip(colours, corners, strict=True))


def draw_card(
    rng: np.random.Generator,
    split: Split,
    colour: str,
    left: int,
    top: int,
    *,
    contrast: tuple[float, float] = (120.0, 200.0),
    side: int = CARD_SIDE,
    digit_side: int = DIGIT_SIDE,
    max_shift: int = MAX_SHIFT,
) -> Card:
    """A card with a random digit of `split`, of random polarity and of a contrast in grey levels within `contrast`."""
    step = float(rng.uniform(*contrast))
    low = float(rng.uniform(0.0, 255.0 - step))
    paper, ink = (low, low + step) if rng.random() < 0.5 else (low + step, low)
    tile = int(rng.choice(tiles_of(split)))
    shift_x, shift_y = (int(value) for value in rng.integers(-max_shift, max_shift + 1, 2))
    return Card(
        colour, left, top, tile, paper, ink, float(rng.uniform(*BOLDNESS)), (shift_x, shift_y), side, digit_side
    )
