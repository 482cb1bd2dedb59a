"""Picture features of a batch: every distinct picture or video once, a few at a time.

The rollouts of one query share their overview, and a tower that reads hundreds of pictures at once is slower than one
that reads eight (its activations leave the processor's cache) and needs more memory. Knows the vision half of Qwen's
classes. Knows nothing of requests or token ids.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from agents.chat.content_id import content_ids
from agents.chat.feature_cache import Picture

PATCHES_AT_A_TIME = 2048
"""Pictures go through the tower together until they have this many patches; a larger picture goes alone."""


def distinct(pictures: Sequence[Picture]) -> tuple[list[Picture], list[int]]:
    """The different pictures, and for every picture its place among them."""
    places: dict[str, int] = {}
    kept: list[Picture] = []
    order: list[int] = []
    for picture, name in zip(pictures, content_ids(pictures), strict=True):
        place = places.setdefault(name, len(kept))
        if place == len(kept):
            kept.append(picture)
        order.append(place)
    return kept, order


@contextmanager
def shared_features(model: torch.nn.Module, order: Sequence[int], video_order: Sequence[int] = ()) -> Iterator[None]:
    """Inside, a forward takes the pixels of distinct pictures and puts picture number `order[i]` at the i-th place.

    The same for videos with `video_order`.
    """
    owner: Any = next(module for module in model.modules() if hasattr(module, "get_rope_index"))
    if order:
        owner.get_image_features = _sharing(owner.get_image_features, order)
    if video_order:
        owner.get_video_features = _sharing(owner.get_video_features, video_order)
    try:
        yield
    finally:
        for name in ("get_image_features", "get_video_features"):
            vars(owner).pop(name, None)


def _sharing(original: Callable[..., Any], order: Sequence[int]) -> Callable[..., Any]:
    def features(pixel_values: torch.Tensor, grid_thw: torch.Tensor, **options: Any) -> Any:
        patches = grid_thw.prod(-1).tolist()
        pixels = pixel_values.split(patches)
        outputs = [
            original(torch.cat(pixels[first:last]), grid_thw[first:last], **options)
            for first, last in _portions(patches)
        ]
        return _arranged(outputs, order)

    return features


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
