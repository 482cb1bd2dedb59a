"""Pictures that stand in a row itself, as the bytes of an image file (`datasets` writes parquet so).

Knows bytes and Pillow. Knows nothing of rows.
"""

import hashlib
import io
from dataclasses import dataclass, field
from functools import cached_property

from PIL import Image, ImageOps

from pixel_env.errors import MediaError
from pixel_env.media.images import as_rgb


@dataclass(frozen=True)
class EncodedPicture:
    """A source of pixels that holds its file's bytes."""

    data: bytes = field(repr=False)

    @cached_property
    def key(self) -> str:
        """sha256 of the bytes: that of a file with this content."""
        return hashlib.sha256(self.data).hexdigest()

    def decode(self) -> Image.Image:
        """The picture, turned upright by its EXIF tag, transparency on white. Raises MediaError."""
        try:
            with Image.open(io.BytesIO(self.data)) as opened:
                ImageOps.exif_transpose(opened, in_place=True)
                return as_rgb(opened)
        except Exception as error:  # broken bytes make Pillow's readers raise nearly anything
            raise MediaError(f"cannot decode a picture of {len(self.data)} bytes in the row: {error}") from error
