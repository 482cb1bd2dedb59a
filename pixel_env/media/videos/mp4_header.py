"""The video tracks of an MP4 or MOV file, read from its header without a decoder.

Depends on the layout of ISO base media files (ISO/IEC 14496-12); independent of decoders. The files of a decoder that
tells neither display matrix nor times are judged by it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_MOST_HEADER_BYTES = 64 * 2**20
_PARENTS = (b"trak", b"mdia", b"minf", b"stbl", b"edts")
_MATRIX_BYTES = 36


@dataclass(frozen=True, slots=True)
class Mp4Video:
    """A video track: its codec's four characters, size as stored, display matrix, and what its tables say.

    `matrix`: nine big-endian 32-bit numbers; `is_constant`: every frame but the
    last is as long as the others; `is_cut`: an edit list leaves frames out, or shows some at another time.
    """

    codec: str
    width: int
    height: int
    matrix: bytes
    is_constant: bool
    is_cut: bool


def mp4_videos(path: Path) -> list[Mp4Video]:
    """The video tracks of the file; none for a file of another kind. Raises OSError."""
    with path.open("rb") as file:
        if file.read(8)[4:8] not in (b"ftyp", b"moov", b"wide", b"mdat", b"free", b"skip"):
            return []
        header = _moov(file)
    tracks = (_video(content) for kind, content in _boxes(header) if kind == b"trak")
    return [track for track in tracks if track is not None]


def _moov(file: BinaryIO) -> bytes:
    """The box with all that is said of the tracks; b"" without one."""
    offset = 0
    while True:
        file.seek(offset)
        head = file.read(16)
        size, kind, begin = int.from_bytes(head[:4], "big"), head[4:8], 8
        if size == 1:
            size, begin = int.from_bytes(head[8:16], "big"), 16
        if len(head) < 8 or size < begin:
            return b""
        if kind == b"moov":
            file.seek(offset + begin)
            return file.read(min(size - begin, _MOST_HEADER_BYTES))
        offset += size


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    offset = 0
    while offset + 8 <= len(content):
        size = int.from_bytes(content[offset : offset + 4], "big") or len(content) - offset
        if size < 8:
            return
        yield content[offset + 4 : offset + 8], content[offset + 8 : offset + size]
        offset += size


def _tables(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The boxes inside of a track, without those that only hold others."""
    for kind, inside in _boxes(content):
        if kind in _PARENTS:
            yield from _tables(inside)
        else:
            yield kind, inside


def _video(track: bytes) -> Mp4Video | None:
    tables = dict(reversed(list(_tables(track))))
    if tables.get(b"hdlr", b"")[8:12] != b"vide" or not {b"tkhd", b"stsd", b"stts"} <= tables.keys():
        return None
    header, entry, lengths = tables[b"tkhd"], tables[b"stsd"][8:], _numbers(tables[b"stts"][8:])
    matrix_at = 52 if header[:1] == b"\1" else 40
    counted = list(zip(lengths[::2], lengths[1::2], strict=False))
    if counted and counted[-1][0] == 1 and len(counted) > 1:
        counted.pop()  # how long the last frame lasts
    return Mp4Video(
        codec=entry[4:8].decode("latin-1"),
        width=int.from_bytes(entry[32:34], "big"),
        height=int.from_bytes(entry[34:36], "big"),
        matrix=header[matrix_at : matrix_at + _MATRIX_BYTES],
        is_constant=len({length for _, length in counted}) == 1,
        is_cut=_is_cut(tables.get(b"elst", b""), tables.get(b"ctts", b"")),
    )


def _is_cut(edits: bytes, offsets: bytes) -> bool:
    """Whether an edit list does more than to begin at the first frame."""
    count = int.from_bytes(edits[4:8], "big")
    if count == 0:
        return False
    wide = edits[:1] == b"\1"
    begin = int.from_bytes(edits[16:24] if wide else edits[12:16], "big", signed=True)
    first_frame = int.from_bytes(offsets[12:16], "big", signed=True)
    return count > 1 or begin != first_frame


def _numbers(content: bytes) -> list[int]:
    return [int.from_bytes(content[at : at + 4], "big") for at in range(0, len(content) - 3, 4)]
