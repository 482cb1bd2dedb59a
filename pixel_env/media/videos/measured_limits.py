"""Which files decord and torchcodec read as PyAV does, as measured: MP4 and MOV files, judged by their header.

Depends on the header of MP4 files; independent of decoders. docs/media.md has the command that measures.
"""

from collections.abc import Container
from pathlib import Path

from PIL import Image

from pixel_env.media.videos.mp4_header import mp4_videos
from pixel_env.media.videos.upright import transpose_of
from pixel_env.media.videos.video import check_size

QUARTER_TURNS = (None, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)


def limit_of(path: Path, codecs: Container[str], transposes: Container[Image.Transpose | None]) -> str:
    """Why a decoder of these `codecs` that turns frames in these ways would show other frames; "" if it would not.

    Raises OSError for a file that cannot be read, ValueError for one that no decoder shows.
    """
    tracks = mp4_videos(path)
    if len(tracks) != 1:
        return f"it is no MP4 or MOV file with one video track, it has {len(tracks)}"
    [track] = tracks
    check_size(track.width, track.height)
    if track.codec not in codecs:
        return f"its codec is {track.codec!r}"
    if transpose_of(track.matrix, "big") not in transposes:
        return "its frames are mirrored"
    if track.is_cut:
        return "an edit list leaves out some of it"
    return "" if track.is_constant else "its rate varies"
