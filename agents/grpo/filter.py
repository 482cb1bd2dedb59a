"""Leaves rows of zero advantage out of the forward pass: the indices of the kept rows, and the scale of their loss.

Depends on TRL's loss types and batches; independent of rollouts and models.
"""

from typing import Any

import torch
from accelerate import Accelerator

from agents.grpo.rows import loss_mask, moving


def kept_indices(advantages: torch.Tensor, accelerator: Accelerator) -> torch.Tensor:
    """Indices of the rows that change the policy, in order; with several processes, the same number in each."""
    moves = moving(advantages)
    count = int(moves.sum())
    if accelerator.num_processes > 1:
        # TRL gathers one value per row, and every process must run its passes: rows of zero advantage fill it up.
        count = max(1, int(accelerator.gather(moves.sum()).max()))
    return torch.argsort(moves.int(), descending=True, stable=True)[:count].sort().values


def share_of_normaliser(loss_type: str, kept: dict[str, Any], whole: dict[str, Any]) -> float:
    """Factor from the loss of the kept rows to the loss of all rows; the others contribute exactly 0."""
    match loss_type:
        case "cispo" | "dapo" | "vespo":  # divided by num_items_in_batch, which counts the whole batch
            return 1.0
        case "bnpo":
            return float(loss_mask(kept).sum() / loss_mask(whole).sum().clamp(min=1))
        case _:  # a mean over rows
            return len(kept["advantages"]) / len(whole["advantages"])
