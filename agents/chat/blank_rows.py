"""A row that has a picture, for batches that have none.

Where processes share a model's parts, the vision tower must run in all of them or in none; the same for video entries,
which run it once more. Knows a chat format. Knows nothing of batches or losses.
"""

from collections.abc import Mapping

import numpy as np
import torch

from agents.chat.chat import Chat
from pixel_env.episode import Prompt


def blank_row(features: Mapping[str, torch.Tensor], chat: Chat) -> tuple[tuple[int, ...], dict[str, torch.Tensor]]:
    """Ids and features of a conversation about black pictures of the kinds that `features` lack; () if of none."""
    side = chat.picture_factor
    black = np.zeros((side, side, 3), np.uint8)
    images = [] if "pixel_values" in features else [black]
    frames = (black,) * 2 if chat.holds_videos and "pixel_values_videos" not in features else ()
    if not images and not frames:
        return (), {}
    ids = chat.open(Prompt("", "?"), [*frames, *images], video_frames=len(frames))
    return ids, chat.features(images, [frames] if frames else [])
