"""Sources of pixels that every task can have: an image file, an image in memory, a blank one.

Depends on decoded pictures; independent of tasks, episodes and caches.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from PIL import Image

from pixel_env.errors import MediaError, one_line
from pixel_env.media.changes import Seen, changed, seen, stamp_of
from pixel_env.media.picture_source import PictureSource
from pixel_env.media.pictures import decoded, opened
from pixel_env.views import Colors, Source

BLANK_PREFIX = "blank:"
"""Prefix of the key of a blank image."""


@dataclass(frozen=True)
class FileSource(PictureSource):
    """An image in a file. `key` is the content's hash, so copies of a file share one cache entry."""

    path: Path

    @property
    def key(self) -> str:
        """sha256 of the file's bytes, as they were when it was first asked for. Raises MediaError."""
        return self._seen.hash

    @cached_property
    def _seen(self) -> Seen:
        return seen(self.path, self._name)

    @property
    def _name(self) -> str:
        return f"the image {self.path}"

    def _decoded(self, colors: Colors) -> Image.Image:
        try:
            with opened(self.path) as picture:
                image = decoded(picture, colors)
        except Exception as error:  # a broken file makes Pillow's readers raise nearly anything
            self._check_unchanged()
            raise MediaError(f"cannot decode {self._name}: {one_line(error)}") from error
        self._check_unchanged()
        return image

    def _check_unchanged(self) -> None:
        """Raises MediaError if the file's content is no longer what `key` names."""
        before = self.__dict__.get("_seen")
        try:
            if (
                before is None
                or stamp_of(self.path, self._name) == before.stamp
                or seen(self.path, self._name).hash == before.hash
            ):
                return
        except MediaError:  # it is gone: told by who reads it
            return
        raise changed(self._name)


@dataclass(frozen=True, eq=False)
class ImageSource(PictureSource):
    """An image that the user already holds in memory. Like a file's, it is shown upright by its EXIF tag."""

    image: Image.Image

    @cached_property
    def key(self) -> str:
        """sha256 of the pixels and their size, and of a profile that changes them."""
        rgb, profile = self.decode_as_stored(), self.image.info.get("icc_profile") or b""
        pixels = rgb.tobytes()
        if profile and self.decode().tobytes() == pixels:
            profile = b""
        return hashlib.sha256(repr(rgb.size).encode() + pixels + profile).hexdigest()

    def _decoded(self, colors: Colors) -> Image.Image:
        try:
            return decoded(self.image, colors)
        except Exception as error:  # a broken file makes Pillow's readers raise nearly anything
            advice = "One that Image.open reads in a `with` block needs image.load() in that block."
            raise MediaError(f"cannot decode the PIL image that was given: {one_line(error)}. {advice}") from error


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
