"""A video as one entry of a prompt: its placeholder string, its tokens and its features.

Qwen2-VL and Qwen2.5-VL read a fixed number of frames as one step, and write a video as one run of placeholders.
Depends on a processor and on frames that already have their shown size; independent of conversations and engines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.chat.content_id import Frames
from agents.chat.feature_cache import Features
from agents.chat.template import Frame, read_video_mark, renderer
from pixel_env.errors import ConfigError, TaskError
from pixel_env.operations.coordinates import Size

SECONDS_PER_STEP = 1.0
"""Seconds between two steps, from which M-RoPE temporal positions follow: 2 frames at 2 per second, as in the released
code (and as the default of the model's own class), whatever the video's real length."""


@dataclass(frozen=True, slots=True)
class VideoEntry:
    """How a processor shows a video in a prompt: the template writes `mark`; `step` frames are one temporal patch."""

    processor: Any
    mark: str
    token_id: int
    step: int

    def steps(self, sizes: Sequence[Size]) -> int:
        """Steps of a video with frames of these sizes; the last frame fills the last step. Raises TaskError."""
        if len(set(sizes)) > 1:
            raise TaskError(
                f"a video entry needs frames of one size, got {sorted(set(sizes))} (width, height). "
                "Make the sizes equal, or show the frames as images: append ':frames' to the dialect's name."
            )
        return -(-len(sizes) // self.step)

    def processed(self, videos: list[Frames]) -> list[Features]:
        """The features of each video."""
        return [self._features_of(np.stack(frames)) for frames in videos]

    def _features_of(self, frames_THWC: np.ndarray) -> Features:
        batch = self.processor.video_processor(
            videos=[frames_THWC],
            do_resize=False,
            do_sample_frames=False,
            return_tensors="pt",
            input_data_format="channels_last",
        )
        return Features(batch["pixel_values_videos"], batch["video_grid_thw"][0])


def read_video_entry(processor: Any, frame: Frame, factor: int) -> VideoEntry:
    """The entry of `processor`'s template. Raises ConfigError unless it is one plain run of placeholders.

    A small video is processed to find out: what the processor writes between frames (timestamps in Qwen3-VL) is in its
    code and not in its template.
    """
    token, tokenizer = getattr(processor, "video_token", None), processor.tokenizer
    mark = read_video_mark(renderer(processor), frame)
    if token is None or mark.count(token) != 1:
        raise _unusable(processor, "its template has no placeholder for a video")
    step = processor.video_processor.temporal_patch_size
    entry = VideoEntry(processor, mark, processor.video_token_id, step)
    frames = np.zeros((2 * step, factor, factor, 3), np.uint8)
    expected = tokenizer.encode(mark.replace(token, 2 * token), add_special_tokens=False)
    written = processor(text=[mark], videos=[frames], do_resize=False, do_sample_frames=False)["input_ids"][0]
    if list(written) != expected:
        raise _unusable(processor, f"it writes {tokenizer.decode(written)!r} for a video of {2 * step} frames")
    return entry


def _unusable(processor: Any, reason: str) -> ConfigError:
    return ConfigError(
        f"{type(processor).__name__} cannot show a video as one plain entry of the prompt: {reason}. Show its frames "
        "as images: append ':frames' to the dialect's name, or use replace(dialect, video_entry=False) in Python."
    )
