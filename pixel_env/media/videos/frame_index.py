"""The frames of a video file as PyAV decodes them: how many, when each begins, and where decoding may start.

Depends on PyAV; independent of pixels and of clips. In MP4, MOV, Matroska and WebM files the packets of the codecs
below are frames and have their times, so that they are listed without decoding; anything else is decoded once to be
counted.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from PIL import Image

from pixel_env.frame_times import FrameTimes, frame_times
from pixel_env.media.changes import FileStamp
from pixel_env.media.videos.upright import transpose_of
from pixel_env.media.videos.video import check_size

CONTAINERS = ("mov", "matroska", "avi", "mpeg", "mpegvideo", "mpegts", "asf", "flv", "ogg", "gif")
"""FFmpeg's names of the containers that are read: those that hold their frames themselves.

Left out: pictures, and lists (concat, HLS, DASH), which would show frames of other files, whatever their key says.
"""
INDEXED_CONTAINERS = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")
"""By FFmpeg's names. AVI and MPEG-PS have no presentation times, and a seek in them was measured to be off by one to
three frames; packets of the others may be parts of frames, or of several."""
INDEXED_CODECS = frozenset(
    {"h264", "hevc", "av1", "libdav1d", "libaom-av1", "vp8", "vp9"}
    | {"mjpeg", "prores", "png", "qtrle", "ffv1", "dnxhd", "rawvideo"}
)
"""MPEG-4 Part 2 is none of them: its packets may hold two frames or none (packed B-frames)."""
_PROGRESSIVE = (0, 1)
"""AVFieldOrder: unknown and progressive. The two fields of an interlaced frame may be two packets."""
_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""FFmpeg's own decoders of VP8 and VP9 drop the alpha plane of a WebM file, these do not."""
_REMEMBERED = 32
_UNNAMED = 32
"""Kinds of side data that FFmpeg may have beyond those of PyAV; it was four behind (av 18.1.0, FFmpeg 8.1)."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameIndex:
    """`times` of all frames; how each is turned; and where decoding may start.

    `begins`: presentation times in the stream's unit, one a frame, in order; None: the file is read from its start and
    its frames are counted. `keys`: presentation and decoding times of the key frames, in order of the first.
    """

    times: FrameTimes
    transpose: Image.Transpose | None
    begins: Sequence[int] | None
    keys: list[tuple[int, int]]


def opened(path: Path) -> tuple[Any, Any, Any]:
    """The container, its best video stream, and the decoder of it. Raises what PyAV raises, ValueError for no video."""
    import av

    try:
        # A title that is not UTF-8 says nothing about the frames.
        container = av.open(str(path), metadata_errors="replace", options={"format_whitelist": ",".join(CONTAINERS)})
    except av.error.ArgumentError as error:
        raise ValueError(f"it is no film that can be read; wanted: one of {', '.join(CONTAINERS)}") from error
    # A file may hold the same video in several sizes: take the best one, as the other decoders do.
    stream = container.streams.best("video")
    if stream is None:
        raise ValueError("it holds no video")
    decoder: Any = stream.codec_context
    if stream.metadata.get("alpha_mode") == "1" and decoder.name in _ALPHA_DECODERS:
        decoder = av.CodecContext.create(_ALPHA_DECODERS[decoder.name], "r")
    # Frame threads would decode frames ahead that the next seek drops; slice threads cost nothing.
    decoder.thread_type = "SLICE"
    return container, stream, decoder


def decoded(container: Any, stream: Any, decoder: Any) -> Iterator[Any]:
    """The frames from the container's position on, in the order of presentation."""
    for packet in container.demux(stream):
        yield from decoder.decode(packet if packet.size else None)


@lru_cache(maxsize=_REMEMBERED)
def frame_index(path: Path, stamp: FileStamp) -> FrameIndex:
    """The index of the file, which is read once. Raises what PyAV raises, ValueError where it has no frame."""
    container, stream, _ = opened(path)
    try:
        listed = _listed(container, stream)
    finally:
        container.close()
    return _counted(path) if listed is None else listed


