"""Fills a batch of TRL's from the replay buffer, and the buffer from the batch.

Depends on the buffer, on rows (`replay_rows.py`) and on files of buffers; independent of losses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agents.grpo.config import PixelGRPOConfig
from agents.grpo.replay_buffer import ReplayBuffer, effective_sample_size
from agents.grpo.replay_files import read_kept, write_kept
from agents.grpo.replay_rows import Row, rows_to_keep, with_rows
from agents.grpo.rows import loss_mask
from agents.rollout import Rollout
from pixel_env.task import TaskSet
from rewards.advantages import informative


@dataclass(frozen=True, slots=True)
class Filled:
    """A batch with buffered rows instead of those of zero advantage, the rollouts of all rows, and metrics to log."""

    batch: dict[str, Any]
    rollouts: list[Rollout]
    figures: dict[str, float]


class Replay:
    """One process's buffer, and how it fills a batch of TRL's."""

    def __init__(self, buffer: ReplayBuffer[Row], pad_id: int) -> None:
        self._buffer = buffer
        self._pad_id = pad_id

    def fill(
        self, batch: Mapping[str, Any], rollouts: Sequence[Rollout], step: int, rng: np.random.Generator
    ) -> Filled:
        """Reindices rows of zero advantage by buffered ones, as far as there are any, and buffers the other rows.

        Replayed rows were sampled by an earlier policy, so the loss needs old log-probabilities of all rows: those of
        the sampler, where TRL has computed none.
        """
        filled = dict(batch)
        filled.setdefault("old_per_token_logps", batch["sampling_per_token_logps"])
        # A row whose tokens are all masked (TRL's mask_truncated_completions) has no gradient either.
        has_tokens = loss_mask(filled).any(1).float()
        advantages = (torch.nan_to_num(batch["advantages"]).float() * has_tokens).cpu().numpy()
        room = np.flatnonzero(~informative(advantages)).tolist()
        fresh = rows_to_keep(filled, rollouts)
        drawn = self._buffer.draw(len(room), step, rng)
        self._buffer.add(fresh, advantages, step)
        indices = room[: len(drawn)]
        filled = with_rows(filled, indices, [kept.sample for kept in drawn], self._pad_id)
        filled["advantages"], filled["rollout_index"] = batch["advantages"].clone(), batch["rollout_index"].clone()
        for number, (index, kept) in enumerate(zip(indices, drawn, strict=True)):
            filled["advantages"][index] = kept.advantage
            filled["rollout_index"][index] = len(rollouts) + number
        weights = np.abs(torch.nan_to_num(filled["advantages"]).float().cpu().numpy())
        figures = {
            "replay/share": len(drawn) / len(rollouts),
            "replay/age": float(np.mean([step - kept.step for kept in drawn])) if drawn else 0.0,
            "replay/buffered": float(len(self._buffer)),
            "replay/effective_sample_size": effective_sample_size(weights),
        }
        return Filled(filled, [*rollouts, *(kept.sample.rollout for kept in drawn)], figures)

    def save(self, file: Path) -> None:
        """Writes the buffer."""
        write_kept(file, self._buffer.state())

    def load(self, file: Path, task_set: TaskSet) -> None:
        """Restores a buffer that `save` wrote, for a run on `task_set`. Raises ConfigError as `read_kept` does."""
        self._buffer.restore(read_kept(file, task_set))


def buffer_of(args: PixelGRPOConfig) -> ReplayBuffer[Row]:
    """An empty buffer with the settings of the configuration."""
    return ReplayBuffer(args.replay_capacity, args.replay_alpha, args.replay_max_age)
