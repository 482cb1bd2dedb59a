"""Truncated video files, recognised by the sizes in their containers, without decoding.

Depends on the layout of MP4, Matroska, RIFF and ASF (WMV) files; independent of decoders: what the sizes do not show,
decoding shows.
"""

import string
from pathlib import Path
from typing import BinaryIO

_LEAST_BYTES = 16
_MOST_BOXES = 10_000
_FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_TEXT = frozenset(string.printable.encode())
_EBML = b"\x1a\x45\xdf\xa3"
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_HEADER_BYTES = 1 << 16
_MATROSKA_SEGMENT = b"\x18\x53\x80\x67"


def truncation_fault(path: Path) -> str:
    """Why the file is not a complete video, or "". A file of any other container counts as complete."""
    try:
        length = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_LEAST_BYTES)
            if len(head) < _LEAST_BYTES:
                return f"it is truncated: it has {length} bytes"
            if head[4:8] in _FIRST_BOXES:
                return _mp4_fault(file, length)
            if head[:4] == b"RIFF":
                return _short_of(int.from_bytes(head[4:8], "little") + 8, length)
            if head[:4] == _EBML:
                return _short_of(_matroska_end(file), length)
            if head == _ASF_HEADER:
                return _short_of(_asf_length(file), length)
            # A web page that was saved instead of the video, or a Git LFS pointer.
            is_text = not head.startswith(b"GIF8") and all(byte in _TEXT for byte in head)
            return "it is a text file, not a video" if is_text else ""
    except OSError as error:
        return error.strerror or str(error)


def _short_of(expected_length: int, length: int) -> str:
    return f"it is truncated: it has {length} of {expected_length} bytes" if expected_length > length else ""


def _mp4_fault(file: BinaryIO, length: int) -> str:
    """A file of boxes, each with its size; the box with the index of the frames (moov) may be the last."""
    offset, has_frame_index = 0, False
    for _ in range(_MOST_BOXES):
        file.seek(offset)
        header = file.read(16)
        size, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if size == 1:
            size = int.from_bytes(header[8:16], "big")
        has_frame_index |= kind == b"moov"
        if size < 8:  # 0: the last box, up to the end of the file; other values: bytes appended after it
            break
        if offset + size > length and kind in (b"moov", b"mdat", b"moof"):
            return _short_of(offset + size, length)
        offset += size
        if offset >= length:
            break
    return "" if has_frame_index else "it is truncated: it has no index of its frames"


def _asf_length(file: BinaryIO) -> int:
    """The size that the file properties state (ASF specification, 3.2), at least that of its header."""
    file.seek(0)
    header = file.read(_ASF_HEADER_BYTES)
    start = header.find(_ASF_FILE_PROPERTIES) + 40  # behind two identifiers and the size of the properties
    stated = int.from_bytes(header[start : start + 8], "little") if start > 40 else 0
    return max(stated, int.from_bytes(header[16:24], "little"))


def _matroska_end(file: BinaryIO) -> int:
    """Where the segment ends, or at least has to reach if its size is truncated; 0 if a live recording has no size."""
    file.seek(4)
    header = _number(file)
    segment = file.seek(header or 0, 1)
    identifier = file.read(len(_MATROSKA_SEGMENT))
    if identifier != _MATROSKA_SEGMENT:
        return segment + len(_MATROSKA_SEGMENT) if len(identifier) < len(_MATROSKA_SEGMENT) else 0
    size = _number(file)
    offset = file.tell()
    if size is None:
        return offset if file.read(1) else offset + 1
    return offset + size


def _number(file: BinaryIO) -> int | None:
    """Matroska's variable-length number: the leading zero bits give the number of bytes. None: unknown size."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    more = 8 - first[0].bit_length()
    rest = file.read(more)
    bits = 7 * (more + 1)
    value = int.from_bytes(first + rest, "big") & ((1 << bits) - 1)
    return None if len(rest) < more or value == (1 << bits) - 1 else value
