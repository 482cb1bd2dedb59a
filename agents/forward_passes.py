"""Rows of a padded batch as forward passes: rows of similar length together, with the pixels of these rows alone.

Knows rollouts, a chat format's pictures and TRL's names for them. Knows nothing of losses. Where processes share the
model's parts, a pass without any picture gets a blank row that has one: the vision tower must run in all or in none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from agents.chat import Chat
from agents.pictures import check_placeholders, features_of
from agents.rollout import Rollout
from agents.scored_rows import Scores, attended, length_batches, trimmed
from pixel_env.types import Prompt, ViewBudgets


@dataclass(frozen=True, slots=True)
class Pass:
    """One forward pass: `rows` are places in the padded batch, `blank` says that one more row follows them."""

    rows: torch.Tensor
    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    logits_to_keep: int
    pictures: dict[str, Any]
    blank: bool = False

    def own(self, scores: Scores) -> Scores:
        """The scores of `rows`."""
        logps, entropies, aux_loss = scores
        count = len(self.rows)
        return logps[:count], None if entropies is None else entropies[:count], aux_loss


def forward_passes(
    rollouts: Sequence[Rollout],
    input_ids: torch.Tensor,
    attention_mask: torch.Tensor,
    logits_to_keep: int,
    *,
    batch_size: int | None,
    chat: Chat,
    budgets: ViewBudgets,
    processes: int,
    sharded: bool,
) -> Iterator[Pass]:
    """The passes that score `rollouts`, at most `batch_size` rows each; several processes make as many of them."""
    whole = attended(rollouts, attention_mask, logits_to_keep)
    for rows in length_batches(whole, batch_size, may_split=processes == 1):
        ids, mask, keep = trimmed(input_ids[rows], whole[rows], logits_to_keep)
        chosen = [rollouts[place] for place in rows.tolist()]
        features = features_of(chosen, chat, budgets)
        check_placeholders(chosen, ids, features.get("image_grid_thw"), chat)
        counts = [len(row.views) for row in chosen]
        blank = sharded and not features
        if blank:
            ids, mask, features = _with_blank_row(ids, mask, chat)
            counts.append(1)
        pictures: dict[str, Any] = {name: tensor.to(ids.device) for name, tensor in features.items()}
        if pictures:
            pictures |= {"num_images": counts, "mm_token_type_ids": chat.mm_token_type_ids(ids)}
        yield Pass(rows, ids, mask, keep, pictures, blank)


def _with_blank_row(
    ids: torch.Tensor, mask: torch.Tensor, chat: Chat
) -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
    """The batch and one more row: a question about the smallest black picture."""
    side = chat.picture_factor
    image = np.zeros((side, side, 3), np.uint8)
    row = torch.tensor([chat.open(Prompt("", "?"), [image])], device=ids.device, dtype=ids.dtype)
    width = max(ids.shape[1], row.shape[1])

    def joined(rows: torch.Tensor, more: torch.Tensor, value: int) -> torch.Tensor:
        return torch.cat(
            [torch.nn.functional.pad(part, (width - part.shape[1], 0), value=value) for part in (rows, more)]
        )

    return joined(ids, row, chat.pad_id), joined(mask, torch.ones_like(row), 0), chat.features([image])
