"""Checks that rows of token ids have a placeholder for every token of their images.

Depends on rollouts and a chat format; independent of trainers.
"""

from collections.abc import Iterator, Mapping, Sequence

import torch

from agents.chat.chat import Chat
from agents.rollout import Rollout
from pixel_env.errors import ConfigError


def check_placeholders(
    rollouts: Sequence[Rollout], input_ids: torch.Tensor, grids: Mapping[str, torch.Tensor], chat: Chat
) -> None:
    """Raises ConfigError, with the task's id, for a row of `input_ids` (B, T) with too few or many placeholders."""
    images, videos = (_token_counts(grids.get(name), chat) for name in ("image_grid_thw", "video_grid_thw"))
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
