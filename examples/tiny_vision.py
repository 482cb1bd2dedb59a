"""Stage 1 of the tiny model: the vision tower alone, dense labels for every merged token.

Linear heads read, from each token, the colour, the digit and the place of the card whose centre falls into the token's
cell. The heads are thrown away; the tower is what a language model then learns to talk about.
"""

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, IterableDataset
from tqdm import tqdm
from transformers import Qwen3VLProcessor

from pixel_env.boxes import FULL, Box
from pixel_env.media.showing import show
from pixel_env.samples import LAYOUTS
from pixel_env.samples.scenes import COLOURS, Card, Scene, SceneSource, Split, draw_card, draw_scene
from pixel_env.views import View, ViewKind

BATCH = 48
BUDGETS = LAYOUTS["vstar-tiny"].budgets
CELL = 16
"""Side in shown pixels of the cell of a merged token: patch 8, merge 2."""
PLACES = 16
IGNORED = -100
SHARES = {"sheet": 0.4, "crop": 0.25, "overview": 0.35}
"""Share of each kind of picture."""


@dataclass
class Labels:
    """Per merged token: colour (0 none), digit (0 none, IGNORED unreadable), and the card's place in sixteenths."""

    colour: np.ndarray
    digit: np.ndarray
    x: np.ndarray
    y: np.ndarray


class Pictures(IterableDataset):
    """An endless stream of batches: patches, grids and labels."""

    def __init__(self, processor: Qwen3VLProcessor, split: Split, seed: int) -> None:
        self.processor, self.split, self.seed = processor, split, seed

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        torch.set_num_threads(1)
        rng = np.random.default_rng([self.seed, 0 if self.split == "train" else 1])
        while True:
            drawn = rng.choice(list(SHARES), BATCH, p=list(SHARES.values()))
            scenes = [DRAW[kind](rng, self.split) for kind in drawn]
            kinds = [ViewKind.ORIGINAL if kind == "overview" else ViewKind.CROP for kind in drawn]
            images = [show(View(SceneSource(scene), kind), BUDGETS) for scene, kind in zip(scenes, kinds, strict=True)]
            labels = [
                labels_of(scene, len(image), FULL, readable=kind is ViewKind.CROP)
                for scene, image, kind in zip(scenes, images, kinds, strict=True)
            ]
            features = self.processor.image_processor(images, do_resize=False, return_tensors="pt")
            yield {
                "pixel_values": features["pixel_values"],
                "image_grid_thw": features["image_grid_thw"],
                "colour": joined([label.colour for label in labels]),
                "digit": joined([label.digit for label in labels]),
                "x": joined([label.x for label in labels]),
                "y": joined([label.y for label in labels]),
            }


def joined(arrays: list[np.ndarray]) -> torch.Tensor:
    """The arrays of all pictures, flattened, one after the other."""
    return torch.from_numpy(np.concatenate([array.ravel() for array in arrays]))


def overview_like(rng: np.random.Generator, split: Split) -> Scene:
    """A scene to be shown whole."""
    return draw_scene(rng, split, window_side=512, cards=(2, 6))


