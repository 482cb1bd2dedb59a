"""M-RoPE position ids (time, height, width) for prompts with video.

transformers 5.17 starts the text after a video at the end of the video's longer side, however many steps it has. The
checkpoints were trained (transformers 4.49), and vLLM computes, with the text after the video's largest position.
Depends on Qwen's classes; independent of conversations.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch.utils.hooks import RemovableHandle

_VIDEO = 2


def token_positions(model: torch.nn.Module, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Position ids (3, B, T) for a forward pass with `inputs`, which contain `mm_token_type_ids` and the grids."""
    owner: Any = next(module for module in model.modules() if hasattr(module, "get_rope_index"))
    names = ("input_ids", "attention_mask", "mm_token_type_ids", "image_grid_thw", "video_grid_thw")
    # Without a video's times the class takes video_entry.SECONDS_PER_STEP.
    positions, _ = owner.get_rope_index(**{name: inputs[name] for name in names if name in inputs})
    return _past_videos(positions, inputs["mm_token_type_ids"])


def add_video_positions(model: torch.nn.Module) -> RemovableHandle:
    """Adds `token_positions` to every forward pass of `model` with a video, until the handle is removed."""

    def with_positions(_: Any, args: Any, inputs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        return args, inputs | positions_of_videos(model, inputs)

    return model.register_forward_pre_hook(with_positions, with_kwargs=True)


def positions_of_videos(model: torch.nn.Module, inputs: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """`position_ids` for inputs with a video; {} for others, whose positions the model computes correctly."""
    return {"position_ids": token_positions(model, inputs)} if "video_grid_thw" in inputs else {}


def _past_videos(positions: torch.Tensor, types_BT: torch.Tensor) -> torch.Tensor:
    """`positions` with everything that follows a video moved past the video's largest position."""
    moved = positions.clone()
    for row, types_T in enumerate(types_BT):
        is_video_T = types_T == _VIDEO
        ends = (is_video_T[:-1] & ~is_video_T[1:]).nonzero().flatten() + 1
        for end in ends.tolist():
            lacking = moved[:, row, :end][:, is_video_T[:end]].max() + 1 - moved[0, row, end]
            moved[:, row, end:] += lacking.clamp(min=0)
    return moved
