"""A group's reward as named parts, and their weighted sum.

    total(y) = sum over parts k of weight_k * values_k(y)

A group reward is a function from the rollouts of one query to its parts, a mapping from name to array; training logs
and the viewer take their columns from the names. This module checks what the function returns. Depends on trajectories,
the argument of a group reward; independent of training, tokens and files.
"""

import traceback
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, reduce
from numbers import Real
from operator import add
from pathlib import Path

import numpy as np

from pixel_env.episode import Trajectory
from pixel_env.errors import ConfigError, PixelEnvError, one_line, shortened

_LOGGED_SUFFIXES = ("/mean", "/std")
"""TRL logs a reward function as `rewards/<function>/mean` and `/std`; a part is logged as `rewards/<part>`."""
_EXPECTED_RETURN = (
    "Return a mapping from name to array, such as {'correctness': correct_G, 'brevity': RewardPart(short_G, 0.1)}."
)


@dataclass(frozen=True, slots=True, eq=False)
class RewardPart:
    """One part of a group's reward, and its weight.

    `values_G`: one finite number per rollout, shape (G,), in the order of the rollouts. `weight`: its factor in the
    total; a part of weight 0 is logged and shown, but has no effect on training.
    """

    values_G: np.ndarray
    weight: float = 1.0


GroupReward = Callable[[Sequence[Trajectory]], Mapping[str, np.ndarray | RewardPart]]
"""All rollouts of one query, in order -> the parts of their reward by name. A plain array is a part of weight 1."""


@dataclass(frozen=True, slots=True, eq=False)
class GroupRewards:
    """The checked parts of one group by name, in the order in which the reward returned them: float64, shape (G,)."""

    parts: Mapping[str, RewardPart]

    @property
    def total_G(self) -> np.ndarray:
        """What is optimised: the weighted sum of the parts."""
        return reduce(add, (part.weight * part.values_G for part in self.parts.values()))

    def named(self) -> dict[str, np.ndarray]:
        """The values of each part by name, not weighted: what is logged."""
        return {name: part.values_G for name, part in self.parts.items()}


def reward_parts(group_reward: GroupReward, trajectories_G: Sequence[Trajectory]) -> GroupRewards:
    """`group_reward` of one group, checked.

    Raises ConfigError, which names the function and the part, unless it returned at least one part, each with a name
    that can be logged, a finite weight and one finite number per rollout, and a total that is finite. An error in the
    function is a ConfigError that names the task, too.
    """
    function = name_of(group_reward)
    with raised_by(f"The group reward {function}", [trajectories_G[0].task.task_id]):
        returned = group_reward(trajectories_G)
    if not isinstance(returned, Mapping):
        value = "" if returned is None else f" ({shortened(returned)})"
        raise ConfigError(f"The group reward {function} returned {_kind(returned)}{value}. {_EXPECTED_RETURN}")
    if not len(returned):
        raise ConfigError(f"The group reward {function} returned no part. {_EXPECTED_RETURN}")
    names = list(returned)
    _check_names(names, function)
    rollouts = len(trajectories_G)
    rewards = GroupRewards({name: _checked(name, returned[name], rollouts, function) for name in names})
    with np.errstate(over="ignore", invalid="ignore"):
        if not np.all(np.isfinite(rewards.total_G)):
            raise ConfigError(
                f"The weighted sum of the parts of the group reward {function} is not finite, though each part is: "
                "the numbers are too large. Lower the weights or the values."
            )
    return rewards


def check_same_names(rewards: GroupRewards, expected: Sequence[str], group_reward: GroupReward) -> None:
    """Raises ConfigError if a group's parts are not the `expected` ones, those of the groups before it."""
    if set(rewards.parts) != set(expected):
        raise ConfigError(
            f"The group reward {name_of(group_reward)} returned the parts {_listed(expected)} for one group and "
            f"{_listed(rewards.parts)} for another. Return the same parts for every group; where a part does not "
            "apply, return zeros for it."
        )


