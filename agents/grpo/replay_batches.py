"""Moves rows of TRL's batch into and out of the replay buffer: stored unpadded, padded together for training.

A stored row is token ids, values per token and the rollout, whose images are references: kilobytes, whatever the size
of the images. Depends on the columns of TRL's batch dictionary; independent of losses.
"""

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agents.grpo.config import PixelGRPOConfig
from agents.grpo.replay_buffer import ReplayBuffer, effective_sample_size
from agents.grpo.rows import loss_mask
from agents.rollout import Rollout
from pixel_env.errors import ConfigError
from rewards.advantages import informative

_LEFT = ("prompt_ids", "prompt_mask")
_RIGHT = (
    "completion_ids",
    "completion_mask",
    "tool_mask",
    "old_per_token_logps",
    "sampling_per_token_logps",
    "ref_per_token_logps",
    "importance_sampling_ratio",
)
_OTHER = ("advantages", "num_items_in_batch", "rollout_index")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a batch without padding, on the CPU: one-dimensional tensors by column, and its rollout."""

    rollout: Rollout
    columns: Mapping[str, torch.Tensor]


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
        partial = file.with_suffix(".partial")
        partial.write_bytes(pickle.dumps(self._buffer.state()))
        partial.replace(file)

    def load(self, file: Path) -> None:
        """Restores a buffer that `save` wrote. Raises ConfigError if the file is missing."""
        if not file.exists():
            raise ConfigError(
                f"{file} is missing: this checkpoint was made without replay, or with another number of processes. "
                "Resume with the same settings, or set replay_capacity to 0."
            )
        self._buffer.restore(pickle.loads(file.read_bytes()))


def buffer_of(args: PixelGRPOConfig) -> ReplayBuffer[Row]:
    """An empty buffer with the settings of the configuration."""
    return ReplayBuffer(args.replay_capacity, args.replay_alpha, args.replay_max_age)


def rows_to_keep(batch: Mapping[str, Any], rollouts: Sequence[Rollout]) -> list[Row]:
    """Every row of `batch`; `rollouts[i]` is that of row i. Raises KeyError for a column that is not known here."""
    _check_columns(batch)
    rows = []
    for index, rollout in enumerate(rollouts):
        columns = {name: batch[name][index, -len(rollout.prompt_ids) :].cpu().clone() for name in _LEFT}
        for name in _RIGHT:
            if name in batch:  # a ratio of whole sequences has one column, whatever the length
                columns[name] = batch[name][index, : len(rollout.completion_ids)].cpu().clone()
        rows.append(Row(rollout, columns))
    return rows


def with_rows(batch: Mapping[str, Any], indices: Sequence[int], rows: Sequence[Row], pad_id: int) -> dict[str, Any]:
    """`batch` with `rows` at `indices`, padded to the longest of all. Advantages are the caller's to set."""
    _check_columns(batch)
    merged = dict(batch)
    for name in (*_LEFT, *_RIGHT):
        if name not in batch:
            continue
        width = max([batch[name].shape[1], *(len(row.columns[name]) for row in rows)])
        column = _widened(batch[name], width, _padding(name, pad_id), left=name in _LEFT)
        for index, row in zip(indices, rows, strict=True):
            values = row.columns[name].to(column.device)
            column[index] = _padding(name, pad_id)
            span = slice(width - len(values), width) if name in _LEFT else slice(0, len(values))
            column[index, span] = values
        merged[name] = column
    return merged


def _widened(column: torch.Tensor, width: int, value: int, *, left: bool) -> torch.Tensor:
    missing = width - column.shape[1]
    return torch.nn.functional.pad(column, (missing, 0) if left else (0, missing), value=value).clone()


def _padding(name: str, pad_id: int) -> int:
    if name in ("prompt_ids", "completion_ids"):
        return pad_id
    return int(name in ("tool_mask", "importance_sampling_ratio"))  # as TRL pads them


def _check_columns(batch: Mapping[str, Any]) -> None:
    unknown = set(batch) - {*_LEFT, *_RIGHT, *_OTHER}
    if unknown:
        raise KeyError(f"replay does not support TRL's columns {sorted(unknown)}. Set replay_capacity to 0.")
