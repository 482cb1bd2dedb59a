"""The curiosity bonus: pays for operations while a query's rollouts rarely use them.

Knows which rollouts of a group used an operation that was executed. Knows nothing of trajectories. Constants:
arXiv 2505.15966, as the authors' verl-tool port states them (H 0.3, alpha 0.5).
"""

import numpy as np

PAPER_THRESHOLD = 0.3
"""H: from this share of rollouts with an operation on, there is no bonus."""
PAPER_WEIGHT = 0.5
"""alpha."""


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
