"""The curiosity bonus: rewards operations while a query's rollouts rarely use them.

    RaPR(x)     = (1 / G) * sum over the G rollouts y of x of u(y),  u(y) = 1 if y used an operation, else 0
    bonus(x, y) = alpha * max(H - RaPR(x), 0) * u(y)                            the paper: H = 0.3, alpha = 0.5
    released    = 0.25 * max(0.3 - RaPR(x), 0) / (d * RaPR(x)) * u(y)           the released code: d = 2, video 1.5

The group as a whole receives G * alpha * RaPR * (H - RaPR): nothing at RaPR = 0, most at H / 2, nothing from H on. A
policy that never uses an operation gets no gradient from it: the warm start has to use operations.

Depends on which rollouts of a group used an operation; independent of trajectories. Constants of the paper: arXiv
2505.15966, as the authors' verl-tool port states them; of the released code: its `experience_maker.py`.
"""

import numpy as np

PAPER_THRESHOLD = 0.3
"""H: no bonus if at least this share of the rollouts uses an operation."""
PAPER_WEIGHT = 0.5
"""alpha."""
RELEASED_WEIGHT = 0.25
RELEASED_IMAGE_DIVISOR = 2.0
RELEASED_VIDEO_DIVISOR = 1.5
"""A video's bonus is larger: its frames are selected more rarely than images are cropped."""


def rapr(valid_G: np.ndarray) -> float:
    """RaPR(x), the rate of pixel-space reasoning: the share of the query's rollouts that used an operation validly."""
    return float(np.mean(valid_G))


def curiosity_bonus(
    valid_G: np.ndarray, *, threshold: float = PAPER_THRESHOLD, weight: float = PAPER_WEIGHT
) -> np.ndarray:
    """`weight * max(threshold - RaPR, 0)` for each rollout that used an operation validly, else 0; shape (G,).

    `valid_G`: bool, one entry per rollout of the query. A refused call is no use of an operation: it earns nothing and
    does not count in RaPR.
    """
    valid_G = np.asarray(valid_G, dtype=bool)
    return weight * max(threshold - rapr(valid_G), 0.0) * valid_G.astype(np.float64)


def released_curiosity_bonus(used_G: np.ndarray, *, is_video: bool) -> np.ndarray:
    """`0.25 * max(0.3 - RaPR, 0) / (d * RaPR)` for each rollout that used an operation, else 0; shape (G,).

    d is 1.5 for a video and 2 for anything else. `used_G`: bool, one entry per rollout of the query; refused calls
    count as uses here. The sum over the group depends on RaPR alone and is divided among the rollouts with an
    operation: 1 of 8 gets 0.175 for an image (1 of 16 gets 0.475, above the maximum of 0.25 in the code's own comment).
    """
    used_G = np.asarray(used_G, dtype=bool)
    if not used_G.any():  # RaPR is 0: no rollout receives the bonus
        return np.zeros(used_G.shape)
    divisor = RELEASED_VIDEO_DIVISOR if is_video else RELEASED_IMAGE_DIVISOR
    rate = rapr(used_G)
    return RELEASED_WEIGHT * max(PAPER_THRESHOLD - rate, 0.0) / (divisor * rate) * used_G.astype(np.float64)
