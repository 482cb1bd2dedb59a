"""A row with a blank image, for batches without any image.

Where processes share a sharded model, the vision tower must run in all of them or in none; the same holds for video
entries, which run it a second time. Depends on a chat format; independent of batches and losses.
"""

from collections.abc import Mapping

import numpy as np
import torch

from agents.chat.chat import Chat
from pixel_env.episode import Prompt


def blank_row(features: Mapping[str, torch.Tensor], chat: Chat) -> tuple[tuple[int, ...], dict[str, torch.Tensor]]:
    """Ids and features of a conversation about a black image or video, what `features` lack; () if they lack none."""
    side = chat.image_factor
    black = np.zeros((side, side, 3), np.uint8)
    images = [] if "pixel_values" in features else [black]
    frames = (black,) * 2 if chat.holds_videos and "pixel_values_videos" not in features else ()
    if not images and not frames:
        return (), {}
    ids = chat.open(Prompt("", "?"), [*frames, *images], video_frames=len(frames))
    return ids, chat.features(images, [frames] if frames else [])
