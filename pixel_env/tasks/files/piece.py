"""An image that is a piece of a file: bytes within an archive, or base64 within a text.

Depends on bytes; independent of the syntax around the piece.
"""

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path

from pixel_env.tasks.files.embedded import HEAD_BYTES, Ends
from pixel_env.tasks.files.truncation import TAIL_BYTES

_HEAD_CHARACTERS = HEAD_BYTES // 3 * 4
_TAIL_CHARACTERS = (TAIL_BYTES // 3 + 1) * 4


@dataclass(frozen=True, slots=True)
class Piece:
    """`length` bytes from byte `start` of a file (a place, `embedded.Place`): an image, or its base64.

    The base64 may be escaped as JSON allows: a slash as two characters, a line break as two.
    """

    path: Path
    start: int
    length: int
    is_base64: bool = False

    @property
    def location(self) -> str:
        """The first byte."""
        return f"byte {self.start}"

    def read(self) -> bytes:
        """The bytes of the image."""
        content = self._read(0, self.length)
        return decoded(content) if self.is_base64 else content

    def ends(self) -> Ends:
        """The first and the last bytes of the image."""
        if not self.is_base64:
            tail = min(TAIL_BYTES, self.length)
            return Ends(self._read(0, min(HEAD_BYTES, self.length)), self._read(self.length - tail, tail), self.length)
        if self.length <= _HEAD_CHARACTERS + _TAIL_CHARACTERS:
            content = self.read()
            return Ends(content, content[-TAIL_BYTES:], len(content))
        first = self._read(0, _HEAD_CHARACTERS)
        last = self._read(self.length - _TAIL_CHARACTERS, _TAIL_CHARACTERS)
        if any(sign in first + last for sign in (b"\\", b"\n", b"data:")):  # groups of four are elsewhere
            content = self.read()
            return Ends(content[:HEAD_BYTES], content[-TAIL_BYTES:], len(content))
        offset = self.length % 4
        return Ends(decoded(first), decoded(last[offset:]), self.length * 3 // 4)

    def _read(self, start: int, length: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(self.start + start)
            return file.read(length)


def decoded(text: bytes) -> bytes:
    """The bytes that the base64 stands for, with or without the beginning of a data URL. Raises ValueError."""
    if b"\\" in text:
        text = text.replace(b"\\/", b"/").replace(b"\\n", b"").replace(b"\\r", b"")
    if text.startswith(b"data:"):
        text = text.partition(b",")[2]
    stripped = b"".join(text.split())
    try:
        return base64.b64decode(stripped + b"=" * (-len(stripped) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError(f"it is not base64: {error}") from error
