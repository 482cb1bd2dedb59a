"""Images that are stored in the row itself, as the bytes of an image file (as `datasets` writes parquet).

Depends on Pillow and on references into files of rows; independent of the forms of rows.
"""

import hashlib
import io
from dataclasses import dataclass, field
from functools import cached_property

from PIL import Image

from pixel_env.errors import MediaError
from pixel_env.media.picture_source import PictureSource
from pixel_env.media.pictures import decoded, opened
from pixel_env.tasks.files.embedded import EmbeddedImage
from pixel_env.views import Colors


@dataclass(frozen=True)
class EncodedImage(PictureSource):
    """A source of pixels that holds the bytes of an image file."""

    data: bytes = field(repr=False)

    @cached_property
    def key(self) -> str:
        """sha256 of the bytes, equal to the key of a file with this content."""
        return hashlib.sha256(self.data).hexdigest()

    def _decoded(self, colors: Colors) -> Image.Image:
        try:
            with opened(io.BytesIO(self.data)) as picture:
                return decoded(picture, colors)
        except Exception as error:  # broken bytes make Pillow's readers raise nearly anything
            raise MediaError(f"cannot decode an image of {len(self.data)} bytes in the row: {error}") from error


HeldImage = EncodedImage | EmbeddedImage
"""An image that the row holds: its bytes, or a reference to them in the file of the row."""


def bytes_of(image: HeldImage) -> bytes:
    """The bytes of the image file. Raises MediaError if they cannot be read."""
    if isinstance(image, EncodedImage):
        return image.data
    try:
        return image.place.read()
    except (OSError, ValueError) as error:
        raise MediaError(f"cannot read an image of the row: {error}") from error


def suffix_of(data: bytes) -> str:
    """The ending of the name of a file with these bytes, without its dot: "jpeg", "png". Raises MediaError."""
    try:
        with opened(io.BytesIO(data)) as picture:
            return (picture.format or "png").lower()
    except Exception as error:  # as in decode
        raise MediaError(f"cannot decode an image of {len(data)} bytes in the row: {error}") from error
