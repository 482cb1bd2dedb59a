"""Which advantages change the policy, and which are only rounding.

Depends on numbers; independent of tokens, images, environments and TRL.
"""

import numpy as np

ROUNDING = 1e-6
"""Numbers that differ by less than this share of the largest of them are equal up to the rounding of float32."""


def informative(advantages_B: np.ndarray) -> np.ndarray:
    """Which rollouts change the policy: bool, shape (B,). The others have a gradient of zero and may be left out."""
    return np.asarray(advantages_B) != 0.0


def without_rounding(
    advantages_B: np.ndarray, rewards_B: np.ndarray, group_size: int, *, are_batch_centred: bool = False
) -> np.ndarray:
    """The advantages, exactly 0 where they are only rounding: shape (B,), each group's rollouts together.

    They are, where the rewards of a group are all equal, relative to their size (a constant of 100.1 as much as one of
    0), and where one is negligible beside the largest of its group. `rewards_B`: NaN for a failed episode.
    `are_batch_centred`: an advantage is relative to the mean of the batch, so that a group of equal rewards has none
    only if every group's rewards are equal.
    """
    advantages_NG = np.asarray(advantages_B, dtype=np.float64).reshape(-1, group_size)
    rewards_NG = np.asarray(rewards_B, dtype=np.float64).reshape(-1, group_size)
    missing_NG = np.isnan(rewards_NG)
    highest_N = np.where(missing_NG, -np.inf, rewards_NG).max(1)
    lowest_N = np.where(missing_NG, np.inf, rewards_NG).min(1)
    size_N = np.where(missing_NG, 0.0, np.abs(rewards_NG)).max(1)
    is_flat_N = highest_N - lowest_N <= ROUNDING * size_N
    if are_batch_centred:
        is_flat_N = np.full_like(is_flat_N, is_flat_N.all())
    largest_N = np.abs(advantages_NG).max(1)
    is_negligible_NG = np.abs(advantages_NG) <= ROUNDING * largest_N[:, None]
    return np.where(is_flat_N[:, None] | is_negligible_NG, 0.0, advantages_NG).reshape(-1)
