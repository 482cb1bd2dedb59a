"""Correctness: the grade of each answer, as the environment gave it.

Depends on trajectories; independent of graders (`pixel_env/grading/`) and of shaping.
"""

from collections.abc import Sequence

import numpy as np

from pixel_env.episode import Trajectory, operations_spent


def correctness(trajectories_G: Sequence[Trajectory]) -> np.ndarray:
    """r(x, y) of each rollout of the group: float64, shape (G,), 0 to 1; 0 without an answer."""
    return np.array([trajectory.reward for trajectory in trajectories_G], dtype=np.float64)


def correctness_after_executed_calls(trajectories_G: Sequence[Trajectory]) -> np.ndarray:
    """r(x, y), but 0 for a rollout whose last call before its answer was refused: the mistake was not corrected."""
    uncorrected_G = np.array([_last_call_was_refused(trajectory) for trajectory in trajectories_G], dtype=bool)
    return np.where(uncorrected_G, 0.0, correctness(trajectories_G))


def _last_call_was_refused(trajectory: Trajectory) -> bool:
    calls = [turn for turn in trajectory.turns if operations_spent(turn.action)]
    return bool(calls) and calls[-1].failure is not None
