"""Answers with and without an operation: how many episodes gave one, and how many of those are right.

Depends on trajectories; independent of regions and files.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pixel_env.episode import Stop, Trajectory


@dataclass(frozen=True, slots=True)
class Answered:
    """`right` of `graded` answers have the full grade; `n` answers in all, those without a reference included."""

    n: int
    graded: int
    right: int


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of a group of episodes; `unanswered`: the episodes that ended without one."""

    with_operation: Answered
    without_operation: Answered
    unanswered: int


def answers_of(trajectories: Sequence[Trajectory]) -> Answers:
    """The answers of the episodes."""
    answered = [one for one in trajectories if one.stop is Stop.ANSWERED]
    return Answers(
        _answered([one for one in answered if has_operation(one)]),
        _answered([one for one in answered if not has_operation(one)]),
        len(trajectories) - len(answered),
    )


def has_operation(trajectory: Trajectory) -> bool:
    """Whether an operation was executed; where the images are not known, whether one was requested."""
    return (trajectory.valid_operations if trajectory.task.sources else trajectory.operations) > 0


def _answered(trajectories: Sequence[Trajectory]) -> Answered:
    graded = [one for one in trajectories if one.task.answers]
    return Answered(len(trajectories), len(graded), sum(one.reward == 1.0 for one in graded))
