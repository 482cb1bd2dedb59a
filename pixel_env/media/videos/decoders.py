"""Which library decodes a video: the first installed one that shows this file as PyAV does.

Depends on the decoders; independent of segments and threads.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pixel_env.errors import MissingExtraError, UnknownNameError
from pixel_env.media.videos.av_video import PyAvVideo
from pixel_env.media.videos.decord_video import DecordVideo, decord_limit
from pixel_env.media.videos.torchcodec_video import TorchcodecVideo, torchcodec_limit
from pixel_env.media.videos.video import Video


@dataclass(frozen=True, slots=True)
class Decoder:
    """`opens` a video; `limit`: why it would show other frames of a file than PyAV, "" if it shows the same."""

    opens: Callable[[Path], Video]
    limit: Callable[[Path], str]


DECODERS: dict[str, Decoder] = {
    "av": Decoder(PyAvVideo, lambda path: ""),
    "torchcodec": Decoder(TorchcodecVideo, torchcodec_limit),
    "decord": Decoder(DecordVideo, decord_limit),
}
"""By the package that each needs, the most trusted first: PyAV reads every file that FFmpeg reads."""


def decoder_named(name: str) -> Decoder:
    """The decoder that uses the package `name`. Raises UnknownNameError."""
    if name not in DECODERS:
        raise UnknownNameError.among("video decoder", name, DECODERS)
    return DECODERS[name]


def is_installed(package: str) -> bool:
    """Whether the decoder's package can be imported."""
    try:
        importlib.import_module(package)
    except (ImportError, OSError, RuntimeError):  # installed without the FFmpeg that it was built for
        return False
    return True


@cache
def installed_decoders() -> tuple[Decoder, ...]:
    """The decoders whose packages can be imported, in order. Raises MissingExtraError if there is none."""
    found = tuple(decoder for name, decoder in DECODERS.items() if is_installed(name))
    if not found:
        raise MissingExtraError.needs("a video file", "video")
    return found


def open_video(path: Path) -> Video:
    """The video, open. Raises MissingExtraError, and what decoders raise.

    Where every installed decoder has a limit, opening the file with the first one says which.
    """
    first, *others = installed_decoders()
    for decoder in (first, *others) if others else ():
        if not decoder.limit(path):
            return decoder.opens(path)
    return first.opens(path)
