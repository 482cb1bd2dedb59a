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

from PIL import Image

from pixel_env.errors import MediaError, one_line
from pixel_env.media.changes import FileStamp, Seen, changed, stamp_of
from pixel_env.media.orientation import upright_size
from pixel_env.media.picture_source import PictureSource
from pixel_env.media.pictures import decoded, opened
from pixel_env.media.sizes import ratio_fault
from pixel_env.tasks.files.truncation import TAIL_BYTES, lacks_end, reason_of
from pixel_env.views import Colors

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
class EmbeddedImage(PictureSource):
    """A source (`pixel_env.views.Source`) whose bytes are within a task file."""

    place: Place

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"image at {self.place.location} of {self.place.path}"

    @property
    def key(self) -> str:
        """sha256 of the image's bytes, as that of the same image in a file of its own. Raises MediaError."""
        return self._seen.hash

    @cached_property
    def _seen(self) -> Seen:
        stamp = self._stamp()  # first: a file that is written meanwhile is noticed later
        return Seen(hashlib.sha256(self._bytes()).hexdigest(), stamp)

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height of the image as shown, turned upright; only its header is decoded. Raises MediaError."""
        try:
            picture, file = self._header(self.place.ends(), with_metadata=True)
            with picture:
                return upright_size(picture, file)
        except Exception as error:  # a broken image makes Pillow's readers raise nearly anything
            raise MediaError(f"cannot read the {self.name}: {one_line(error)}") from error

    def _decoded(self, colors: Colors) -> Image.Image:
        content = self._bytes()
        before = self.__dict__.get("_seen")
        if before is not None and self._stamp() != before.stamp and hashlib.sha256(content).hexdigest() != before.hash:
            raise changed(f"the {self.name}")
        try:
            with opened(io.BytesIO(content)) as picture:
                return decoded(picture, colors)
        except Exception as error:  # as in size
            raise MediaError(f"cannot decode the {self.name}: {one_line(error)}") from error

    def fault(self) -> str:
        """Why the image cannot be used, or "", by its ends where these are cheap."""
        try:
            ends = self.place.ends()
            if ends is None:
                return ""
            picture, _ = self._header(ends)
            with picture:
                size, form = picture.size, picture.format or ""
            if fault := ratio_fault(*size):
                return fault
            if lacks_end(form, ends.head[:8], ends.tail, ends.length):
                self.decode()
        except Exception as error:  # as in size
            return reason_of(error.__cause__ or error)
        return ""

    def _header(self, ends: Ends | None, *, with_metadata: bool = False) -> tuple[Image.Image, io.BytesIO]:
        """The image, opened, and the file that it is read from; of most formats its beginning suffices."""
        if ends is not None:
            with suppress(Exception):  # a TIFF may have its directory at its end
                file = io.BytesIO(ends.head)
                picture = opened(file)
                # A PNG may have its orientation behind its pixels.
                if not with_metadata or picture.format != "PNG" or ends.length == len(ends.head):
                    return picture, file
        file = io.BytesIO(self.place.read())
        return opened(file), file

    def _stamp(self) -> FileStamp:
        return stamp_of(self.place.path, f"the {self.name}")

    def _bytes(self) -> bytes:
        try:
            return self.place.read()
        except (OSError, ValueError) as error:
            raise MediaError(f"cannot read the {self.name}: {error}") from error


def ends_of(content: bytes) -> Ends:
    """The ends of an image file that is in memory."""
    return Ends(content[:HEAD_BYTES], content[-TAIL_BYTES:], len(content))
