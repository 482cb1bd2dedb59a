"""Group rewards in TRL's matrix of rewards, which knows single rows only.

Knows trajectories and the shape of TRL's reward functions. Knows nothing of processes, tokens or losses.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from agents.grpo.config import PixelGRPOConfig
from pixel_env.episode import Stop, Trajectory
from rewards.shaping import GroupReward, group_reward_named, reward_parts

RewardFunction = Callable[..., list[float | None]]


def group_reward_of(chosen: str | GroupReward | None, args: PixelGRPOConfig) -> GroupReward | None:
    """The group reward that is `chosen`, by default that of the configuration."""
    wanted = chosen if chosen is not None else args.group_reward
    return group_reward_named(wanted) if isinstance(wanted, str) else wanted


def reward_columns(
    reward_funcs: RewardFunction | list[RewardFunction] | None,
    group_reward: GroupReward | None,
    weights: list[float] | None,
) -> tuple[list[RewardFunction], list[float] | None]:
    """TRL's reward functions and weights; with a group reward the last column is kept for it, at weight 1."""
    functions = list(reward_funcs) if isinstance(reward_funcs, list) else [reward_funcs] if reward_funcs else []
    if group_reward is None:
        return functions, weights
    if weights is not None and len(weights) == len(functions):
        weights = [*weights, 1.0]
    return [*functions, _group_column], weights


def shaped_totals(
    group_reward: GroupReward, trajectories: Sequence[Trajectory], group_size: int
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Total of each rollout, shape (B,), each query's rollouts judged together, and the parts by name.

    An episode that broke says nothing about the policy: its total is NaN, and no part has an entry for it.
    """
    totals_B = np.full(len(trajectories), np.nan)
    parts: dict[str, list[np.ndarray]] = {}
    for start in range(0, len(trajectories), group_size):
        members = range(start, min(start + group_size, len(trajectories)))
        places = [place for place in members if trajectories[place].stop is not Stop.FAILED]
        if not places:
            continue
        shaped = reward_parts(group_reward, [trajectories[place] for place in places])
        totals_B[places] = shaped.total_G
        for name, values_G in shaped.named().items():
            parts.setdefault(name, []).append(values_G)
    return totals_B, {name: np.concatenate(values) for name, values in parts.items()}


def _group_column(completions: list[Any], **_: Any) -> list[float | None]:
    """Keeps a column of TRL's matrix for the group reward, which is known once all processes' rollouts are."""
    return [0.0] * len(completions)


_group_column.__name__ = "group_reward"  # TRL logs a function by its name
