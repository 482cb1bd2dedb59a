"""Rows of zero advantage are left out of the forward pass: which rows stay, and what their loss is worth.

Knows TRL's loss types and batches. Knows nothing of rollouts or models.
"""

from typing import Any

import torch
from accelerate import Accelerator

from agents.grpo.rows import loss_mask, moving


def kept_places(advantages: torch.Tensor, accelerator: Accelerator) -> torch.Tensor:
    """Places of the rows that move the policy, in order; with several processes, as many in each."""
    moves = moving(advantages)
    count = int(moves.sum())
    if accelerator.num_processes > 1:
        # TRL gathers one figure per row, and every process must run its passes: rows of zero advantage fill up.
        count = max(1, int(accelerator.gather(moves.sum()).max()))
    return torch.argsort(moves.int(), descending=True, stable=True)[:count].sort().values


def share_of_normaliser(loss_type: str, kept: dict[str, Any], whole: dict[str, Any]) -> float:
    """What the kept rows' loss is multiplied by to be that of all rows, whose other members add exactly 0."""
    match loss_type:
        case "cispo" | "dapo" | "vespo":  # divided by num_items_in_batch, which counts the whole batch
            return 1.0
        case "bnpo":
            return float(loss_mask(kept).sum() / loss_mask(whole).sum().clamp(min=1))
        case _:  # a mean over rows
            return len(kept["advantages"]) / len(whole["advantages"])
