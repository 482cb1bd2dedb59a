"""Rows of a padded batch: selected, ordered by length, trimmed of padding, and put back.

Depends on tensors and TRL's batch dictionary (one entry per row, lists or tensors); independent of models and losses.
"""

from collections.abc import Sequence
from typing import Any

import torch

from agents.rollout import Rollout

SPLIT_GAIN = 0.8
"""A batch is split by length if the parts together need at most this share of the padded tokens."""

Scores = tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]
"""Log-probabilities (B, C), entropies (B, C) or None, auxiliary loss or None."""


def rows_of(batch: dict[str, Any], rows: torch.Tensor) -> dict[str, Any]:
    """These rows of the batch; values without rows (scalars) are unchanged."""

    def chosen(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return value[rows] if value.ndim else value
        return [value[index] for index in rows.tolist()] if isinstance(value, list) else value

    return {key: chosen(value) for key, value in batch.items()}


def attended(rollouts: Sequence[Rollout], attention_mask: torch.Tensor, completion_width: int) -> torch.Tensor:
    """1 on every token of the rollouts, in a padded batch with the shape of `attention_mask`.

    TRL hides a truncated completion from attention, images included; here only the loss mask excludes it.
    """
    whole = torch.zeros_like(attention_mask)
    start = attention_mask.shape[1] - completion_width
    for row, rollout in enumerate(rollouts):
        whole[row, start - len(rollout.prompt_ids) : start + len(rollout.completion_ids)] = 1
    return whole


def length_batches(attention_mask: torch.Tensor, batch_size: int | None, *, may_split: bool) -> list[torch.Tensor]:
    """Row indices, batch by batch. With `may_split`: shortest first, a batch split in two where that saves padding."""
    count = len(attention_mask)
    size = batch_size or count
    if not may_split:
        return list(torch.arange(count).split(size))
    lengths = attention_mask.sum(-1).cpu()
    batches: list[torch.Tensor] = []
    for rows in torch.argsort(lengths, stable=True).split(size):
        batches += _split_if_shorter(rows, lengths[rows])
    return batches


def _split_if_shorter(rows: torch.Tensor, sorted_lengths: torch.Tensor) -> list[torch.Tensor]:
    count, longest = len(rows), int(sorted_lengths[-1])
    sizes = torch.arange(1, count)
    if count < 2:
        return [rows]
    tokens = sizes * sorted_lengths[:-1] + (count - sizes) * longest
    best = int(tokens.argmin())
    if tokens[best] > SPLIT_GAIN * count * longest:
        return [rows]
    return [rows[: best + 1], rows[best + 1 :]]


def trimmed(
    input_ids: torch.Tensor, attention_mask: torch.Tensor, completion_width: int
) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Ids and mask without the columns that are padding in every row, and the remaining width of the completion."""
    prompt_width = input_ids.shape[1] - completion_width
    used = attention_mask.any(0)
    first = int(used[:prompt_width].int().argmax()) if used[:prompt_width].any() else prompt_width - 1
    in_completion = used[prompt_width:].nonzero()
    keep = int(in_completion[-1]) + 1 if len(in_completion) else 1
    columns = slice(first, prompt_width + keep)
    return input_ids[:, columns], attention_mask[:, columns], keep


def scattered(results: Sequence[Scores], batches: Sequence[torch.Tensor], width: int) -> Scores:
    """The scores of all batches as one, in the original order of rows, padded with 0 to `width`."""
    order = torch.argsort(torch.cat(list(batches)))

    def joined(parts: Sequence[torch.Tensor]) -> torch.Tensor:
        padded = [torch.nn.functional.pad(part, (0, width - part.shape[1])) for part in parts]
        return torch.cat(padded)[order.to(padded[0].device)]

    logps = joined([result[0] for result in results])
    entropies = [result[1] for result in results if result[1] is not None]
    aux_losses = [result[2] for result in results if result[2] is not None]
    return (
        logps,
        joined(entropies) if entropies else None,
        torch.stack(aux_losses).mean() if aux_losses else None,
    )
