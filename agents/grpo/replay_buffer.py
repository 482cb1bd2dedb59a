"""Selective sample replay: keeps samples of non-zero advantage for later steps and draws them by advantage.

After VL-Rethinker (arXiv 2504.08837, section 3.2): samples of zero advantage leave the batch, and earlier ones of
non-zero advantage replace them.

    P(first draw is i) = |A_i|^alpha / sum over j of |A_j|^alpha      over buffered samples j of earlier steps
    further draws      = the same without the samples already drawn: no sample twice in a step
    alpha = 0: uniform; alpha = 1: proportional to |A_i|; the larger alpha, the more the largest |A_i| are preferred

A_i is the advantage that the sample had when it was added; it is not computed again. Depends on numbers and steps;
independent of what a sample is, and of tensors, trainers and images.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from rewards.advantages import informative

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """A sample with the advantage that it had, and the step whose policy sampled it."""

    sample: T
    advantage: float
    step: int


class ReplayBuffer(Generic[T]):
    """At most `capacity` samples, the oldest dropped first, none older than `max_age` steps when drawn."""

    def __init__(self, capacity: int, alpha: float, max_age: int) -> None:
        self.alpha = alpha
        self.max_age = max_age
        self._kept: deque[Kept[T]] = deque(maxlen=capacity)
        self._drawn: tuple[int, set[int]] = (-1, set())

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, samples: Sequence[T], advantages: np.ndarray, step: int) -> None:
        """Keep the samples of non-zero advantage; `advantages` has shape (len(samples),)."""
        for index in np.flatnonzero(informative(advantages)).tolist():
            self._kept.append(Kept(samples[index], float(advantages[index]), step))

    def draw(self, count: int, step: int, rng: np.random.Generator) -> list[Kept[T]]:
        """At most `count` different samples of earlier steps, each with probability ~ |advantage| ** alpha.

        None is drawn twice at one step, however many batches a step has.
        """
        self.forget(step)
        drawn = self._drawn[1] if self._drawn[0] == step else set()
        earlier = [kept for kept in self._kept if kept.step < step and id(kept) not in drawn]
        if not earlier or count < 1:
            return []
        weights = np.abs([kept.advantage for kept in earlier]) ** self.alpha
        indices = rng.choice(len(earlier), min(count, len(earlier)), replace=False, p=weights / weights.sum())
        chosen = [earlier[index] for index in indices]
        self._drawn = (step, drawn | {id(kept) for kept in chosen})
        return chosen

    def forget(self, step: int) -> None:
        """Drop samples that are older than `max_age` steps at `step`."""
        while self._kept and step - self._kept[0].step > self.max_age:
            self._kept.popleft()

    def state(self) -> list[Kept[T]]:
        """All kept samples, the oldest first, for a checkpoint."""
        return list(self._kept)

    def restore(self, state: Sequence[Kept[T]]) -> None:
        """Replace the samples by the `state` of another buffer."""
        self._kept.clear()
        self._kept.extend(state)


def effective_sample_size(weights: Any) -> float:
    """Kish's n_eff = (sum of w_i)^2 / sum of w_i^2 over weights w_i >= 0; 0 if all are 0.

    n samples of equal weight have n_eff = n; one sample that outweighs all others has n_eff = 1.
    """
    weights = np.asarray(weights, dtype=np.float64)
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0
