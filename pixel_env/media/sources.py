"""Sources of pixels that every task can have: an image file, an image in memory, a blank one.

Depends on decoded pictures; independent of tasks, episodes and caches.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from PIL import ExifTags, Image, ImageOps

from pixel_env.errors import MediaError
from pixel_env.media.pictures import as_rgb
from pixel_env.views import Source

BLANK_PREFIX = "blank:"
"""Prefix of the key of a blank image."""

_UPRIGHT = 1


@dataclass(frozen=True)
class FileSource:
    """An image in a file. `key` is the content's hash, so copies of a file share one cache entry."""

    path: Path

    @cached_property
    def key(self) -> str:
        """sha256 of the file's bytes."""
        try:
            return hashlib.sha256(self.path.read_bytes()).hexdigest()
        except OSError as error:
            raise MediaError(f"cannot read the image {self.path}: {error.strerror}") from error

    def decode(self) -> Image.Image:
        """The image, turned upright by its EXIF tag, transparency on white."""
        try:
            with Image.open(self.path) as opened:
                ImageOps.exif_transpose(opened, in_place=True)  # not in place, an upright image would be copied
                return as_rgb(opened)
        except Exception as error:  # a broken file makes Pillow's readers raise nearly anything
            raise MediaError(f"cannot decode the image {self.path}: {error}") from error


@dataclass(frozen=True, eq=False)
class ImageSource:
    """An image that the user already holds in memory. Like a file's, it is shown upright by its EXIF tag."""

    image: Image.Image

    @cached_property
    def key(self) -> str:
        """sha256 of the pixels and their size."""
        rgb = self.decode()
        return hashlib.sha256(repr(rgb.size).encode() + rgb.tobytes()).hexdigest()

    def decode(self) -> Image.Image:
        """The image as RGB, upright. Raises MediaError if it cannot be read, as one whose file is closed already."""
        try:
            is_turned = self.image.getexif().get(ExifTags.Base.Orientation, _UPRIGHT) != _UPRIGHT
            return as_rgb(ImageOps.exif_transpose(self.image) if is_turned else self.image)
        except Exception as error:  # a broken file makes Pillow's readers raise nearly anything
            advice = "One that Image.open reads in a `with` block needs image.load() in that block."
            raise MediaError(f"cannot decode the PIL image that was given: {error}. {advice}") from error


_GREY = (128, 128, 128)


@dataclass(frozen=True, slots=True)
class BlankSource:
    """A mid-grey image of the size of the source `of`, shown instead of it."""

    of: Source

    @classmethod
    def instead_of(cls, source: Source) -> "BlankSource":
        """The blank image for `source`; a blank source is returned as it is."""
        return source if isinstance(source, cls) else cls(source)

    @property
    def key(self) -> str:
        """Contains the key of the source that it replaces, so that the viewer can show where the operation was."""
        return f"{BLANK_PREFIX}{self.of.key}"

    def decode(self) -> Image.Image:
        """The blank image. Raises MediaError if the source cannot be read."""
        # Not through the cache: a decoder that waits for another one could wait forever.
        return Image.new("RGB", self.of.decode().size, _GREY)
