"""Can a digit be read from what is shown? A probe that is told the place, for every sample set but the first two.

Whatever is compared (overview, selected frame, crop) is what the product shows, at the set's own budgets.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from PIL import Image
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from pixel_env.boxes import FULL, Box
from pixel_env.media.showing import show
from pixel_env.samples import SAMPLE_SETS, sample_set
from pixel_env.samples.embedded_tables import tables_of
from pixel_env.samples.infographics import draw_page
from pixel_env.samples.mvbench import FRAME_SIZE, LARGE_CARD_SIDE, draw_backgrounds, draw_large_card
from pixel_env.samples.pages import COLUMNS, LINES, PAGE_SIZE, Page, PageSource, cell_end, row_pixels
from pixel_env.samples.scenes import SceneSource, Split
from pixel_env.samples.tallyqa import enclosing_box
from pixel_env.views import Source, View, ViewKind

Patch = tuple[np.ndarray, int]
"""What is shown around a digit, and the digit."""
Sample = Callable[[np.random.Generator, Split], list[Patch]]
"""Draws something of a split, and all patches of it."""


def reading_accuracy(sample: Sample, *, train: int, test: int, seed: int = 0) -> float:
    """Held-out accuracy on `test` digits of the test split, after learning from `train` of the training split."""
    rng = np.random.default_rng(seed)
    inputs, labels = _drawn(sample, "train", train, rng)
    held_out, held_out_labels = _drawn(sample, "test", test, rng)
    probe = MLPClassifier((256, 128), alpha=1e-2, batch_size=128, max_iter=25, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 25 passes tell readable from not
        probe.fit(inputs, labels)
    return float((probe.predict(held_out) == held_out_labels).mean())


def _drawn(sample: Sample, split: Split, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    pairs: list[Patch] = []
    while len(pairs) < count:
        pairs += sample(rng, split)
    pixels = np.stack([patch.astype(np.float32).ravel() / 255.0 - 0.5 for patch, _ in pairs[:count]])
    return pixels, np.array([digit for _, digit in pairs[:count]])


@dataclass(frozen=True, eq=False)
class Shown:
    """A box of a source as the product shows it; a crop is brought back to the source's own pixels."""

    source: Source
    size: tuple[int, int]
    name: str
    kind: ViewKind
    box: Box = FULL

    @cached_property
    def picture(self) -> Image.Image:
        picture = Image.fromarray(show(View(self.source, self.kind, self.box), SAMPLE_SETS[self.name].budgets))
        if self.kind is ViewKind.CROP:
            left, top, right, bottom = self.box.pixels(*self.size)
            picture = picture.resize((right - left, bottom - top), Image.Resampling.BOX)
        return picture.convert("L")

    def around(self, centre: tuple[float, float], side: int) -> np.ndarray | None:
        """`side` x `side` shown pixels around `centre`, in pixels of the source; None if they leave the picture."""
        left, top, right, bottom = self.box.pixels(*self.size)
        column = round((centre[0] - left) / (right - left) * self.picture.width)
        row = round((centre[1] - top) / (bottom - top) * self.picture.height)
        half = side // 2
        if not (half <= column <= self.picture.width - half and half <= row <= self.picture.height - half):
            return None
        return np.asarray(self.picture.crop((column - half, row - half, column + half, row + half)))


# ---------------------------------------------------------------------------------------------------- what is drawn


def counted_cards(kind: ViewKind) -> Sample:
    """The cards of a task of `sample:tallyqa`, in the overview or each in a crop."""

    def sample(rng: np.random.Generator, split: Split) -> list[Patch]:
        task = sample_set("tallyqa", split=split, count=1, seed=int(rng.integers(2**31))).tasks[0]
        source = task.sources[0]
        assert isinstance(source, SceneSource)
        size = source.scene.size
        overview = Shown(source, size, "tallyqa", kind)
        pairs = []
        for card in source.scene.cards:
            if kind is ViewKind.CROP:
                patch = replace(overview, box=enclosing_box([card], size)).around(card.centre, 20)
            else:
                patch = overview.around(card.centre, 10)
            if patch is not None:
                pairs.append((patch, card.digit))
        return pairs

    return sample


def cards_of_a_frame(kind: ViewKind, digit_side: int) -> Sample:
    """Six cards on a frame of `sample:mvbench`, with digits of `digit_side`."""
    cell = FRAME_SIZE[0] // 3  # of a grid of 3 x 2
    scale = {ViewKind.VIDEO_FRAME: 16, ViewKind.SELECTED_FRAME: 4, ViewKind.CROP: 1}[kind]
    side = 2 * max(5, round(0.75 * digit_side / scale))

    def sample(rng: np.random.Generator, split: Split) -> list[Patch]:
        corners = [(column * cell, row * cell) for row in range(2) for column in range(3)]
        cards = tuple(
            replace(
                draw_large_card(rng, split, "red", digit_side),
                left=left + int(rng.integers(cell - LARGE_CARD_SIDE)),
                top=top + int(rng.integers(cell - LARGE_CARD_SIDE)),
            )
            for left, top in corners
        )
        scene = replace(draw_backgrounds(rng, split)[0], cards=cards)
        frame = Shown(SceneSource(scene), FRAME_SIZE, "mvbench", kind)
        pairs = []
        for card in cards:
            shown = replace(frame, box=scene.box(card)) if kind is ViewKind.CROP else frame
            patch = shown.around(card.centre, side)
            if patch is not None:
                pairs.append((patch, card.digit))
        return pairs

    return sample


def last_digits_of_a_page(kind: ViewKind) -> Sample:
    """The last digits of the numbers in the tables of a page of `sample:infographics`, redrawn at random."""

    def sample(rng: np.random.Generator, split: Split) -> list[Patch]:
        known = tables_of(split)
        page = draw_page(rng, tuple(known[int(place)] for place in rng.permutation(len(known))[: COLUMNS * LINES]))
        page = _with_random_numbers(page, rng)
        overview = Shown(PageSource(page), PAGE_SIZE, "infographics", kind)
        pairs = []
        for place, panel in enumerate(page.panels):
            end = cell_end(len(panel.columns) - 1, len(panel.columns))
            for number, row in enumerate(panel.rows):
                left, top, _, bottom = row_pixels(place, number)
                centre = (left + end - 0.3 * page.type_size, (top + bottom) / 2)
                if kind is ViewKind.CROP:
                    patch = replace(overview, box=page.row_box(place, number)).around(centre, 20)
                else:
                    patch = overview.around(centre, 8)
                if patch is not None:
                    pairs.append((patch, int(row[-1][-1])))
        return pairs

    return sample


def _with_random_numbers(page: Page, rng: np.random.Generator) -> Page:
    return replace(
        page,
        panels=tuple(
            replace(
                panel,
                chart="table",
                rows=tuple((row[0], *(str(rng.integers(100, 10_000)) for _ in row[1:])) for row in panel.rows),
            )
            for panel in page.panels
        ),
    )
