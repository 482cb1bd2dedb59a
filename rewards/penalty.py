"""The efficiency penalty: a small cost for every operation after the first `allowed` ones.

    penalty(y) = beta * min(N - n_vo(y), 0)        n_vo(y): operations of rollout y; the paper: N = 1, beta = 0.05

Depends on counts; independent of trajectories. Constants: arXiv 2505.15966, as the authors' verl-tool port states them.
"""

import numpy as np

PAPER_ALLOWED = 1
"""N: the number of operations without penalty."""
PAPER_WEIGHT = 0.05
"""beta."""


def efficiency_penalty(
    operations_G: np.ndarray, *, allowed: int = PAPER_ALLOWED, weight: float = PAPER_WEIGHT
) -> np.ndarray:
    """`weight * min(allowed - n_vo, 0)`, never positive; shape (G,).

    `operations_G`: the operations that each rollout spent, refused ones included, so that spamming is never free.
    """
    return weight * np.minimum(allowed - np.asarray(operations_G, dtype=np.float64), 0.0)
