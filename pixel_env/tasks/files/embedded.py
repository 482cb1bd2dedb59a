"""An image within a task file: a reference to its bytes, which are read when the image is used.

Depends on Pillow; independent of the syntax of files, which say where the bytes are (`Place`), and of task formats.
"""

import hashlib
import io
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from PIL import Image, ImageOps

from pixel_env.errors import MediaError
from pixel_env.media.images import as_rgb


class Place(Protocol):
    """Where the bytes of an image are within a file. Small, immutable and picklable.

    `str(place)` names it for people and for an index: "image of row 3 of train-00000-of-00019.parquet".
    """

    def read(self) -> bytes:
        """The bytes of the image file. Raises OSError or ValueError if they cannot be read."""
        ...


@dataclass(frozen=True)
class EmbeddedImage:
    """A source (`pixel_env.views.Source`) whose bytes are within a task file."""

    place: Place

    @cached_property
    def key(self) -> str:
        """sha256 of the image's bytes, as that of the same image in a file of its own."""
        return hashlib.sha256(self._bytes()).hexdigest()

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height of the image as it is shown, turned upright. Raises MediaError."""
        try:
            with Image.open(io.BytesIO(self._bytes())) as opened:
                return ImageOps.exif_transpose(opened).size
        except Exception as error:  # a broken image makes Pillow's readers raise nearly anything
            raise MediaError(f"cannot read the {self.place}: {error}") from error

    def decode(self) -> Image.Image:
        """The image, turned upright by its EXIF tag, transparency on white."""
        try:
            with Image.open(io.BytesIO(self._bytes())) as opened:
                return as_rgb(ImageOps.exif_transpose(opened))
        except MediaError:
            raise
        except Exception as error:  # as in size
            raise MediaError(f"cannot decode the {self.place}: {error}") from error

    def _bytes(self) -> bytes:
        try:
            return self.place.read()
        except (OSError, ValueError) as error:
            raise MediaError(f"cannot read the {self.place}: {error}") from error
