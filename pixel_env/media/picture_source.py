"""What sources that hold an image file have in common: its pixels in sRGB, or in the colours that are stored.

Depends on views and Pillow; independent of where the file is.
"""

from abc import ABC, abstractmethod

from PIL import Image

from pixel_env.views import Colors


class PictureSource(ABC):
    """A source (`pixel_env.views.Source`) of one picture, which may have a colour profile (`ProfiledSource`)."""

    def decode(self) -> Image.Image:
        """The image as sRGB, upright, transparency on white.

        Raises MediaError if it cannot be read, or if its file has changed since `key` was asked for.
        """
        return self._decoded("srgb")

    def decode_as_stored(self) -> Image.Image:
        """As `decode`, whatever an embedded profile says about the colours."""
        return self._decoded("stored")

    @abstractmethod
    def _decoded(self, colors: Colors) -> Image.Image: ...