def _listed(container: Any, stream: Any) -> FrameIndex | None:
    """The index, from the packets; None where they may not be the frames, one to one."""
    decoder = stream.codec_context
    check_size(decoder.width, decoder.height)
    is_indexed = container.format.name in INDEXED_CONTAINERS and decoder.name in INDEXED_CODECS
    if not is_indexed or decoder.field_order not in _PROGRESSIVE:
        return None
    begins: dict[int, int] = {}  # and how long each frame lasts
    keys: list[tuple[int, int]] = []
    first: Any = None
    for packet in container.demux(stream):
        if first is None:
            first = next(iter(decoder.decode(packet if packet.size else None)), None)
        if not packet.size or packet.is_discard or _is_hidden(packet, decoder.name):
            continue  # the last one is empty; an edit list discards others; some frames are only referred to
        if packet.pts is None or packet.pts in begins:
            return None
        begins[packet.pts] = packet.duration or 0
        if packet.is_keyframe:
            keys.append((packet.pts, packet.dts if packet.dts is not None else packet.pts))
    if first is None:
        raise ValueError("it has no frame")
    if first.pts != min(begins):
        return None  # its first packets refer to frames that the file does not have
    numbered = array("q", sorted(begins))
    times = _times(numbered, begins[numbered[-1]], stream.time_base, _stated_rate(stream))
    return FrameIndex(times, _transpose_of(first), numbered, sorted(keys))


def _is_hidden(packet: Any, codec: str) -> bool:
    """Whether a packet of VP8 or VP9 holds a frame that others refer to and that is not shown itself."""
    if codec not in ("vp8", "vp9"):
        return False
    content = memoryview(packet)
    if codec == "vp8":
        return not content[0] & 0x10  # show_frame (RFC 6386, 9.1)
    if content[-1] & 0xE0 == 0xC0:
        return False  # a superframe, which ends with the frame that is shown (VP9 bitstream specification, annex B)
    is_profile_3 = content[0] & 0x30 == 0x30
    shows_existing, shows = (0x04, 0x01) if is_profile_3 else (0x08, 0x02)
    return not content[0] & (shows_existing | shows)


def _counted(path: Path) -> FrameIndex:
    """The index, after decoding all of the file."""
    container, stream, decoder = opened(path)
    try:
        stated_rate, unit = _stated_rate(stream), stream.time_base  # gone once the container is closed
        begins: list[int | None] = []
        first: Any = None
        duration = 0
        for frame in decoded(container, stream, decoder):
            first = first or frame
            begins.append(frame.pts)
            duration = frame.duration or 0
    finally:
        container.close()
    if first is None:
        raise ValueError("it has no frame")
    # In order: those of AVI files are those of the packets, which come in the order of decoding.
    known = sorted(begin for begin in begins if begin is not None)
    has_times = len(set(known)) == len(begins)
    times = _times(known, duration, unit, stated_rate) if has_times else FrameTimes(len(begins), stated_rate)
    return FrameIndex(times, _transpose_of(first), None, [])


def _times(begins: Sequence[int], last: int, unit: Fraction, stated_rate: float | None) -> FrameTimes:
    units, per = unit.numerator, unit.denominator
    return frame_times([begin * units / per for begin in begins], last * units / per, stated_rate)


def _stated_rate(stream: Any) -> float | None:
    return float(stream.average_rate) if stream.average_rate else None


def _transpose_of(frame: Any) -> Image.Transpose | None:
    """How the frames are turned. Raises ValueError for a display matrix that cannot be followed."""
    from av.sidedata.sidedata import Type

    named: Any = Type
    try:
        side_data = frame.side_data
    except ValueError:  # PyAV has no name for some of it: EXIF of MJPEG, the views of a spatial film
        side_data = _without_unnamed(frame, max(kind.value for kind in named) + 1).side_data
    matrix = side_data.get(Type.DISPLAYMATRIX)
    return None if matrix is None else transpose_of(bytes(matrix))


def _without_unnamed(frame: Any, first: int) -> Any:
    """The frame without its side data of the kinds from the number `first` on."""
    from av.filter import Graph

    graph: Any = Graph()
    filters = [
        graph.add_buffer(width=frame.width, height=frame.height, format=frame.format.name, time_base=frame.time_base),
        *(graph.add("sidedata", f"mode=delete:type={kind}") for kind in range(first, first + _UNNAMED)),
        graph.add("buffersink"),
    ]
    for source, target in pairwise(filters):
        source.link_to(target)
    graph.configure()
    graph.push(frame)
    return graph.pull()
