"""Can anyone read the digit? A probe that is told the place: an MLP on the pixels around the card's centre."""

import warnings

import numpy as np
from PIL import Image
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from pixel_env.boxes import Box
from pixel_env.media.showing import show
from pixel_env.samples import LAYOUTS
from pixel_env.samples.scenes import Card, Scene, SceneSource, Split, draw_scene
from pixel_env.views import View, ViewKind

OVERVIEW_SIDE = 10
"""Side in overview pixels of the patch that the probe sees: the card (6 px) and a rim."""
CROP_SIDE = 20
"""Side of the patch after the crop is brought back to source pixels: the digit (16 px) and its rim."""


def probe_accuracies(name: str, *, train: int, test: int, seed: int = 0) -> tuple[float, float]:
    """Held-out accuracy on `test` cards of the sample set `name` after training on `train`: in overviews, in crops."""
    rng = np.random.default_rng(seed)
    overviews, crops, labels = _patches(name, "train", train, rng)
    held_out_overviews, held_out_crops, held_out_labels = _patches(name, "test", test, rng)
    return (
        _accuracy(overviews, labels, held_out_overviews, held_out_labels, seed),
        _accuracy(crops, labels, held_out_crops, held_out_labels, seed),
    )


def _accuracy(
    inputs: np.ndarray, labels: np.ndarray, held_out: np.ndarray, held_out_labels: np.ndarray, seed: int
) -> float:
    probe = MLPClassifier((256, 128), alpha=1e-2, batch_size=128, max_iter=25, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a fixed number of passes is meant
        probe.fit(inputs, labels)
    return float((probe.predict(held_out) == held_out_labels).mean())


def _patches(
    name: str, split: Split, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of `count` cards: what the overview shows of each, what a crop shows, and the digit."""
    layout = LAYOUTS[name]
    overviews: list[np.ndarray] = []
    crops: list[np.ndarray] = []
    labels: list[int] = []
    while len(labels) < count:
        scene = draw_scene(rng, split, window_side=layout.window_side, cards=(6, 6))
        source = SceneSource(scene)  # composed once for both: composing is what takes long
        overview = show(View(source, ViewKind.ORIGINAL), layout.budgets)
        for card in scene.cards:
            patch = _around(overview, scene, card)
            if patch is not None:
                overviews.append(_as_input(patch))
                crops.append(_as_input(_crop_of(source, card, name)))
                labels.append(card.digit)
    return np.stack(overviews[:count]), np.stack(crops[:count]), np.array(labels[:count])


def _as_input(patch: np.ndarray) -> np.ndarray:
    return patch.astype(np.float32).ravel() / 255.0 - 0.5


def _around(overview: np.ndarray, scene: Scene, card: Card) -> np.ndarray | None:
    height, width, _ = overview.shape
    column = round(card.centre[0] / scene.size[0] * width)
    row = round(card.centre[1] / scene.size[1] * height)
    half = OVERVIEW_SIDE // 2
    if not (half <= column <= width - half and half <= row <= height - half):
        return None
    return overview[row - half : row + half, column - half : column + half]


def _crop_of(source: SceneSource, card: Card, name: str) -> np.ndarray:
    """The product's own crop of 128 source pixels around the card, and the digit's place in it."""
    width, height = source.scene.size
    left = min(max(0, round(card.centre[0]) - 64), width - 128)
    top = min(max(0, round(card.centre[1]) - 64), height - 128)
    box = Box(left / width, top / height, (left + 128) / width, (top + 128) / height)
    crop = show(View(source, ViewKind.CROP, box), LAYOUTS[name].budgets)
    native = Image.fromarray(crop).resize((128, 128), Image.Resampling.BOX)
    column, row = round(card.centre[0]) - left, round(card.centre[1]) - top
    half = CROP_SIDE // 2
    return np.asarray(native.convert("L").crop((column - half, row - half, column + half, row + half)))
