"""Conversions between tasks, rollouts and the rows of TRL's data set and batches.

Depends on TRL's formats of rows; independent of the trainer, of rewards and of how rollouts are played.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from datasets import Dataset

from agents.chat.chat import Chat
from agents.rollout import Rollout
from pixel_env.episode import Trajectory, observed
from pixel_env.task import Task
from rewards.advantages import informative


def task_rows(count: int, copies: int = 1) -> Dataset:
    """Rows that name a task by its index in the set: pixels and texts never enter the data set."""
    return Dataset.from_dict({"prompt": [str(index) for index in range(count)] * copies})


def task_columns(tasks: Sequence[Task]) -> dict[str, list[Any]]:
    """The fields of each row's task as the columns that reward functions of TRL's form read; no pixels.

    `solution` is the first reference answer, "" if there is none: the column that TRL's own functions read. They are
    made of the tasks that were played, so that a lazy set stays lazy.
    """
    return {
        "task_id": [task.task_id for task in tasks],
        "question": [task.question for task in tasks],
        "solution": [task.answers[0] if task.answers else "" for task in tasks],
        "answers": [list(task.answers) for task in tasks],
        "options": [list(task.options) for task in tasks],
        "category": [task.category for task in tasks],
        "media": [task.media for task in tasks],
    }


def with_tokens(row: Rollout, chat: Chat) -> Rollout:
    """`row`; for an episode without tokens, a row with one untrained token that TRL can pad."""
    if row.prompt_ids and row.completion_ids:
        return row
    prompt_ids = row.prompt_ids or (chat.end_id,)
    return replace(row, prompt_ids=prompt_ids, completion_ids=(chat.end_id,), sampled=(False,), logprobs=(0.0,))


def sampled_ids(row: Rollout) -> list[int]:
    """The tokens of the episode that the model sampled: what `max_completion_length` and lengths in the log count."""
    return [token for token, is_sampled in zip(row.completion_ids, row.sampled, strict=True) if is_sampled]


def messages_of(trajectory: Trajectory) -> list[dict[str, str]]:
    """The completion for reward functions: assistant turns and observations, in order."""
    messages = []
    for steps in trajectory.messages:
        messages.append({"role": "assistant", "content": str(steps[0].text)})
        text, views = observed(steps)
        if text or views:
            messages.append({"role": "user", "content": text})
    return messages or [{"role": "assistant", "content": ""}]


def zero_loss(model: torch.nn.Module) -> torch.Tensor:
    """A loss of 0 with zero gradients, as of rows of zero advantage: the optimizer step still applies momentum."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    return sum((weight.sum() for weight in weights), torch.zeros((), device=weights[0].device)) * 0.0


def moving(advantages: torch.Tensor) -> torch.Tensor:
    """Whether each row changes the policy (non-zero advantage): bool, shape (B,), on the same device."""
    return torch.from_numpy(informative(advantages.float().cpu().numpy())).to(advantages.device)


def loss_mask(batch: dict[str, Any]) -> torch.Tensor:
    """1 on every token that the loss counts: shape (B, C)."""
    mask: torch.Tensor = batch["completion_mask"] * batch["tool_mask"]
    return mask
