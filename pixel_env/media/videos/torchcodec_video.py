"""Videos read by torchcodec.

Depends on torchcodec; independent of segments and threads.
"""

import importlib
from pathlib import Path
from typing import Any

from PIL import Image

from pixel_env.frame_times import FrameTimes
from pixel_env.media.videos.measured_limits import QUARTER_TURNS, limit_of
from pixel_env.media.videos.video import check_size

_CODECS = ("avc1", "avc3", "hev1", "hvc1", "vp09", "av01")


class TorchcodecVideo:
    """A video read by torchcodec, which counts and turns frames and decodes forward by itself.

    As measured with torchcodec 0.12.0 on FFmpeg 8.1: right in MP4 and MOV files of H.264, H.265, VP9 and AV1 at a
    constant rate, except for periodic intra refresh (a seek finds frames that are not whole) and interlaced H.264
    (other colours). Behind a seek in AVI, MPEG-PS and MPEG-TS files it gives no frame. It counts frames that a cut
    start makes undecodable, mirrors nothing, turns by 45 degrees as by 90, tells no times of frames that it has not
    decoded, and drops alpha.
    """

    def __init__(self, path: Path) -> None:
        if limit := torchcodec_limit(path):
            raise ValueError(f"torchcodec may show other frames of it: {limit}. Install PyAV: pip install av")
        decoders: Any = importlib.import_module("torchcodec.decoders")
        self._decoder = decoders.VideoDecoder(str(path), dimension_order="NHWC", seek_mode="exact")
        self.times = FrameTimes(len(self._decoder), float(self._decoder.metadata.average_fps))

    def frame(self, number: int) -> Image.Image:
        """The frame."""
        image = Image.fromarray(self._decoder.get_frame_at(number).data.numpy())
        check_size(*image.size)
        return image

    def close(self) -> None:
        """Closes the decoder."""
        self._decoder = None


def torchcodec_limit(path: Path) -> str:
    """Why torchcodec is not used for the file, or ""."""
    return limit_of(path, _CODECS, QUARTER_TURNS)
