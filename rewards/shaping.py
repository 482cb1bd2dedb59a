"""The method's reward, and the presets of its parts.

    r'(x, y) = r(x, y) + alpha * max(H - RaPR(x), 0) * 1[y used an operation] + beta * min(N - n_vo(y), 0)

That is `paper`; `released-code` is what the authors' code computes instead. Depends on the trajectories of one query;
independent of processes, tokens and TRL. Your own reward is a function with the type `GroupReward` (`parts.py`), given
as 'module:function' or as the function itself:

    def paper_and_brevity(trajectories_G):
        turns_G = np.array([len(trajectory.turns) for trajectory in trajectories_G])
        return {**paper(trajectories_G), "brevity": RewardPart(-turns_G, weight=0.01)}
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pixel_env.episode import Trajectory
from pixel_env.errors import UnknownNameError
from pixel_env.import_callable import imported_callable
from rewards import curiosity, penalty
from rewards.correctness import correctness, correctness_after_executed_calls
from rewards.curiosity import curiosity_bonus, released_curiosity_bonus
from rewards.parts import GroupReward, GroupRewards, RewardPart, reward_parts
from rewards.penalty import efficiency_penalty


@dataclass(frozen=True, slots=True, eq=False)
class RewardParts(Mapping[str, np.ndarray]):
    """The three parts of the method's reward: a mapping from name to array, float64 of shape (G,), also as attributes.

    A reward with other parts returns any mapping, such as a dict; see `GroupReward`.
    """

    correctness_G: np.ndarray
    curiosity_G: np.ndarray
    penalty_G: np.ndarray

    @property
    def total_G(self) -> np.ndarray:
        """What is optimised: the sum of the parts."""
        return self.correctness_G + self.curiosity_G + self.penalty_G

    def named(self) -> dict[str, np.ndarray]:
        """The parts by the names under which they are logged."""
        return {"correctness": self.correctness_G, "curiosity": self.curiosity_G, "penalty": self.penalty_G}

    def __getitem__(self, name: str) -> np.ndarray:
        return self.named()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.named())

    def __len__(self) -> int:
        return len(self.named())


def shaped_reward(
    trajectories_G: Sequence[Trajectory],
    *,
    threshold: float,
    curiosity_weight: float,
    allowed: int,
    penalty_weight: float,
) -> RewardParts:
    """The method's reward with these constants: H, alpha, N and beta.

    An operation that was refused earns no bonus and does not count in RaPR, but counts in n_vo.
    """
    valid_G = np.array([trajectory.valid_operations > 0 for trajectory in trajectories_G])
    operations_G = np.array([trajectory.operations for trajectory in trajectories_G])
    return RewardParts(
        correctness_G=correctness(trajectories_G),
        curiosity_G=curiosity_bonus(valid_G, threshold=threshold, weight=curiosity_weight),
        penalty_G=efficiency_penalty(operations_G, allowed=allowed, weight=penalty_weight),
    )


def paper(trajectories_G: Sequence[Trajectory]) -> RewardParts:
    """H 0.3, alpha 0.5, N 1, beta 0.05."""
    return shaped_reward(
        trajectories_G,
        threshold=curiosity.PAPER_THRESHOLD,
        curiosity_weight=curiosity.PAPER_WEIGHT,
        allowed=penalty.PAPER_ALLOWED,
        penalty_weight=penalty.PAPER_WEIGHT,
    )


def released_code(trajectories_G: Sequence[Trajectory]) -> RewardParts:
    """The reward of the authors' code (`experience_maker.py`, lines 2405 to 2468), which is not the paper's.

    The bonus is `released_curiosity_bonus`; the penalty is the paper's; a right answer after a refused call scores 0.
    Refused calls count as operations: they earn the bonus, and count in RaPR and in n_vo. Two bugs of the code are not
    reproduced: it took the flags "last call was refused" of every query from the first query of the process, and its
    judge gave -1 to an answer that it could not parse (here 0, as for any wrong one).
    """
    operations_G = np.array([trajectory.operations for trajectory in trajectories_G])
    is_video = trajectories_G[0].task.media == "video"
    return RewardParts(
        correctness_G=correctness_after_executed_calls(trajectories_G),
        curiosity_G=released_curiosity_bonus(operations_G > 0, is_video=is_video),
        penalty_G=efficiency_penalty(operations_G),
    )


def correctness_only(trajectories_G: Sequence[Trajectory]) -> RewardParts:
    """Only the grade of the answer: the arm without curiosity and penalty."""
    none_G = np.zeros(len(trajectories_G))
    return RewardParts(correctness(trajectories_G), none_G, none_G)


@dataclass(frozen=True, slots=True)
class Preset:
    """A named group reward, with one line for help texts and documentation."""

    reward: GroupReward
    description: str


PRESETS: dict[str, Preset] = {
    "paper": Preset(paper, "correctness, the paper's curiosity bonus and its penalty on operations after the first"),
    "released-code": Preset(
        released_code, "the reward of the authors' code: another bonus, and refused calls count as operations"
    ),
    "correctness": Preset(correctness_only, "only the grade of the answer, without curiosity and penalty"),
}
"""The named group rewards. Listing them imports neither torch nor TRL."""


def group_reward_named(name: str) -> GroupReward:
    """The preset called `name`, or the function 'module:function'; the working folder is searched too.

    Raises UnknownNameError for an unknown preset, and ConfigError for a function that cannot be loaded.
    """
    if ":" not in name:
        if name not in PRESETS:
            raise UnknownNameError.among("group reward", name, PRESETS, "Your own is given as 'module:function'.")
        return PRESETS[name].reward
    return imported_callable(name, "group reward")


__all__ = [
    "PRESETS",
    "GroupReward",
    "GroupRewards",
    "Preset",
    "RewardPart",
    "RewardParts",
    "correctness_only",
    "group_reward_named",
    "paper",
    "released_code",
    "reward_parts",
    "shaped_reward",
]
