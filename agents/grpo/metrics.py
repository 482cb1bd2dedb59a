"""Logged metrics of a generation batch, from its trajectories and reward parts.

Averages over one batch, which TRL averages over a logging window. A failed episode says nothing about the policy: it is
counted and in no other figure. A metric without any case in the batch (accuracy of a category that did not occur) is
left out, not zero. Pure functions. Depends on numpy; independent of TRL and processes.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from agents.metrics.trajectories import calls, failed, failures_by_code, played, rapr, stop_reasons
from pixel_env.episode import Stop, Trajectory


def trajectory_metrics(trajectories: Sequence[Trajectory]) -> dict[str, float]:
    """Accuracy, RaPR, calls and call advantage (overall and by category), failures by code, stop reasons, turns.

    `failed_episodes` is their number, and `stops/*` are shares of all; the others are those of the played episodes.
    """
    stops = stop_reasons(trajectories)
    metrics = {f"stops/{stop}": stops.get(stop.value, 0) / len(trajectories) for stop in Stop}
    metrics["failed_episodes"] = float(len(failed(trajectories)))
    counted = played(trajectories)
    if not counted:
        return metrics
    metrics |= _accuracy_and_calls(counted, "")
    for category in sorted({trajectory.task.category for trajectory in counted} - {""}):
        of_category = [trajectory for trajectory in counted if trajectory.task.category == category]
        metrics |= _accuracy_and_calls(of_category, f"/{category}")
    codes = failures_by_code(counted)
    metrics |= {f"failures/{code}": count / len(counted) for code, count in sorted(codes.items())}
    metrics["failures/all"] = sum(codes.values()) / len(counted)
    metrics["turns"] = _mean([len(trajectory.messages) for trajectory in counted])
    return metrics


def part_metrics(parts: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The mean of each part of the group reward over the batch, not weighted; a failed episode (NaN) does not count."""
    scored = {name: values_B[~np.isnan(values_B)] for name, values_B in parts.items()}
    return {f"rewards/{name}": float(np.mean(values)) for name, values in scored.items() if len(values)}


def length_figures(lengths_B3: np.ndarray) -> dict[str, float]:
    """TRL's length metrics; the columns are tokens of the prompt, sampled tokens, and all tokens after the prompt."""
    prompt_B, sampled_B, completion_B = lengths_B3.T.astype(np.float64)
    figures = {"prompts/mean_length": prompt_B.mean(), "completions/mean_length": sampled_B.mean()}
    figures |= {"completions/min_length": sampled_B.min(), "completions/max_length": sampled_B.max()}
    figures["completions/mean_length_with_observations"] = completion_B.mean()
    return {name: float(value) for name, value in figures.items()}


def _accuracy_and_calls(trajectories: Sequence[Trajectory], suffix: str) -> dict[str, float]:
    rewards_B = np.array([trajectory.reward for trajectory in trajectories])
    called_B = np.array([trajectory.valid_operations > 0 for trajectory in trajectories])
    metrics = {
        f"accuracy{suffix}": _mean(rewards_B),
        f"rapr{suffix}": rapr(trajectories),
        f"calls{suffix}": calls(trajectories),
    }
    if called_B.any() and not called_B.all():
        # Accuracy of rollouts with an operation minus that of the others: what a reward for correctness alone follows.
        metrics[f"call_advantage{suffix}"] = _mean(rewards_B[called_B]) - _mean(rewards_B[~called_B])
    return metrics


def _mean(values: Sequence[float] | np.ndarray) -> float:
    return float(np.mean(np.asarray(values, dtype=np.float64)))
