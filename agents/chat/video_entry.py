"""A video as one entry of a prompt: its mark, its tokens and its features.

Qwen2-VL and Qwen2.5-VL read so many frames at a time as one step, and write a video as one run of placeholders.
Knows a processor and frames that already have their shown size. Knows nothing of conversations or engines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.chat.content_id import Frames
from agents.chat.feature_cache import Features
from agents.chat.template import Frame, read_video_mark, renderer
from pixel_env.errors import ConfigError, TaskError

Size = tuple[int, int]

SECONDS_PER_STEP = 1.0
"""Time between two steps, which places a video in the model's positions: 2 frames at 2 a second, as the released code
(and the model's own class, where it is told nothing) has it, whatever the video's real length."""


@dataclass(frozen=True, slots=True)
class VideoEntry:
    """How a processor's prompt shows a video: `mark` is what the template writes, `step` frames are read at once."""

    processor: Any
    mark: str
    token_id: int
    step: int

    def steps(self, sizes: Sequence[Size]) -> int:
        """Steps of a video with frames of these sizes; a last step that lacks frames repeats the last one."""
        if len(set(sizes)) > 1:
            raise TaskError(
                f"a video entry has frames of one size, and these are shown at {sorted(set(sizes))} (width, height). "
                "Make them equal, or show them as images: the dialect's name with ':frames' after it."
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

    Asked of the processor itself, with a small video: what it writes between frames (times, in Qwen3-VL's) stands in
    its code and not in its template.
    """
    token, tokenizer = getattr(processor, "video_token", None), processor.tokenizer
    mark = read_video_mark(renderer(processor), frame)
    if token is None or mark.count(token) != 1:
        raise _unusable(processor, "its template has no mark for a video")
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
        "as images: a dialect's name with ':frames' after it, or replace(dialect, video_entry=False) in Python."
    )
