"""Rows of TRL's data set and batches: what names a task, what a rollout becomes, what the loss counts.

Knows TRL's shapes of rows. Knows nothing of the trainer, rewards or how rollouts are played.
"""

from dataclasses import replace
from typing import Any

import torch
from datasets import Dataset

from agents.chat.chat import Chat
from agents.rollout import Rollout
from pixel_env.episode import Trajectory
from rewards.advantages import informative


def task_rows(count: int) -> Dataset:
    """Rows that name a task by its place in the set: pixels and texts never enter the data set."""
    return Dataset.from_dict({"prompt": [str(place) for place in range(count)]})


def with_tokens(row: Rollout, chat: Chat) -> Rollout:
    """`row`, or for an episode without tokens one that TRL can pad, none of them trained."""
    if row.prompt_ids and row.completion_ids:
        return row
    prompt_ids = row.prompt_ids or (chat.end_id,)
    return replace(row, prompt_ids=prompt_ids, completion_ids=(chat.end_id,), sampled=(False,), logprobs=(0.0,))


def messages_of(trajectory: Trajectory) -> list[dict[str, str]]:
    """The completion as reward functions see it: assistant turns and what came back, in order."""
    messages = []
    for turn in trajectory.turns:
        messages.append({"role": "assistant", "content": str(turn.text)})
        if turn.observation or turn.views:
            messages.append({"role": "user", "content": turn.observation})
    return messages or [{"role": "assistant", "content": ""}]


def zero_loss(model: torch.nn.Module) -> torch.Tensor:
    """0 with a gradient of zeros, as rows of zero advantage have: a step on it still follows the momentum."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    return sum((weight.sum() for weight in weights), torch.zeros((), device=weights[0].device)) * 0.0


def moving(advantages: torch.Tensor) -> torch.Tensor:
    """Which rows move the policy: bool, shape (B,), on the same device."""
    return torch.from_numpy(informative(advantages.float().cpu().numpy())).to(advantages.device)


def loss_mask(batch: dict[str, Any]) -> torch.Tensor:
    """1 on every token that the loss counts: shape (B, C)."""
    mask: torch.Tensor = batch["completion_mask"] * batch["tool_mask"]
    return mask
