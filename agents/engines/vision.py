"""Image features of a batch: every distinct image or video is processed once, a few at a time.

The rollouts of one query share their overview, and a tower that reads hundreds of images at once is slower than one
that reads eight (its activations leave the processor's cache) and needs more memory. Depends on the vision half of
Qwen's classes; independent of requests and token ids.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch

from agents.chat.content_id import content_ids
from agents.chat.feature_cache import ImageOrVideo

PATCHES_AT_A_TIME = 2048
"""Images go through the tower together until they have this many patches; a larger image goes alone."""


def distinct(images: Sequence[ImageOrVideo]) -> tuple[list[ImageOrVideo], list[int]]:
    """The different images, and for every image its index among them."""
    index_of: dict[str, int] = {}
    kept: list[ImageOrVideo] = []
    order: list[int] = []
    for image, name in zip(images, content_ids(images), strict=True):
        index = index_of.setdefault(name, len(kept))
        if index == len(kept):
            kept.append(image)
        order.append(index)
    return kept, order


@contextmanager
def shared_features(model: torch.nn.Module, order: Sequence[int], video_order: Sequence[int] = ()) -> Iterator[None]:
    """Inside, a forward takes the pixels of distinct images and puts image number `order[i]` at position i.

    The same for videos with `video_order`.
    """
    owner: Any = next(module for module in model.modules() if hasattr(module, "get_rope_index"))
    if order:
        owner.get_image_features = _sharing(owner.get_image_features, order)
    if video_order:
        owner.get_video_features = _sharing(owner.get_video_features, video_order)
    try:
        with patches_as_rows(owner):
            yield
    finally:
        for name in ("get_image_features", "get_video_features"):
            vars(owner).pop(name, None)


@contextmanager
def patches_as_rows(owner: torch.nn.Module) -> Iterator[None]:
    """Inside, a convolution of `owner` that is given single patches of its kernel's size multiplies them as rows.

    Both are one product per patch and filter. On a CPU the rows took a fifth of the time, backward pass included.
    """
    convolutions = [
        module
        for module in owner.modules()
        if type(module) is torch.nn.Conv3d and not any(module.padding) and "forward" not in vars(module)  # not hooked
    ]
    for convolution in convolutions:
        convolution.forward = partial(_on_patches, convolution)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for convolution in convolutions:
            vars(convolution).pop("forward", None)


def _on_patches(convolution: torch.nn.Conv3d, patches: torch.Tensor) -> torch.Tensor:
    if patches.shape[2:] != convolution.kernel_size or convolution.groups > 1:
        return torch.nn.Conv3d.forward(convolution, patches)
    rows = torch.nn.functional.linear(patches.flatten(1), convolution.weight.flatten(1), convolution.bias)
    return rows[:, :, None, None, None]


def _sharing(original: Callable[..., Any], order: Sequence[int]) -> Callable[..., Any]:
    def features(pixel_values: torch.Tensor, grid_thw: torch.Tensor, **options: Any) -> Any:
        patches = grid_thw.prod(-1).tolist()
        pixels = pixel_values.split(patches)
        outputs = [
            original(torch.cat(pixels[first:last]), grid_thw[first:last], **options)
            for first, last in portions(patches)
        ]
        return _arranged(outputs, order)

    return features


def portions(patches: Sequence[int], at_a_time: float = PATCHES_AT_A_TIME) -> Iterator[tuple[int, int]]:
    """Half-open ranges of images that go through the tower together: at most `at_a_time` patches, or one image."""
    first, total = 0, 0
    for index, count in enumerate(patches):
        if index > first and total + count > at_a_time:
            yield first, index
            first, total = index, 0
        total += count
    yield first, len(patches)


def _arranged(outputs: Sequence[Any], order: Sequence[int]) -> Any:
    """The tower's outputs as one, its images in `order`."""
    pooled = [features for output in outputs for features in output.pooler_output]
    whole = outputs[0]
    whole.pooler_output = tuple(pooled[index] for index in order)
    if "deepstack_features" in whole:
        whole.deepstack_features = [
            _in_order(layer, [len(features) for features in pooled], order)
            for layer in (torch.cat(parts) for parts in zip(*(o.deepstack_features for o in outputs), strict=True))
        ]
    return whole


def _in_order(features: torch.Tensor, sizes: Sequence[int], order: Sequence[int]) -> torch.Tensor:
    pieces = features.split(list(sizes))
    return torch.cat([pieces[index] for index in order])
