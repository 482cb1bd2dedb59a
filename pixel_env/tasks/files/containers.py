"""Video files by their outer form: whether one is cut, told by the sizes that stand in it, without decoding it.

Knows how MP4, Matroska and RIFF files say how long they are. Decodes nothing: what no size tells, decoding does.
"""

import string
from pathlib import Path
from typing import BinaryIO

_LEAST_BYTES = 16
_MOST_BOXES = 10_000
_FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_TEXT = frozenset(string.printable.encode())
_EBML = b"\x1a\x45\xdf\xa3"
_MATROSKA_SEGMENT = b"\x18\x53\x80\x67"


def cut_fault(path: Path) -> str:
    """Why the file holds no whole video, or "". A file of another form than these counts as whole."""
    try:
        length = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_LEAST_BYTES)
            if len(head) < _LEAST_BYTES:
                return f"it is cut: it has {length} bytes"
            if head[4:8] in _FIRST_BOXES:
                return _mp4_fault(file, length)
            if head[:4] == b"RIFF":
                return _short_of(int.from_bytes(head[4:8], "little") + 8, length)
            if head[:4] == _EBML:
                return _short_of(_matroska_end(file), length)
            # A page that was saved in place of the video, or the pointer that a large file leaves in a repository.
            is_text = not head.startswith(b"GIF8") and all(sign in _TEXT for sign in head)
            return "it is a text, no video" if is_text else ""
    except OSError as error:
        return error.strerror or str(error)


def _short_of(wanted: int, length: int) -> str:
    return f"it is cut: it has {length} bytes of {wanted}" if wanted > length else ""


def _mp4_fault(file: BinaryIO, length: int) -> str:
    """A file of boxes, each with its size; the one that says where the frames lie may be the last."""
    place, tells_frames = 0, False
    for _ in range(_MOST_BOXES):
        file.seek(place)
        header = file.read(16)
        size, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if size == 1:
            size = int.from_bytes(header[8:16], "big")
        tells_frames |= kind == b"moov"
        if size < 8:  # 0 is the last box, to the end of the file; others are what somebody wrote behind it
            break
        if place + size > length and kind in (b"moov", b"mdat", b"moof"):
            return _short_of(place + size, length)
        place += size
        if place >= length:
            break
    return "" if tells_frames else "it is cut: it does not say where its frames lie"


def _matroska_end(file: BinaryIO) -> int:
    """Where the segment ends, or where the file is cut before it says so; a live recording leaves it open."""
    file.seek(4)
    header = _number(file)
    segment = file.seek(header or 0, 1)
    mark = file.read(len(_MATROSKA_SEGMENT))
    if mark != _MATROSKA_SEGMENT:
        return segment + len(_MATROSKA_SEGMENT) if len(mark) < len(_MATROSKA_SEGMENT) else 0
    size = _number(file)
    place = file.tell()
    if size is None:
        return place if file.read(1) else place + 1
    return place + size


def _number(file: BinaryIO) -> int | None:
    """Matroska's variable-length number: the zero bits in front say how many bytes follow. None: left open."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    more = 8 - first[0].bit_length()
    rest = file.read(more)
    bits = 7 * (more + 1)
    value = int.from_bytes(first + rest, "big") & ((1 << bits) - 1)
    return None if len(rest) < more or value == (1 << bits) - 1 else value
