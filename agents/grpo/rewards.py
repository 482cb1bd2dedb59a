"""Group rewards as a column of TRL's reward matrix, whose reward functions see single rows only.

Depends on trajectories and on the shape of TRL's reward functions; independent of processes, tokens and losses.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator

from agents.grpo.config import PixelGRPOConfig
from agents.grpo.reward_functions import RewardFunction, checked_function
from pixel_env.episode import Stop, Trajectory
from rewards.advantages import without_rounding
from rewards.parts import GroupReward, check_same_names, reward_parts
from rewards.shaping import group_reward_named


def group_reward_of(chosen: str | GroupReward | None, args: PixelGRPOConfig) -> GroupReward | None:
    """The group reward that `chosen` names, by default that of the configuration."""
    wanted = chosen if chosen is not None else args.group_reward
    return group_reward_named(wanted) if isinstance(wanted, str) else wanted


def reward_columns(
    reward_funcs: RewardFunction | list[RewardFunction] | None,
    group_reward: GroupReward | None,
    weights: list[float] | None,
) -> tuple[list[RewardFunction], list[float] | None]:
    """TRL's reward functions, each checked, and weights; with a group reward the last column is its, with weight 1."""
    given = list(reward_funcs) if isinstance(reward_funcs, list) else [reward_funcs] if reward_funcs else []
    functions = [checked_function(function) for function in given]
    if group_reward is None:
        return functions, weights
    if weights is not None and len(weights) == len(functions):
        weights = [*weights, 1.0]
    return [*functions, _group_column], weights


class GroupShaping:
    """A group reward for batches of several queries; its parts have the same names in all batches of a run."""

    def __init__(self, group_reward: GroupReward) -> None:
        self._group_reward = group_reward
        self._names: list[str] = []
        self.weights: dict[str, float] = {}
        """The weights of the parts by name, as they were last."""

    def of(self, trajectories: Sequence[Trajectory], group_size: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Total of each rollout, shape (B,), each query's rollouts together, and the parts by name, shape (B,) each.

        A failed episode is no evidence about the policy: its total and its parts are NaN.
        """
        totals_B = np.full(len(trajectories), np.nan)
        parts = {name: np.full(len(trajectories), np.nan) for name in self._names}
        for start in range(0, len(trajectories), group_size):
            members = range(start, min(start + group_size, len(trajectories)))
            kept = [index for index in members if trajectories[index].stop is not Stop.FAILED]
            if not kept:
                continue
            shaped = reward_parts(self._group_reward, [trajectories[index] for index in kept])
            if not self._names:
                self._names = list(shaped.parts)
                parts = {name: np.full(len(trajectories), np.nan) for name in self._names}
            check_same_names(shaped, self._names, self._group_reward)
            self.weights = {name: part.weight for name, part in shaped.parts.items()}
            totals_B[kept] = shaped.total_G
            for name, values_G in shaped.named().items():
                parts[name][kept] = values_G
        return totals_B, parts


def significant(
    advantages: torch.Tensor,
    rewards_BF: torch.Tensor,
    weights_F: torch.Tensor,
    group_size: int,
    accelerator: Accelerator,
    *,
    are_batch_centred: bool,
) -> torch.Tensor:
    """A process's advantages as float32, exactly 0 where they are only rounding (`rewards.advantages`).

    `rewards_BF`: all processes' rows, one column per function.
    """
    totals_B = (rewards_BF * weights_F.to(rewards_BF)).nansum(1)
    totals_B[rewards_BF.isnan().all(1)] = torch.nan
    gathered_B = accelerator.gather(advantages)
    exact_B = without_rounding(
        gathered_B.cpu().numpy(), totals_B.cpu().numpy(), group_size, are_batch_centred=are_batch_centred
    )
    own = torch.from_numpy(exact_B)[accelerator.process_index * len(advantages) :][: len(advantages)]
    return own.to(advantages.device, torch.float32)


def completion_columns(parts: Mapping[str, np.ndarray], rows: slice) -> dict[str, list[float]]:
    """The parts of these rows as columns of the table that TRL writes with `log_completions`."""
    # TRL prints the table with rich, for which "[name]" in a title is markup: an escaped bracket is text.
    return {
        re.sub(r"\[(?=[a-z#/@])", r"\\[", f"rewards/{name}"): values_B[rows].tolist()
        for name, values_B in parts.items()
    }


def _group_column(completions: list[Any], **_: Any) -> list[float | None]:
    """Reserves a column of TRL's matrix for the group reward, which is computed from the rollouts of all processes."""
    return [0.0] * len(completions)


_group_column.__name__ = "group_reward"  # TRL logs a function by its name
