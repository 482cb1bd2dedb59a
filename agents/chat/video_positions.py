"""Where tokens stand in time, height and width, also after a video: what a forward is given instead of guessing it.

transformers 5.17 starts the text after a video at the end of its longer side, however many steps the video has. The
checkpoints were taught (transformers 4.49) and vLLM counts: past the largest place of all. Knows Qwen's classes.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch.utils.hooks import RemovableHandle

_VIDEO = 2


def token_positions(model: torch.nn.Module, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Places (3, B, T) of the tokens of a forward's `inputs`, which have `mm_token_type_ids` and the grids."""
    owner: Any = next(module for module in model.modules() if hasattr(module, "get_rope_index"))
    names = ("input_ids", "attention_mask", "mm_token_type_ids", "image_grid_thw", "video_grid_thw")
    # Without a video's times the class takes video_entry.SECONDS_PER_STEP.
    positions, _ = owner.get_rope_index(**{name: inputs[name] for name in names if name in inputs})
    return _past_videos(positions, inputs["mm_token_type_ids"])


def place_videos(model: torch.nn.Module) -> RemovableHandle:
    """From now on a forward of `model` that is given a video is given `token_positions`, too."""

    def placed(_: Any, args: Any, inputs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        return args, inputs | positions_of_videos(model, inputs)

    return model.register_forward_pre_hook(placed, with_kwargs=True)


def positions_of_videos(model: torch.nn.Module, inputs: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """`position_ids` for inputs with a video, {} for others: what the model counts itself is right there."""
    return {"position_ids": token_positions(model, inputs)} if "video_grid_thw" in inputs else {}


def _past_videos(positions: torch.Tensor, types_BT: torch.Tensor) -> torch.Tensor:
    """`positions` with everything that follows a video moved past its last moment."""
    moved = positions.clone()
    for row, types_T in enumerate(types_BT):
        is_video_T = types_T == _VIDEO
        ends = (is_video_T[:-1] & ~is_video_T[1:]).nonzero().flatten() + 1
        for end in ends.tolist():
            lacking = moved[:, row, :end][:, is_video_T[:end]].max() + 1 - moved[0, row, end]
            moved[:, row, end:] += lacking.clamp(min=0)
    return moved
