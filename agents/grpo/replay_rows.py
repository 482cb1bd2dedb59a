"""Rows of TRL's batch one by one: taken out unpadded, and put back padded to the longest.

A row is token ids, values per token and the rollout, whose images are references: kilobytes, whatever the size of the
images. Depends on the columns of TRL's batch dictionary; independent of buffers and losses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from agents.rollout import Rollout

LEFT = ("prompt_ids", "prompt_mask")
RIGHT = (
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


def rows_to_keep(batch: Mapping[str, Any], rollouts: Sequence[Rollout]) -> list[Row]:
    """Every row of `batch`; `rollouts[i]` is that of row i. Raises KeyError for a column that is not known here."""
    _check_columns(batch)
    rows = []
    for index, rollout in enumerate(rollouts):
        columns = {name: batch[name][index, -len(rollout.prompt_ids) :].cpu().clone() for name in LEFT}
        for name in RIGHT:
            if name in batch:  # a ratio of whole sequences has one column, whatever the length
                columns[name] = batch[name][index, : len(rollout.completion_ids)].cpu().clone()
        rows.append(Row(rollout, columns))
    return rows


def with_rows(batch: Mapping[str, Any], indices: Sequence[int], rows: Sequence[Row], pad_id: int) -> dict[str, Any]:
    """`batch` with `rows` at `indices`, padded to the longest of all. Advantages are the caller's to set."""
    _check_columns(batch)
    merged = dict(batch)
    for name in (*LEFT, *RIGHT):
        if name not in batch:
            continue
        width = max([batch[name].shape[1], *(len(row.columns[name]) for row in rows)])
        column = _widened(batch[name], width, _padding(name, pad_id), left=name in LEFT)
        for index, row in zip(indices, rows, strict=True):
            values = row.columns[name].to(column.device)
            column[index] = _padding(name, pad_id)
            span = slice(width - len(values), width) if name in LEFT else slice(0, len(values))
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
    unknown = set(batch) - {*LEFT, *RIGHT, *_OTHER}
    if unknown:
        raise KeyError(f"replay does not support TRL's columns {sorted(unknown)}. Set replay_capacity to 0.")
