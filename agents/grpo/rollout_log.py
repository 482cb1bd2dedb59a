"""What a generation of GRPO keeps in `rollouts.jsonl`: the rollouts of all processes, and those that were replayed.

Depends on TRL's batch, on rollouts and on the file (`agents/run_log/rollouts.py`); independent of how rewards are made.
"""

from collections.abc import Mapping, MutableSequence, Sequence
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object

from agents.grpo.rows import loss_mask, moving
from agents.rollout import Rollout
from agents.run_log.rollouts import RolloutLog, Scored, token_runs, use_of
from pixel_env.episode import Trajectory, with_images_named


class GenerationLog:
    """Keeps rollouts of a generation, once they are scored.

    `filters`: whether rows of zero advantage are left out of the update; `reward_names`, `reward_weights`: TRL's, of
    the columns of its reward matrix.
    """

    def __init__(self, log: RolloutLog, accelerator: Accelerator, *, filters: bool) -> None:
        self._log = log
        self._accelerator = accelerator
        self._filters = filters
        self._trajectories: Sequence[Trajectory] = ()
        self._rewards_BF: np.ndarray = np.zeros((0, 0))
        self._parts: Mapping[str, np.ndarray] = {}
        self._weights: Mapping[str, float] = {}

    def scored(
        self,
        trajectories: Sequence[Trajectory],
        rewards: torch.Tensor,
        parts: Mapping[str, np.ndarray],
        weights: Mapping[str, float],
    ) -> None:
        """The rollouts of all processes with TRL's matrix of rewards, and the parts of their group reward."""
        self._trajectories, self._parts, self._weights = trajectories, parts, weights
        self._rewards_BF = rewards.detach().float().cpu().numpy()

    def name_prompts(self, logged: MutableSequence[Any]) -> None:
        """Replaces the last of TRL's logged prompts, which are indices of tasks, by what the model was asked."""
        for index, trajectory in enumerate(reversed(self._trajectories[-len(logged) :]), start=1):
            logged[-index] = [{"role": "user", "content": with_images_named(trajectory.prompt.text)}]

    def keep(
        self,
        batch: Mapping[str, Any],
        filled: Mapping[str, Any],
        rollouts: Sequence[Rollout],
        *,
        kind: str,
        steps: tuple[int, int],
        size: int,
        names: Sequence[str],
        weights: torch.Tensor,
    ) -> None:
        """Appends the rollouts of this generation, if it is one that is kept. All processes call it.

        `batch`: this process's, as generated; `filled`: the same with replayed rows; `rollouts`: this process's, with
        the replayed ones behind; `steps`: the first and the last optimizer step that it trains; `size`: rollouts of a
        question; `names`, `weights`: of the columns of the rewards.
        """
        if not self._log.is_due(kind, *steps):
            return
        own = rollouts[: len(batch["advantages"])]
        tokens = gather_object([(len(one.prompt_ids), token_runs(one.sampled)) for one in own])
        advantages_B = self._accelerator.gather(batch["advantages"]).float().cpu()
        loss_tokens_B = self._accelerator.gather(loss_mask(dict(batch)).sum(1)).cpu()
        if not self._accelerator.is_main_process:
            return
        moves_B = moving(advantages_B) if self._filters else torch.ones_like(advantages_B, dtype=torch.bool)
        totals_B = np.nansum(self._rewards_BF * weights.float().cpu().numpy(), axis=1)
        count = min(len(self._trajectories), self._log.groups * size)
        kept, scores = list(self._trajectories[:count]), []
        for index, trajectory in enumerate(kept):
            use = use_of(
                trajectory,
                is_training=kind == "train",
                moves=bool(moves_B[index]),
                loss_tokens=int(loss_tokens_B[index]),
            )
            prompt_tokens, runs = tokens[index]
            functions = dict(zip(names, map(_finite, self._rewards_BF[index]), strict=True))
            all_weights = {**dict(zip(names, weights.tolist(), strict=True)), **self._weights}
            scores.append(
                Scored(
                    use,
                    None if use == "failed" else float(totals_B[index]),
                    float(advantages_B[index]),
                    functions,
                    {name: float(values_B[index]) for name, values_B in self._parts.items() if use != "failed"},
                    all_weights,
                    prompt_tokens,
                    runs,
                    int(loss_tokens_B[index]),
                )
            )
        replayed = _replayed(filled, rollouts, len(own))[:size]
        self._log.keep(
            kind, steps[0], [*kept, *(one for one, _ in replayed)], [*scores, *(score for _, score in replayed)], size
        )


def _replayed(filled: Mapping[str, Any], rollouts: Sequence[Rollout], fresh: int) -> list[tuple[Trajectory, Scored]]:
    """The rollouts of earlier steps that this process's batch holds."""
    found = []
    loss_tokens_B = loss_mask(dict(filled)).sum(1)
    for row, index in enumerate(filled["rollout_index"].tolist()):
        if index < fresh:
            continue
        one = rollouts[index]
        score = Scored(
            "replayed",
            None,
            float(filled["advantages"][row]),
            prompt_tokens=len(one.prompt_ids),
            runs=token_runs(one.sampled),
            loss_tokens=int(loss_tokens_B[row]),
        )
        found.append((one.trajectory, score))
    return found


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
