"""Pixel features of rollouts, computed lazily: for the rows of one forward pass, each distinct image once.

The rollouts of one query share their overview, which is decoded and processed once, whatever the number of rollouts.
Depends on views and a chat format's image processor; independent of trainers.
"""

from collections.abc import Iterator, Mapping, Sequence

import torch

from agents.chat.chat import Chat
from agents.rollout import Rollout
from pixel_env.errors import ConfigError
from pixel_env.media.showing import show
from pixel_env.views import ViewBudgets


def features_of(rollouts: Sequence[Rollout], chat: Chat, budgets: ViewBudgets) -> dict[str, torch.Tensor]:
    """`Chat.features` of all images and videos of the rollouts, row by row, in order; {} for none."""
    views = {view.key: view for rollout in rollouts for view in rollout.views}
    shown = {key: show(view, budgets) for key, view in views.items()}
    rows = [tuple(shown[view.key] for view in rollout.views) for rollout in rollouts]
    frames = [rollout.video_frames for rollout in rollouts]
    images = [image for row, count in zip(rows, frames, strict=True) for image in row[count:]]
    return chat.features(images, [row[:count] for row, count in zip(rows, frames, strict=True) if count])


def check_placeholders(
    rollouts: Sequence[Rollout], input_ids: torch.Tensor, features: Mapping[str, torch.Tensor], chat: Chat
) -> None:
    """Raises ConfigError, with the task's id, for a row of `input_ids` (B, T) with too few or many placeholders."""
    images, videos = (_token_counts(features.get(name), chat) for name in ("image_grid_thw", "video_grid_thw"))
    types = chat.mm_token_type_ids(input_ids)
    counts = [(types == kind).sum(-1).tolist() for kind in (1, 2)]
    for rollout, *placeholders in zip(rollouts, *counts, strict=True):
        own_images = sum(next(images) for _ in rollout.views[rollout.video_frames :])
        own_video = next(videos) if rollout.video_frames else 0
        tokens, wanted = sum(placeholders), own_images + own_video
        if placeholders != [own_images, own_video]:
            raise ConfigError(
                f"The rollout of task {rollout.trajectory.task.task_id!r} has {tokens} image tokens and features for "
                f"{wanted}. Its images changed between sampling and training: keep files and budgets as they are."
            )


def _token_counts(grids: torch.Tensor | None, chat: Chat) -> Iterator[int]:
    merge = chat.processor.image_processor.merge_size**2
    return iter([] if grids is None else (grids.prod(-1) // merge).tolist())
