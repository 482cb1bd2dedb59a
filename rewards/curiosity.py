"""The curiosity bonus: pays for operations while a query's rollouts rarely use them.

Knows which rollouts of a group used an operation. Knows nothing of trajectories. Constants of the paper: arXiv
2505.15966, as the authors' verl-tool port states them (H 0.3, alpha 0.5); of the released code: its
`experience_maker.py`, which computes another bonus.
"""

import numpy as np

PAPER_THRESHOLD = 0.3
"""H: from this share of rollouts with an operation on, there is no bonus."""
PAPER_WEIGHT = 0.5
"""alpha."""
RELEASED_WEIGHT = 0.25
RELEASED_IMAGE_DIVISOR = 2.0
RELEASED_VIDEO_DIVISOR = 1.5
"""A video's bonus is larger: its frames are looked at more rarely."""


def rapr(valid_G: np.ndarray) -> float:
    """RaPR(x), the rate of pixel-space reasoning: the share of the query's rollouts that used an operation validly."""
    return float(np.mean(valid_G))


def curiosity_bonus(
    valid_G: np.ndarray, *, threshold: float = PAPER_THRESHOLD, weight: float = PAPER_WEIGHT
) -> np.ndarray:
    """`weight * max(threshold - RaPR, 0)` for each rollout that used an operation validly, else 0; shape (G,).

    `valid_G`: bool, one entry per rollout of the query. A refused call is not an entry: it earns nothing and does not
    count in RaPR.
    """
    valid_G = np.asarray(valid_G, dtype=bool)
    return weight * max(threshold - rapr(valid_G), 0.0) * valid_G.astype(np.float64)


def released_curiosity_bonus(used_G: np.ndarray, *, is_video: bool) -> np.ndarray:
    """`0.25 * max(0.3 - RaPR, 0) / (d * RaPR)` for each rollout that used an operation, else 0; shape (G,).

    d is 1.5 for a video and 2 for anything else. `used_G`: bool, one entry per rollout of the query; refused calls are
    entries here and count in RaPR. What the group gets in all depends on RaPR alone, and its callers share it: one of
    8 gets 0.175 for an image (0.25, which the code's own comment calls the maximum, is exceeded with 1 of 16: 0.475).
    """
    used_G = np.asarray(used_G, dtype=bool)
    if not used_G.any():  # nobody to share it: RaPR is 0
        return np.zeros(used_G.shape)
    divisor = RELEASED_VIDEO_DIVISOR if is_video else RELEASED_IMAGE_DIVISOR
    rate = rapr(used_G)
    return RELEASED_WEIGHT * max(PAPER_THRESHOLD - rate, 0.0) / (divisor * rate) * used_G.astype(np.float64)
