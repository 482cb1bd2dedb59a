"""Rows of a padded batch: selected, ordered by length, padded on the right, and scores put back.

Depends on tensors and TRL's batch dictionary (one entry per row, lists or tensors); independent of models and losses.
"""

from collections.abc import Sequence
from typing import Any

import torch

from agents.rollout import Rollout

TOKENS_A_PASS = {"cpu": 128}
"""What one more pass costs, in tokens, by the device's type.

Measured as forward and backward passes of the embedded model's language half, 50 to 3,200 tokens in 1 to 8 rows: 6.3 ms
a pass and 0.12 ms a token, so 54 tokens. As many again for its positions, its head and an image tower that reads fewer
images at once.
"""
TOKENS_A_PASS_ELSEWHERE = 1024
"""The same where a pass first has to launch its kernels: of the order of what a 7 B model needs; not measured."""

Scores = tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]
"""Log-probabilities, entropies or None (of the same shape), auxiliary loss or None."""


def rows_of(batch: dict[str, Any], rows: torch.Tensor) -> dict[str, Any]:
    """These rows of the batch; values without rows (scalars) are unchanged."""

    def chosen(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return value[rows] if value.ndim else value
        return [value[index] for index in rows.tolist()] if isinstance(value, list) else value

    return {key: chosen(value) for key, value in batch.items()}


def whole_rows(rollouts: Sequence[Rollout], input_ids: torch.Tensor, completion_width: int) -> list[torch.Tensor]:
    """The ids of each rollout without padding, of a batch (B, T) whose last `completion_width` columns are completions.

    TRL hides a truncated completion from attention, images included; here only the loss mask excludes it.
    """
    start = input_ids.shape[1] - completion_width
    return [
        row[start - len(rollout.prompt_ids) : start + len(rollout.completion_ids)]
        for row, rollout in zip(input_ids, rollouts, strict=True)
    ]


def right_padded(rows: Sequence[torch.Tensor], pad_id: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask (B, T). With the padding behind it, no token of a causal model attends to padding."""
    ids = torch.nn.utils.rnn.pad_sequence(list(rows), batch_first=True, padding_value=pad_id)
    lengths = torch.tensor([len(row) for row in rows], device=ids.device)
    return ids, (torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]).to(ids.dtype)


def sampled_positions(rollouts: Sequence[Rollout]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Of every sampled token: its row, its column in the row without padding, its column in the completion. (N,) each.

    A row begins with a prompt, so there is a token before each.
    """
    rows, columns, offsets = [], [], []
    for row, rollout in enumerate(rollouts):
        sampled = [index for index, is_sampled in enumerate(rollout.sampled) if is_sampled]
        rows += [row] * len(sampled)
        columns += [len(rollout.prompt_ids) + index for index in sampled]
        offsets += sampled
    return torch.tensor(rows, dtype=torch.long), torch.tensor(columns, dtype=torch.long), torch.tensor(offsets).long()


def length_batches(lengths: torch.Tensor, batch_size: int | None, *, tokens_a_pass: int | None) -> list[torch.Tensor]:
    """Row indices, batch by batch, of at most `batch_size` rows (all if None).

    Shortest rows first, in the batches of the fewest tokens, padding included, where each batch counts as
    `tokens_a_pass` more. With None the rows keep their order in batches of `batch_size`, whatever their lengths are.
    """
    count = len(lengths)
    size = batch_size or count
    if tokens_a_pass is None:
        return list(torch.arange(count).split(size))
    rows = torch.argsort(lengths, stable=True)
    longest = lengths[rows].tolist()
    cheapest = [(0, 0)]  # of the first n rows: tokens, and where the last batch begins
    for end in range(1, count + 1):
        starts = range(max(0, end - size), end)
        cheapest.append(
            min((cheapest[start][0] + (end - start) * longest[end - 1] + tokens_a_pass, start) for start in starts)
        )
    batches, end = [], count
    while end:
        start = cheapest[end][1]
        batches.append(rows[start:end])
        end = start
    return batches[::-1]


def scattered(results: Sequence[Scores], places: Sequence[torch.Tensor], shape: tuple[int, int]) -> Scores:
    """The scores (1, N) of all passes as one batch of `shape` (B, C): token n of a pass is entry `places[n]` of it.

    `places` count the entries row by row. What no pass has scored is 0.
    """

    def joined(parts: Sequence[torch.Tensor]) -> torch.Tensor:
        values = torch.cat([part[0] for part in parts])
        empty = torch.zeros(shape[0] * shape[1], dtype=values.dtype, device=values.device)
        return empty.index_copy(0, torch.cat(list(places)).to(values.device), values).view(shape)

    entropies = [result[1] for result in results if result[1] is not None]
    aux_losses = [result[2] for result in results if result[2] is not None]
    return (
        joined([result[0] for result in results]),
        joined(entropies) if entropies else None,
        torch.stack(aux_losses).mean() if aux_losses else None,
    )
