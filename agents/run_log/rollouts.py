"""`rollouts.jsonl` of a training run: whole rollouts of some questions, every few steps, with their rewards.

A row is that of the trajectory (`pixel_env/store.py`: images are references) with

    step          the optimizer step that trains it; of held-out rollouts the step that they were played at
    kind          "train" or "eval"
    group         number of its question within what was kept at this step, from 0; null for a replayed rollout
    sample        its number among the rollouts of the question, from 0
    use           "trained", "filtered" (advantage 0), "masked" (no token is in the loss), "replayed" (an earlier one in
                  the place of a filtered one), "failed" (by an error) or "played" (held-out)
    parts         the parts of its group reward by name, not weighted
    functions     the values of the reward functions by name, the group reward among them ("group_reward")
    weights       the weights of the parts and of the functions
    total         the reward: the weighted sum of the functions; null for a failed episode
    advantage     that of the update
    prompt_tokens tokens of the opening prompt
    runs          token counts after it, alternately sampled and not sampled, a sampled run first
    loss_tokens   tokens that the loss counts

Depends on trajectories and JSONL files; independent of trainers and tensors.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from agents.run_log.appending import Appender
from agents.run_log.log import cut_at
from pixel_env.episode import Stop, Trajectory
from pixel_env.store import row_of

ROLLOUTS = "rollouts.jsonl"
MAX_BYTES = 500 * 10**6
"""No further rollouts are kept in a file of this size."""
Use = Literal["trained", "filtered", "masked", "replayed", "failed", "played"]


@dataclass(frozen=True, slots=True)
class Scored:
    """How a rollout was scored, and what the update does with it. The fields are those of its row."""

    use: Use
    total: float | None
    advantage: float
    functions: Mapping[str, float | None] = field(default_factory=dict)
    parts: Mapping[str, float] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    prompt_tokens: int = 0
    runs: tuple[int, ...] = ()
    loss_tokens: int = 0


def token_runs(sampled: Sequence[bool]) -> tuple[int, ...]:
    """Lengths of the runs of equal marks, a run of True first: (True, True, False) -> (2, 1), (False,) -> (0, 1)."""
    runs = [len(list(run)) for _, run in groupby(sampled)]
    return tuple(runs) if not sampled or sampled[0] else (0, *runs)


def use_of(trajectory: Trajectory, *, is_training: bool, moves: bool, loss_tokens: int) -> Use:
    """What the update does with a rollout; `moves`: its advantage is not zero."""
    if trajectory.stop is Stop.FAILED:
        return "failed"
    if not is_training:
        return "played"
    if not moves:
        return "filtered"
    return "trained" if loss_tokens else "masked"


Show = Callable[[str, int, Sequence[Trajectory], Sequence[Scored]], None]


class RolloutLog:
    """`rollouts.jsonl` in `folder`: the first `groups` questions of a batch, every `every` steps (0: never)."""

    def __init__(self, folder: Path, every: int, groups: int) -> None:
        self._file = Appender(folder / ROLLOUTS, max_bytes=MAX_BYTES)
        self._every = every
        self.groups = groups
        self._asked: set[tuple[str, int]] = set()
        self.show: Show | None = None
        """Also called with what is kept: kind, step, trajectories and scores."""

    def is_due(self, kind: str, step: int, last: int) -> bool:
        """Whether rollouts that train the steps `step` to `last` are kept: step 1, and every `every`-th.

        Of an evaluation the first batch is kept, whatever its step. True once for a step, in every process.
        """
        if not self._every or (kind, step) in self._asked:
            return False
        self._asked.add((kind, step))
        return kind == "eval" or step == 1 or last // self._every > (step - 1) // self._every

    def keep(
        self, kind: str, step: int, trajectories: Sequence[Trajectory], scored: Sequence[Scored], size: int
    ) -> None:
        """Appends the rollouts of a step: whole groups of `size` in order, then the replayed ones."""
        rows = []
        for index, (trajectory, score) in enumerate(zip(trajectories, scored, strict=True)):
            is_replayed = score.use == "replayed"
            number = {"group": None if is_replayed else index // size, "sample": index if is_replayed else index % size}
            rows.append({**row_of(trajectory), "step": step, "kind": kind, **number, **asdict(score)})
        self._file.append(rows)
        if self.show is not None:
            self.show(kind, step, trajectories, scored)

    def forget(self) -> None:
        """Steps may be played again: a training begins."""
        self._asked.clear()


def resume_rollouts(folder: Path, step: int, *, is_evaluated: bool) -> None:
    """Leaves in the file what was kept when the checkpoint of `step` was saved.

    `is_evaluated`: the model was evaluated at this step before it was saved.
    """

    def is_beyond(row: Mapping[str, Any]) -> bool:
        is_later_evaluation = row["kind"] == "eval" and row["step"] == step and not is_evaluated
        return is_later_evaluation or bool(row["step"] > step)

    try:
        cut_at(folder / ROLLOUTS, is_beyond)
    except OSError as error:
        print(f"pixel-env: {folder / ROLLOUTS} cannot be written ({error.strerror}).", file=sys.stderr, flush=True)
