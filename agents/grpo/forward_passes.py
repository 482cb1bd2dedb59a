"""Splits a padded batch into forward passes: rows of similar length together, with the images of these rows only.

Rows are padded on the right, so that no mask is needed beside causality, and only the tokens that the policy sampled
are scored. Where processes share a sharded model, a pass without any image gets a blank row that has one, because the
vision tower must run in all of them or in none. The same holds for video entries, which run it a second time. Depends
on rollouts, a chat format, image features and the forward pass of Qwen's classes; independent of losses.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from agents.chat.blank_rows import blank_row
from agents.chat.chat import Chat
from agents.chat.video_positions import token_positions
from agents.engines.vision import PATCHES_AT_A_TIME, patches_as_rows
from agents.grpo.placeholders import check_placeholders
from agents.grpo.scored_rows import (
    TOKENS_A_PASS,
    TOKENS_A_PASS_ELSEWHERE,
    length_batches,
    right_padded,
    sampled_positions,
    whole_rows,
)
from agents.grpo.tower_features import Reading, TowerFeatures, vision_half
from agents.rollout import Rollout


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """One forward pass over `input_ids` (B, T), of which `attention_mask` marks the tokens; a blank row may be last.

    Scored are N tokens: entry n of the batch's completions that `places[n]` names (counted row by row) is predicted at
    `predicted_at` (rows, columns) and is the id `targets[n]`.
    """

    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    places: torch.Tensor
    predicted_at: tuple[torch.Tensor, torch.Tensor]
    targets: torch.Tensor
    images: Reading
    videos: Reading
    mm_token_type_ids: torch.Tensor
    is_sharded: bool

    @contextmanager
    def given(self, model: torch.nn.Module) -> Iterator[None]:
        """A context in which `model`'s forward also gets images, videos and positions, and knows of no padding."""
        with ExitStack() as stack:
            hook = model.register_forward_pre_hook(self._with_inputs, with_kwargs=True)
            stack.callback(hook.remove)
            owner = vision_half(model)
            stack.enter_context(patches_as_rows(owner))
            on_cpu = self.input_ids.device.type == "cpu"  # a processor's cache holds a few images' activations
            at_a_time = PATCHES_AT_A_TIME if on_cpu and not self.is_sharded else float("inf")
            for name, reading in (("get_image_features", self.images), ("get_video_features", self.videos)):
                setattr(owner, name, reading.features(getattr(owner, name), at_a_time=at_a_time))
                stack.callback(vars(owner).pop, name)
            yield

    @contextmanager
    def only_sampled(self, model: Any) -> Iterator[None]:
        """A context in which the fused head of `model` (unwrapped) scores the sampled tokens alone: (1, N)."""
        owner = model.get_base_model() if hasattr(model, "peft_config") else model

        def hidden(_: Any, args: Any, output: Any) -> None:
            rows, columns = (index.to(output.last_hidden_state.device) for index in self.predicted_at)
            output.last_hidden_state = output.last_hidden_state[rows, columns][None]

        def with_targets(_: Any, args: Any, inputs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
            return args, inputs | {"labels": None, "shift_labels": self.targets[None]}

        hooks = (
            owner.base_model.register_forward_hook(hidden),
            owner.register_forward_pre_hook(with_targets, with_kwargs=True),
        )
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _with_inputs(self, model: Any, args: Any, inputs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        device = self.input_ids.device
        grids = {
            name: reading.grids.to(device)
            for name, reading in (("image_grid_thw", self.images), ("video_grid_thw", self.videos))
            if reading.order
        }
        tokens = {"input_ids": self.input_ids, "attention_mask": self.attention_mask}
        positions = token_positions(model, tokens | grids | {"mm_token_type_ids": self.mm_token_type_ids})
        given: dict[str, Any] = {"position_ids": positions}
        # The router's loss of a mixture of experts counts the tokens that the mask names.
        if not inputs.get("output_router_logits"):
            given["attention_mask"] = None
        if self.images.order:
            given["pixel_values"] = self.images.pixels.to(device)
            given["image_grid_thw"] = self.images.missing_grids.to(device)
        if self.videos.order:
            given["pixel_values_videos"] = self.videos.pixels.to(device)
            given["video_grid_thw"] = self.videos.missing_grids.to(device)
        return args, inputs | given


def forward_passes(
    rollouts: Sequence[Rollout],
    input_ids: torch.Tensor,
    logits_to_keep: int,
    *,
    batch_size: int | None,
    chat: Chat,
    tower: TowerFeatures,
    processes: int,
    sharded: bool,
) -> Iterator[Pass]:
    """The passes that score `rollouts`, at most `batch_size` rows each; all processes make the same number.

    `tower` keeps what the passes read; where the model is `sharded` each pass reads all its images, in one go.
    """
    whole = whole_rows(rollouts, input_ids, logits_to_keep)
    lengths = torch.tensor([len(row) for row in whole])
    tokens_a_pass = TOKENS_A_PASS.get(input_ids.device.type, TOKENS_A_PASS_ELSEWHERE) if processes == 1 else None
    for rows in length_batches(lengths, batch_size, tokens_a_pass=tokens_a_pass):
        chosen = [rollouts[index] for index in rows.tolist()]
        images, videos = tower.of_pass(chosen)
        own_rows = [whole[index] for index in rows.tolist()]
        grids = {name: one.grids for name, one in (("image_grid_thw", images), ("video_grid_thw", videos)) if one.order}
        check_placeholders(chosen, right_padded(own_rows, chat.pad_id)[0], grids, chat)
        if sharded and (blank := _with_blank_row(images, videos, chat)):
            own_rows.append(torch.tensor(blank, device=input_ids.device, dtype=input_ids.dtype))
        ids, mask = right_padded(own_rows, chat.pad_id)
        row, column, offset = sampled_positions(chosen)
        yield Pass(
            input_ids=ids,
            attention_mask=mask,
            places=rows[row] * logits_to_keep + offset,
            predicted_at=(row, column - 1),
            targets=ids[row.to(ids.device), column.to(ids.device)],
            images=images,
            videos=videos,
            mm_token_type_ids=chat.mm_token_type_ids(ids),
            is_sharded=sharded,
        )


def _with_blank_row(images: Reading, videos: Reading, chat: Chat) -> tuple[int, ...]:
    """The ids of a row with what the pass lacks, an image or a video, whose pixels are added to it; () for none."""
    has = {"pixel_values": images.order, "pixel_values_videos": videos.order}
    ids, blank = blank_row({name: torch.empty(0) for name, order in has.items() if order}, chat)
    if "pixel_values" in blank:
        images.add(blank["pixel_values"], blank["image_grid_thw"])
    if "pixel_values_videos" in blank:
        videos.add(blank["pixel_values_videos"], blank["video_grid_thw"])
    return ids
