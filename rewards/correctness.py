"""Correctness: the grade of each answer, as the environment gave it.

Knows trajectories. Knows nothing of graders (`pixel_env/grading.py`) or of shaping.
"""

from collections.abc import Sequence

import numpy as np

from pixel_env.types import Trajectory


def correctness(trajectories_G: Sequence[Trajectory]) -> np.ndarray:
    """r(x, y) of each rollout of the group: float64, shape (G,), 0 to 1; 0 without an answer."""
    return np.array([trajectory.reward for trajectory in trajectories_G], dtype=np.float64)
