"""Images that are stored in the row itself, as the bytes of an image file (as `datasets` writes parquet).

Depends on Pillow; independent of rows.
"""

import hashlib
import io
from dataclasses import dataclass, field
from functools import cached_property

from PIL import Image, ImageOps

from pixel_env.errors import MediaError
from pixel_env.media.images import as_rgb


@dataclass(frozen=True)
class EncodedImage:
    """A source of pixels that holds the bytes of an image file."""

    data: bytes = field(repr=False)

    @cached_property
    def key(self) -> str:
        """sha256 of the bytes, equal to the key of a file with this content."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def suffix(self) -> str:
        """The ending of a file with these bytes, without its dot: "jpeg", "png". Raises MediaError for no image."""
        try:
            with Image.open(io.BytesIO(self.data)) as opened:
                return (opened.format or "png").lower()
        except Exception as error:  # as in decode
            raise MediaError(f"cannot decode an image of {len(self.data)} bytes in the row: {error}") from error

    def decode(self) -> Image.Image:
        """The image, turned upright by its EXIF tag, with transparency on white. Raises MediaError."""
        try:
            with Image.open(io.BytesIO(self.data)) as opened:
                ImageOps.exif_transpose(opened, in_place=True)
                return as_rgb(opened)
        except Exception as error:  # broken bytes make Pillow's readers raise nearly anything
            raise MediaError(f"cannot decode an image of {len(self.data)} bytes in the row: {error}") from error
