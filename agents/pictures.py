"""Pixel features of rollouts, made late: for the rows of one forward pass, each distinct picture once.

Knows views and a chat format's picture processor. Knows nothing of trainers. The rollouts of one query share their
overview: it is shown and processed once, whatever the number of rollouts.
"""

from collections.abc import Sequence

import torch

from agents.chat import Chat
from agents.rollout import Rollout
from pixel_env.errors import ConfigError
from pixel_env.media import show
from pixel_env.types import View, ViewBudgets

PictureKey = tuple[object, ...]


def features_of(rollouts: Sequence[Rollout], chat: Chat, budgets: ViewBudgets) -> dict[str, torch.Tensor]:
    """`pixel_values` and `image_grid_thw` of all pictures of the rollouts, row by row, in order; {} for none."""
    keys = [_key(view) for rollout in rollouts for view in rollout.views]
    views = {_key(view): view for rollout in rollouts for view in rollout.views}
    shown = {key: show(view, budgets) for key, view in views.items()}
    return chat.features([shown[key] for key in keys])


def check_placeholders(
    rollouts: Sequence[Rollout], input_ids: torch.Tensor, grids: torch.Tensor | None, chat: Chat
) -> None:
    """Refuses, by its task's id, a row whose placeholders (of `input_ids`, (B, T)) are not as many as its features."""
    merge = chat.processor.image_processor.merge_size**2
    counts = [] if grids is None else (grids.prod(-1) // merge).tolist()
    found = (input_ids == chat.image_id).sum(-1).tolist()
    start = 0
    for rollout, tokens in zip(rollouts, found, strict=True):
        wanted = sum(counts[start : start + len(rollout.views)])
        start += len(rollout.views)
        if tokens != wanted:
            raise ConfigError(
                f"The rollout of task {rollout.trajectory.task.task_id!r} has {tokens} picture tokens and features for "
                f"{wanted}. Its pictures changed between sampling and training: keep files and budgets as they are."
            )


def _key(view: View) -> PictureKey:
    return (view.source.key, view.kind, view.box.corners, None if view.via is None else _key(view.via))
