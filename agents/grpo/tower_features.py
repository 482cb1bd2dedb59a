"""What the vision tower makes of images: each distinct image is read once for all rows and passes that show it.

The rollouts of one question share their overview and often a crop. The features of an image depend on the tower's
weights and its own pixels alone, so they are computed once and placed wherever it is shown; autograd sums their
gradients. Depends on views, a chat format's image processor and the vision half of Qwen's classes; independent of
trainers.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from cachetools import LRUCache

from agents.chat.chat import Chat
from agents.engines.vision import portions
from agents.rollout import Rollout
from pixel_env.media.showing import show
from pixel_env.views import View, ViewBudgets

MAX_BYTES = 2**30
"""Bytes of features kept at most where no gradient needs them; the least recently used are read again."""

Shown = tuple[View, ...]
"""One view for an image, the frames for a video entry. Its key: those of the views."""


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """An image or video as the tower has read it: `grid` (3,), `pooled` (tokens, D), `deepstack` the same per layer."""

    grid: torch.Tensor
    pooled: torch.Tensor
    deepstack: tuple[torch.Tensor, ...] = ()

    @property
    def nbytes(self) -> int:
        """Bytes of all features."""
        return sum(tensor.nbytes for tensor in (self.pooled, *self.deepstack))


class TowerFeatures:
    """Images and videos that one tower has read with the same weights.

    `max_bytes`: how much of them is kept; `is_frozen`: the tower is not trained, so no features have a graph.
    """

    def __init__(
        self, chat: Chat, budgets: ViewBudgets, max_bytes: float = MAX_BYTES, *, is_frozen: bool = False
    ) -> None:
        self._chat, self._budgets = chat, budgets
        self.is_frozen = is_frozen
        self._kept: LRUCache[object, Read] = LRUCache(max_bytes, getsizeof=lambda read: read.nbytes)

    def of_pass(self, rollouts: Sequence[Rollout]) -> tuple["Reading", "Reading"]:
        """The images and the videos of the rows of one forward pass."""
        images = [(view,) for rollout in rollouts for view in rollout.views[rollout.video_frames :]]
        videos = [rollout.views[: rollout.video_frames] for rollout in rollouts if rollout.video_frames]
        return self._reading(images, self._image_features), self._reading(videos, self._video_features)

    def keep(self, read: Mapping[object, Read]) -> None:
        """Keeps these for the passes that follow."""
        for key, features in read.items():
            if features.nbytes <= self._kept.maxsize:  # the cache raises for a larger one
                self._kept[key] = features

    def _reading(self, shown: Sequence[Shown], processed: Callable[[list[Shown]], list[torch.Tensor]]) -> "Reading":
        order = [tuple(view.key for view in views) for views in shown]
        distinct = dict(zip(order, shown, strict=True))
        kept = {key: self._kept[key] for key in distinct if key in self._kept}
        missing = [key for key in distinct if key not in kept]
        pixels, grids = processed([distinct[key] for key in missing]) if missing else (torch.empty(0), torch.empty(0))
        return Reading(self, order, kept, missing, pixels, grids)

    def _image_features(self, images: list[Shown]) -> list[torch.Tensor]:
        features = self._chat.features([show(view, self._budgets) for (view,) in images])
        return [features["pixel_values"], features["image_grid_thw"]]

    def _video_features(self, videos: list[Shown]) -> list[torch.Tensor]:
        shown = {view.key: show(view, self._budgets) for frames in videos for view in frames}
        features = self._chat.features([], [tuple(shown[view.key] for view in frames) for frames in videos])
        return [features["pixel_values_videos"], features["video_grid_thw"]]


class Reading:
    """The images (or the videos) of one forward pass: those that the tower has to read, and where each is shown.

    `order`: the keys row by row; `pixels` and `missing_grids`: of the keys in `missing`, which the tower reads.
    """

    def __init__(
        self,
        store: TowerFeatures,
        order: list[Any],
        kept: dict[Any, Read],
        missing: list[Any],
        pixels: torch.Tensor,
        missing_grids: torch.Tensor,
    ) -> None:
        self._store, self._read, self._missing = store, kept, missing
        self.order, self.pixels, self.missing_grids = order, pixels, missing_grids

    def add(self, pixels: torch.Tensor, grids: torch.Tensor) -> None:
        """One more image behind all others, one of its own, that no view shows."""
        key = object()
        self.order.append(key)
        self._missing.append(key)
        self.pixels = torch.cat([self.pixels, pixels]) if len(self.pixels) else pixels
        self.missing_grids = torch.cat([self.missing_grids, grids]) if len(self.missing_grids) else grids

    @property
    def grids(self) -> torch.Tensor:
        """The grid of every image, row by row: (images, 3)."""
        grid_of = {key: read.grid for key, read in self._read.items()} | dict(
            zip(self._missing, self.missing_grids, strict=True)
        )
        return torch.stack([grid_of[key] for key in self.order])

    def features(self, original: Callable[..., Any], *, at_a_time: float) -> Callable[..., SimpleNamespace]:
        """The tower's method `original`, for a forward that passes `pixels`: the features of every image, in order.

        `at_a_time`: patches that go through the tower together.
        """

        def features(pixels: torch.Tensor, grids: torch.Tensor, **options: Any) -> SimpleNamespace:
            if self._missing:
                with torch.set_grad_enabled(torch.is_grad_enabled() and not self._store.is_frozen):
                    read = dict(zip(self._missing, _read(original, pixels, grids, at_a_time, options), strict=True))
                self._read |= read
                self._store.keep(read)
            rows = [self._read[key] for key in self.order]
            layers = zip(*(row.deepstack for row in rows), strict=True)
            return SimpleNamespace(
                pooler_output=tuple(row.pooled for row in rows), deepstack_features=[torch.cat(one) for one in layers]
            )

        return features


class FeatureStores:
    """Which features may be kept how long: as long as the weights that made them are the same.

    Of a tower in training, those of one call: they hold its graph, or the weights change before the next call. Of a
    frozen tower, those of a generation. Where processes share a sharded model, none: each must run the tower equally
    often, whatever images it has.
    """

    def __init__(self, chat: Chat, *, is_sharded: bool) -> None:
        self._chat, self.is_sharded = chat, is_sharded
        self._frozen: dict[torch.nn.Module, TowerFeatures] = {}

    def of(self, model: torch.nn.Module, budgets: ViewBudgets) -> TowerFeatures:
        """Where the passes of one call to score rows with `model` (unwrapped) keep what the tower reads."""
        if self.is_sharded:
            return TowerFeatures(self._chat, budgets, max_bytes=0)
        tower = vision_half(model).visual
        if any(weight.requires_grad for weight in tower.parameters()):
            return TowerFeatures(self._chat, budgets, math.inf if torch.is_grad_enabled() else MAX_BYTES)
        return self._frozen.setdefault(tower, TowerFeatures(self._chat, budgets, is_frozen=True))

    def forget(self) -> None:
        """Forgets the features of frozen towers: another generation begins."""
        self._frozen.clear()


def vision_half(model: torch.nn.Module) -> Any:
    """The module of Qwen's classes that reads images, with `visual`, the tower, in it."""
    owner: Any = next(module for module in model.modules() if hasattr(module, "get_rope_index"))
    return owner


def _read(
    original: Callable[..., Any], pixels: torch.Tensor, grids: torch.Tensor, at_a_time: float, options: dict[str, Any]
) -> Iterator[Read]:
    """The features of each image."""
    patches = grids.prod(-1).tolist()
    parts = pixels.split(patches)
    for first, last in portions(patches, at_a_time):
        output = original(torch.cat(parts[first:last]), grids[first:last], **options)
        sizes = [len(one) for one in output.pooler_output]
        layers = [layer.split(sizes) for layer in getattr(output, "deepstack_features", None) or ()]
        for index, pooled in enumerate(output.pooler_output):
            features = [pooled, *(layer[index] for layer in layers)]
            if not pooled.requires_grad:  # a part of the output would keep the whole output in memory
                features = [one.clone() for one in features]
            yield Read(grids[first + index].cpu(), features[0], tuple(features[1:]))
