"""Splits a padded batch into forward passes: rows of similar length together, with the pixels of these rows only.

Where processes share a sharded model, a pass without any image gets a blank row that has one, because the vision tower
must run in all of them or in none. The same holds for video entries, which run it a second time. Depends on rollouts, a
chat format's image features and TRL's names for them; independent of losses.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

from agents.chat.blank_rows import blank_row
from agents.chat.chat import Chat
from agents.chat.video_positions import positions_of_videos
from agents.grpo.image_features import check_placeholders, features_of
from agents.grpo.scored_rows import Scores, attended, length_batches, trimmed
from agents.rollout import Rollout
from pixel_env.views import ViewBudgets


@dataclass(frozen=True, slots=True)
class Pass:
    """One forward pass: `rows` are indices in the padded batch; if `blank`, one more row follows them.

    `image_inputs`: passed to the model by TRL; `videos`: inputs that TRL does not know (see `given_videos`).
    """

    rows: torch.Tensor
    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    logits_to_keep: int
    image_inputs: dict[str, Any]
    videos: dict[str, torch.Tensor] = field(default_factory=dict)
    blank: bool = False

    @contextmanager
    def given_videos(self, model: torch.nn.Module) -> Iterator[None]:
        """A context in which `model`'s forward also gets `videos`, which TRL does not pass on."""

        def with_videos(_: Any, args: Any, inputs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
            given = inputs | self.videos
            return args, given | positions_of_videos(model, given)

        hook = model.register_forward_pre_hook(with_videos, with_kwargs=True)
        try:
            yield
        finally:
            hook.remove()

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
    """The passes that score `rollouts`, at most `batch_size` rows each; all processes make the same number."""
    whole = attended(rollouts, attention_mask, logits_to_keep)
    for rows in length_batches(whole, batch_size, may_split=processes == 1):
        ids, mask, keep = trimmed(input_ids[rows], whole[rows], logits_to_keep)
        chosen = [rollouts[index] for index in rows.tolist()]
        features = features_of(chosen, chat, budgets)
        check_placeholders(chosen, ids, features, chat)
        counts = [len(row.views) - row.video_frames for row in chosen]
        row, own = blank_row(features, chat) if sharded else ((), {})
        if row:
            ids, mask = _with_row(ids, mask, row, chat.pad_id)
            counts.append(int("pixel_values" in own))
        given = {name: tensor.to(ids.device) for name, tensor in (features | own).items()}
        videos = {name: given.pop(name) for name in tuple(given) if "video" in name}
        image_inputs: dict[str, Any] = dict(given)
        if image_inputs or videos:
            image_inputs |= {"num_images": counts, "mm_token_type_ids": chat.mm_token_type_ids(ids)}
        yield Pass(rows, ids, mask, keep, image_inputs, videos, bool(row))


def _with_row(
    ids: torch.Tensor, mask: torch.Tensor, row: Sequence[int], pad_id: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The batch and one more row."""
    more = torch.tensor([row], device=ids.device, dtype=ids.dtype)
    width = max(ids.shape[1], len(row))

    def joined(rows: torch.Tensor, last: torch.Tensor, value: int) -> torch.Tensor:
        return torch.cat(
            [torch.nn.functional.pad(part, (width - part.shape[1], 0), value=value) for part in (rows, last)]
        )

    return joined(ids, more, pad_id), joined(mask, torch.ones_like(more), 0)
