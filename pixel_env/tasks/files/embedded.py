"""An image within a task file: a reference to its bytes, which are read when the image is used.

Depends on Pillow; independent of the syntax of files, which say where the bytes are (`Place`), and of task formats.
"""

import hashlib
import io
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Protocol

from PIL import Image, ImageOps

from pixel_env.errors import MediaError
from pixel_env.media.orientation import upright_size
from pixel_env.media.pictures import as_rgb
from pixel_env.media.sizes import MAX_ASPECT_RATIO
from pixel_env.tasks.files.truncation import TAIL_BYTES, lacks_end, reason_of

HEAD_BYTES = 3 << 18
"""How many bytes of an image's beginning are read for its header: a photograph may have long metadata before it."""


class Ends(NamedTuple):
    """The first HEAD_BYTES and the last TAIL_BYTES of an image file (fewer of a smaller one), and its length."""

    head: bytes
    tail: bytes
    length: int


class Place(Protocol):
    """Where the bytes of an image are within a file. Small, immutable and picklable."""

    @property
    def path(self) -> Path:
        """The file."""
        ...

    @property
    def location(self) -> str:
        """The place within the file, for people and for an index: "'image' of row 3"."""
        ...

    def __hash__(self) -> int:
        """Equal places have equal hashes."""
        ...

    def read(self) -> bytes:
        """The bytes of the image file. Raises OSError or ValueError if they cannot be read."""
        ...

    def ends(self) -> Ends | None:
        """The beginning and the end, None where these cost as much as all of it. Raises as `read` does."""
        ...


@dataclass(frozen=True)
class EmbeddedImage:
    """A source (`pixel_env.views.Source`) whose bytes are within a task file."""

    place: Place

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"image at {self.place.location} of {self.place.path}"

    @cached_property
    def key(self) -> str:
        """sha256 of the image's bytes, as that of the same image in a file of its own. Raises MediaError."""
        return hashlib.sha256(self._bytes()).hexdigest()

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height of the image as shown, turned upright; only its header is decoded. Raises MediaError."""
        try:
            opened, file = self._header(self.place.ends(), with_metadata=True)
            with opened:
                return upright_size(opened, file)
        except Exception as error:  # a broken image makes Pillow's readers raise nearly anything
            raise MediaError(f"cannot read the {self.name}: {error}") from error

    def decode(self) -> Image.Image:
        """The image, turned upright by its EXIF tag, transparency on white. Raises MediaError."""
        content = self._bytes()
        try:
            with Image.open(io.BytesIO(content)) as opened:
                ImageOps.exif_transpose(opened, in_place=True)  # not in place, an upright image would be copied
                return as_rgb(opened)
        except Exception as error:  # as in size
            raise MediaError(f"cannot decode the {self.name}: {error}") from error

    def fault(self, *, decode: bool = False) -> str:
        """Why the image cannot be used, or "": after decoding it (`decode`), else by its ends where these are cheap."""
        try:
            ends = self.place.ends()
            if ends is None and not decode:
                return ""
            opened, _ = self._header(ends)
            with opened:
                (width, height), form = opened.size, opened.format
            if max(width, height) > MAX_ASPECT_RATIO * min(width, height):
                return f"{width}x{height} is longer than {MAX_ASPECT_RATIO:.0f} to 1"
            if decode or (ends is not None and lacks_end(form, ends.head[:8], ends.tail, ends.length)):
                self.decode()
        except Exception as error:  # as in size
            return reason_of(error.__cause__ or error)
        return ""

    def _header(self, ends: Ends | None, *, with_metadata: bool = False) -> tuple[Image.Image, io.BytesIO]:
        """The image, opened, and the file that it is read from; of most formats its beginning suffices."""
        if ends is not None:
            with suppress(Exception):  # a TIFF may have its directory at its end
                file = io.BytesIO(ends.head)
                opened = Image.open(file)
                # A PNG may have its orientation behind its pixels.
                if not with_metadata or opened.format != "PNG" or ends.length == len(ends.head):
                    return opened, file
        file = io.BytesIO(self.place.read())
        return Image.open(file), file

    def _bytes(self) -> bytes:
        try:
            return self.place.read()
        except (OSError, ValueError) as error:
            raise MediaError(f"cannot read the {self.name}: {error}") from error


def ends_of(content: bytes) -> Ends:
    """The ends of an image file that is in memory."""
    return Ends(content[:HEAD_BYTES], content[-TAIL_BYTES:], len(content))
