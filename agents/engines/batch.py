"""Rows that generate together: their prompts are read, then one token a row and forward pass.

Rows that continue a conversation begin with its kept state. Depends on the forward pass of Qwen's vision-language
classes, and on `Chat` for token ids and images; independent of where a turn ends and of queues.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from agents.chat.chat import Chat
from agents.chat.content_id import Frames
from agents.chat.video_positions import token_positions
from agents.engines.kept_states import Conversation, Kept, KeptStates
from agents.engines.kv_rows import KVRows, RowState
from agents.engines.protocol import Request
from agents.engines.sampling import banned_ids, choose
from agents.engines.truncation import penalised, truncated
from agents.engines.vision import distinct, shared_features

TOKENS_AT_A_TIME = 2048
"""Prompts are read together until they have this many tokens, padding included; a longer one is read alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A prompt, read once for all `requests` that have it, from the end of what is kept of it."""

    conversation: Conversation
    requests: tuple[Request, ...]
    kept: Kept | None

    @property
    def read(self) -> int:
        """Tokens whose keys and values are known."""
        return len(self.kept.conversation.ids) if self.kept else 0

    @property
    def unread_ids(self) -> tuple[int, ...]:
        """The tokens that are still to be read; at least one."""
        return self.conversation.ids[self.read :]

    @property
    def unread_images(self) -> tuple[np.ndarray, ...]:
        """The images among the unread tokens."""
        first = self.requests[0]
        return first.images[len(self.kept.conversation.images) :] if self.kept else first.still_images

    @property
    def unread_videos(self) -> tuple[Frames, ...]:
        """The video among the unread tokens."""
        return () if self.kept else self.requests[0].videos


def rows_of(requests: Sequence[Request], kept: KeptStates) -> list[Row]:
    """The different prompts, those with the fewest unread tokens first."""
    same: dict[Conversation, list[Request]] = {}
    for request in requests:
        same.setdefault(Conversation.of(request), []).append(request)
    rows = [Row(conversation, tuple(group), kept.take(conversation)) for conversation, group in same.items()]
    return sorted(rows, key=lambda row: (len(row.unread_ids), row.requests[0].request_id))


class Batch:
    """The rows on the device, one for each request of `rows`, in their order.

    `layers`: of the model, if `KVRows` can hold them; None: the model makes its own cache, and all rows are read
    together, from their beginnings.
    """

    def __init__(self, model: torch.nn.Module, chat: Chat, rows: Sequence[Row], layers: int | None) -> None:
        self._model, self._chat = model, chat
        self._device = next(model.parameters()).device
        unread = [len(row.unread_ids) for row in rows]
        portions = [slice(0, len(rows))] if layers is None else list(_portions(unread))
        longest = [(max(unread[portion]), max(row.read for row in rows[portion])) for portion in portions]
        end = self._prompt_columns = max(new + read for new, read in longest)
        kv_rows = None if layers is None else KVRows(layers, len(rows), end)
        self._cache: Any = kv_rows  # what the model makes otherwise is known after the first pass
        mask_BT = torch.zeros(len(rows), end, dtype=torch.long)
        results = []
        for portion, (new, read) in zip(portions, longest, strict=True):
            for index in range(portion.start, portion.stop):
                self._place(index, rows[index], mask_BT, start=end - new)
            if kv_rows is not None:
                kv_rows.window(portion, end - new - read, end - new)
            results.append(self._read(rows[portion], mask_BT[portion, end - new - read :]))
        if kv_rows is not None:
            kv_rows.window(slice(0, len(rows)), 0, end)
        self._mask_BT = mask_BT.to(self._device)
        self._logits_BV, self._next_B = (torch.cat(parts) for parts in zip(*results, strict=True))
        bans = [request.banned_ids for row in rows for request in row.requests]
        self._banned_BV = banned_ids(bans, self._logits_BV.shape[1]).to(self._device)
        if len(bans) > len(rows):
            self._select([index for index, row in enumerate(rows) for _ in row.requests])

    def sample(
        self, requests: Sequence[Request], turns: Sequence[Sequence[int]], uniforms: Sequence[float]
    ) -> tuple[list[int], list[float]]:
        """An id and its log-probability for each row; `turns`: the ids that it has sampled so far."""
        temperatures = [request.temperature for request in requests]
        scale_B1 = torch.tensor([t or 1.0 for t in temperatures], device=self._device)[:, None]
        logits_BV = penalised(self._logits_BV.float(), requests, turns) / scale_B1
        allowed_BV = truncated(logits_BV.masked_fill(self._banned_BV, -torch.inf), requests)
        logprobs_BV = allowed_BV.log_softmax(dim=-1)
        ids_B = choose(logprobs_BV, uniforms, temperatures)
        return ids_B.tolist(), logprobs_BV.gather(1, ids_B[:, None]).squeeze(1).tolist()

    def step(self, ids: Sequence[int]) -> None:
        """Read one more id in each row."""
        ids_B1 = torch.tensor(ids, device=self._device)[:, None]
        self._mask_BT = torch.cat([self._mask_BT, torch.ones_like(ids_B1)], dim=1)
        positions = self._next_B[None, :, None].expand(3, -1, -1)
        self._next_B = self._next_B + 1
        self._logits_BV = self._forward(ids_B1, self._mask_BT, positions)

    def keep(self, rows: Sequence[int]) -> None:
        """Make these rows the batch."""
        self._select(rows)
        if len(self._banned_BV) > 1:
            self._banned_BV = self._banned_BV[torch.tensor(rows, device=self._device)]

    def state(self, row: int, sampled: int) -> RowState:
        """What is computed for the prompt of `row` and its first `sampled` ids. Only with `layers`."""
        columns = self._prompt_columns + sampled
        behind = self._mask_BT.shape[1] - columns
        used = self._mask_BT[row, :columns].nonzero().squeeze(1)
        state: RowState = self._cache.state(row, used, int(self._next_B[row]) - behind)
        return state

    def _select(self, rows: Sequence[int]) -> None:
        index = torch.tensor(rows, device=self._device)
        # Not `batch_select_indices`, which layers of linear attention lack.
        self._cache.reorder_cache(index)
        self._mask_BT, self._next_B = self._mask_BT[index], self._next_B[index]
        self._logits_BV = self._logits_BV[index]

    def _place(self, index: int, row: Row, mask_BT: torch.Tensor, *, start: int) -> None:
        """Its kept state ends before the column `start`; its unread tokens will end at the last column."""
        mask_BT[index, start - row.read : start] = 1
        mask_BT[index, self._prompt_columns - len(row.unread_ids) :] = 1
        if row.kept is not None:
            self._cache.put(index, start, row.kept.state)

    def _read(self, rows: Sequence[Row], mask_BT: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits of the next token and its position, of each row."""
        chat = self._chat
        ids_BT, unread_BT = _left_padded([row.unread_ids for row in rows], chat.pad_id)
        images, order = distinct([image for row in rows for image in row.unread_images])
        videos, video_order = distinct([frames for row in rows for frames in row.unread_videos])
        features = chat.features(images, videos)
        types_BT = chat.mm_token_type_ids(ids_BT)
        orders = {"image_grid_thw": order, "video_grid_thw": video_order}
        grids = {name: features[name][indices] for name, indices in orders.items() if indices}
        tokens = {"input_ids": ids_BT, "attention_mask": unread_BT, "mm_token_type_ids": types_BT}
        # Passed to every forward: otherwise the model would use the offsets that it stored for another batch.
        after_B = torch.tensor([row.kept.state.next_position if row.kept else 0 for row in rows])
        positions = token_positions(self._model, tokens | grids) + after_B[None, :, None]
        inputs = {"mm_token_type_ids": types_BT.to(self._device)} if features else {}
        inputs |= {name: tensor.to(self._device) for name, tensor in features.items()}
        with shared_features(self._model, order, video_order):
            logits_BV = self._forward(
                ids_BT.to(self._device), mask_BT.to(self._device), positions.to(self._device), **inputs
            )
        return logits_BV, (positions.amax(dim=(0, 2)) + 1).to(self._device)

    def _forward(
        self, ids_BT: torch.Tensor, mask_BT: torch.Tensor, positions: torch.Tensor, **inputs: torch.Tensor
    ) -> torch.Tensor:
        outputs = self._model(
            input_ids=ids_BT,
            attention_mask=mask_BT,
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
            **inputs,
        )
        self._cache = outputs.past_key_values
        logits_BV: torch.Tensor = outputs.logits[:, -1]
        return logits_BV


def _portions(lengths: Sequence[int]) -> Iterator[slice]:
    """Rows that are read together; `lengths` ascend."""
    first = 0
    for index, length in enumerate(lengths):
        if index > first and (index + 1 - first) * length > TOKENS_AT_A_TIME:
            yield slice(first, index)
            first = index
    yield slice(first, len(lengths))


def _left_padded(prompts: Sequence[Sequence[int]], pad_id: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask, (B, T)."""
    width = max(len(prompt) for prompt in prompts)
    ids = np.full((len(prompts), width), pad_id, dtype=np.int64)
    mask = np.zeros((len(prompts), width), dtype=np.int64)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = prompt
        mask[row, width - len(prompt) :] = 1
    return torch.from_numpy(ids), torch.from_numpy(mask)