@contextmanager
def raised_by(function: str, task_ids: Sequence[str]) -> Iterator[None]:
    """A context in which an error of a user's function becomes a ConfigError that names it, its line and the tasks."""
    try:
        yield
    except PixelEnvError:
        raise
    except (Exception, SystemExit) as error:  # code of the user's own: any error may come
        frame = traceback.extract_tb(error.__traceback__)[-1]
        more = f" and {len(task_ids) - 1} more" if len(task_ids) > 1 else ""
        tasks = f" for the task {task_ids[0]!r}{more}" if task_ids else ""
        raise ConfigError(
            f"{function} raised {type(error).__name__}: {one_line(error)} ({Path(frame.filename).name}, line "
            f"{frame.lineno}){tasks}. Correct the function."
        ) from error


def name_of(group_reward: GroupReward) -> str:
    """The function as a user would name it: 'module:function', or the type of an object that can be called."""
    function = group_reward.func if isinstance(group_reward, partial) else group_reward
    name = getattr(function, "__qualname__", type(function).__qualname__)
    return f"'{function.__module__}:{name}'"


def _check_names(names: Sequence[object], function: str) -> None:
    seen: dict[str, str] = {}
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise ConfigError(f"The group reward {function} returned a part named {name!r}. Give it a name, as text.")
        if not name.isprintable() or name != name.strip():
            raise ConfigError(
                f"The group reward {function} returned a part named {name!r}. Part names are written into logs and "
                "column titles: use printable characters, without spaces around them."
            )
        if name.endswith(_LOGGED_SUFFIXES):
            raise ConfigError(
                f"The group reward {function} returned a part named {name!r}; it would be logged as 'rewards/{name}', "
                "a name of the form that TRL uses for reward functions. Choose a name that does not end in "
                f"{' or '.join(map(repr, _LOGGED_SUFFIXES))}."
            )
        normalised = unicodedata.normalize("NFKC", name).casefold()
        if normalised in seen:
            raise ConfigError(
                f"The group reward {function} returned two parts with the same name, up to case and Unicode form: "
                f"{seen[normalised]!r} and {name!r}. Give each part a different name."
            )
        seen[normalised] = name


def _checked(name: str, given: object, rollouts: int, function: str) -> RewardPart:
    """The part as a float64 copy: a function may reuse its array for the next group."""
    values_G, weight = (given.values_G, given.weight) if isinstance(given, RewardPart) else (given, 1.0)
    part = f"The {name!r} part of the group reward {function}"
    if not isinstance(weight, Real) or not np.isfinite(float(weight)):
        raise ConfigError(f"{part} has the weight {weight!r}; wanted: a finite number.")
    if not isinstance(values_G, np.ndarray) or isinstance(values_G, np.ma.MaskedArray):
        raise ConfigError(
            f"{part} is {_kind(values_G)}; wanted: a numpy array of shape ({rollouts},). Return np.array(...)."
        )
    if values_G.dtype.kind not in "biuf":
        raise ConfigError(f"{part} is an array of {values_G.dtype}; wanted: real numbers, such as float64.")
    if values_G.shape != (rollouts,):
        raise ConfigError(
            f"{part} has shape {values_G.shape}; wanted: ({rollouts},), one number for each of the {rollouts} rollouts."
        )
    checked_G = np.array(values_G, dtype=np.float64)
    if not np.all(np.isfinite(checked_G)):
        first = int(np.flatnonzero(~np.isfinite(checked_G))[0])
        raise ConfigError(
            f"{part} holds {checked_G[first]} for rollout {first}; wanted: finite numbers. Return 0 where the part "
            "does not apply."
        )
    return RewardPart(checked_G, float(weight))


def _kind(value: object) -> str:
    if value is None:
        return "None"
    return f"an array of shape {value.shape}" if type(value) is np.ndarray else f"a {type(value).__name__}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