def sheet_like(rng: np.random.Generator, split: Split) -> Scene:
    """A 128-px window with small cards in 16 cells: many digits a picture, which is what reading is learned from."""
    bare = draw_scene(rng, split, window_side=128, cards=(0, 0))
    cards: list[Card] = []
    for cell in range(16):
        digit_side = int(rng.integers(13, 21))
        side = min(31, digit_side + int(rng.integers(8, 13)))
        left, top = (32 * place + int(rng.integers(0, 33 - side)) for place in (cell % 4, cell // 4))
        colour = str(rng.choice(list(COLOURS)))
        card = draw_card(rng, split, colour, left, top, contrast=(120.0, 230.0), side=side, digit_side=digit_side)
        cards.append(card)
    return dataclasses.replace(bare, cards=tuple(cards))


def crop_like(rng: np.random.Generator, split: Split) -> Scene:
    """A scene that looks like a crop: a small window full of cards, half of the time at the scale of real crops."""
    side = 128 if rng.random() < 0.5 else int(rng.integers(100, 190))
    bare = draw_scene(rng, split, window_side=side, cards=(0, 0))
    cards: list[Card] = []
    for _ in range(int(rng.integers(1, 10))):
        card = _card_somewhere(rng, split, side)
        if not any(_touch(card, other) for other in cards):
            cards.append(card)
    return dataclasses.replace(bare, cards=tuple(cards))


DRAW = {"sheet": sheet_like, "crop": crop_like, "overview": overview_like}


def _card_somewhere(rng: np.random.Generator, split: Split, window_side: int) -> Card:
    usual = rng.random() < 0.5
    side = 48 if usual else int(rng.integers(24, 49))
    digit_side = 16 if usual else int(rng.integers(12, min(33, side - 11)))
    left, top = (int(place) for place in rng.integers(0, window_side - side + 1, 2))
    return draw_card(
        rng,
        split,
        str(rng.choice(list(COLOURS))),
        left,
        top,
        contrast=(120.0, 230.0),
        side=side,
        digit_side=digit_side,
    )


def _touch(card: Card, other: Card) -> bool:
    reach = max(card.side, other.side)
    return abs(card.left - other.left) <= reach and abs(card.top - other.top) <= reach


def labels_of(scene: Scene, shown_side: int, box: Box, *, readable: bool) -> Labels:
    """The dense labels of the scene's `box`, shown as a square of `shown_side` pixels."""
    cells = shown_side // CELL
    shape = (cells, cells)
    labels = Labels(
        np.zeros(shape, np.int64),
        np.full(shape, 0 if readable else IGNORED, np.int64),
        np.full(shape, IGNORED, np.int64),
        np.full(shape, IGNORED, np.int64),
    )
    for card in scene.cards:
        x = (card.centre[0] / scene.size[0] - box.x0) / box.width
        y = (card.centre[1] / scene.size[1] - box.y0) / box.height
        if not (0.0 <= x < 1.0 and 0.0 <= y < 1.0):
            continue
        cell = (int(y * cells), int(x * cells))
        labels.colour[cell] = list(COLOURS).index(card.colour) + 1
        labels.x[cell], labels.y[cell] = int(x * PLACES), int(y * PLACES)
        if readable:
            labels.digit[cell] = card.digit + 1
    return labels


class Heads(nn.Module):
    """Four linear readers of a merged token."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.colour = nn.Linear(width, len(COLOURS) + 1)
        self.digit = nn.Linear(width, 11)
        self.x = nn.Linear(width, PLACES)
        self.y = nn.Linear(width, PLACES)
        # Empty cells are many: with equal weight the heads say "none" for ever.
        self.register_buffer("colour_weight", torch.tensor([0.1] + [1.0] * len(COLOURS)))
        self.register_buffer("digit_weight", torch.tensor([0.04] + [1.0] * 10))

    def forward(self, tokens: torch.Tensor, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        """Loss, and accuracy of each head over the cells that hold a card. `tokens`: (cells of the batch, width)."""
        colour, digit, x, y = self.colour(tokens), self.digit(tokens), self.x(tokens), self.y(tokens)
        loss = (
            F.cross_entropy(colour, batch["colour"], weight=self.colour_weight)
            + F.cross_entropy(digit, batch["digit"], weight=self.digit_weight, ignore_index=IGNORED)
            + F.cross_entropy(x, batch["x"], ignore_index=IGNORED)
            + F.cross_entropy(y, batch["y"], ignore_index=IGNORED)
        )
        rows = (
            ("colour", colour, batch["colour"] > 0),
            ("digit", digit, batch["digit"] > 0),
            ("x", x, batch["x"] >= 0),
        )
        scores = {name: float((logits.argmax(-1) == batch[name])[mask].float().mean()) for name, logits, mask in rows}
        return loss, scores


def make_optimizers(modules: Iterable[nn.Module], learning_rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers, AdamW for everything else (embeddings, norms, biases, heads).

    Muon reaches the same accuracy of places in about half of the steps that AdamW alone takes.
    """
    named = [pair for module in modules for pair in module.named_parameters()]
    inner = ("blocks", "merger", "layers")
    matrices = [weight for name, weight in named if weight.ndim == 2 and any(part in name for part in inner)]
    chosen = {id(weight) for weight in matrices}
    rest = [weight for _, weight in named if id(weight) not in chosen]
    return [
        torch.optim.Muon(matrices, lr=learning_rate, weight_decay=0.02, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, lr=learning_rate, weight_decay=0.02, betas=(0.9, 0.98)),
    ]


def make_schedules(
    optimizers: Iterable[torch.optim.Optimizer], steps: int, last: float
) -> list[torch.optim.lr_scheduler.LRScheduler]:
    """Warm-up over 50 steps, then linear decay to the fraction `last`."""
    return [
        torch.optim.lr_scheduler.LambdaLR(each, lambda s: min(1, (s + 1) / 50) * max(last, 1 - s / steps))
        for each in optimizers
    ]


def teach_vision(
    tower: nn.Module,
    heads: Heads,
    processor: Qwen3VLProcessor,
    *,
    steps: int,
    seed: int,
    learning_rate: float,
    log: Callable[[str], None],
) -> dict[str, float]:
    """Train tower and heads in place; returns held-out accuracies (photographs and digits never trained on)."""
    parameters = [*tower.parameters(), *heads.parameters()]
    optimizers = make_optimizers([tower, heads], learning_rate)
    schedules = make_schedules(optimizers, steps, last=0.02)
    batches = iter(DataLoader(Pictures(processor, "train", seed), batch_size=None, num_workers=1, prefetch_factor=4))
    recent: list[dict[str, float]] = []
    start = time.perf_counter()
    for step in tqdm(range(steps), desc="vision tower", mininterval=10):
        loss, scores = _forward(tower, heads, next(batches))
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        for optimizer, schedule in zip(optimizers, schedules, strict=True):
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
        recent.append(scores)
        if step % 100 == 99:
            seconds = time.perf_counter() - start
            log(f"vision {step + 1:5d}  loss {loss.item():.3f}  {_mean(recent[-100:])}  {seconds:.0f} s")
    held_out = iter(Pictures(processor, "test", seed))
    with torch.no_grad():
        return _mean([_forward(tower, heads, next(held_out))[1] for _ in range(20)])


def _forward(tower: nn.Module, heads: Heads, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
    out = tower(batch["pixel_values"], grid_thw=batch["image_grid_thw"])
    return heads(out.pooler_output, batch)


def _mean(scores: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(float(np.nanmean([score[name] for score in scores])), 3) for name in scores[0]}
