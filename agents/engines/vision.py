"""Picture features of a batch: every distinct picture once, a few at a time.

The rollouts of one query share their overview, and a tower that reads hundreds of pictures at once is slower than one
that reads eight (its activations leave the processor's cache) and needs more memory. Knows the vision half of Qwen's
classes. Knows nothing of requests or token ids.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from agents.engines.wire import content_id

PATCHES_AT_A_TIME = 2048
"""Pictures go through the tower together until they have this many patches; a larger picture goes alone."""


def distinct(images: Sequence[np.ndarray]) -> tuple[list[np.ndarray], list[int]]:
    """The different pictures, and for every picture its place among them."""
    places: dict[object, int] = {}
    kept: list[np.ndarray] = []
    order: list[int] = []
    for image in images:
        place = places.setdefault(content_id(image), len(kept))
        if place == len(kept):
            kept.append(image)
        order.append(place)
    return kept, order


@contextmanager
def shared_features(model: torch.nn.Module, order: Sequence[int]) -> Iterator[None]:
    """Inside, a forward takes the pixels of distinct pictures and puts picture number `order[i]` at the i-th place."""
    owner: Any = next(module for module in model.modules() if hasattr(module, "get_rope_index"))
    original = owner.get_image_features

    def get_image_features(pixel_values: torch.Tensor, image_grid_thw: torch.Tensor, **options: Any) -> Any:
        patches = image_grid_thw.prod(-1).tolist()
        pixels = pixel_values.split(patches)
        outputs = [
            original(torch.cat(pixels[first:last]), image_grid_thw[first:last], **options)
            for first, last in _portions(patches)
        ]
        return _arranged(outputs, order)

    owner.get_image_features = get_image_features
    try:
        yield
    finally:
        del owner.get_image_features


def _portions(patches: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Half-open ranges of pictures that go through the tower together."""
    first, total = 0, 0
    for place, count in enumerate(patches):
        if place > first and total + count > PATCHES_AT_A_TIME:
            yield first, place
            first, total = place, 0
        total += count
    yield first, len(patches)


def _arranged(outputs: Sequence[Any], order: Sequence[int]) -> Any:
    """The tower's outputs as one, its pictures in `order`."""
    pooled = [features for output in outputs for features in output.pooler_output]
    whole = outputs[0]
    whole.pooler_output = tuple(pooled[place] for place in order)
    if "deepstack_features" in whole:
        whole.deepstack_features = [
            _in_order(layer, [len(features) for features in pooled], order)
            for layer in (torch.cat(parts) for parts in zip(*(o.deepstack_features for o in outputs), strict=True))
        ]
    return whole


def _in_order(features: torch.Tensor, sizes: Sequence[int], order: Sequence[int]) -> torch.Tensor:
    pieces = features.split(list(sizes))
    return torch.cat([pieces[place] for place in order])
