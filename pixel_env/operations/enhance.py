"""`Enhance`: more or less contrast and sharpness."""

from dataclasses import dataclass

from PIL import Image, ImageEnhance

from pixel_env.operations.argument_kinds import Amount, ImageNumber
from pixel_env.operations.arguments import argument
from pixel_env.operations.operation import ImageOperation


@dataclass(frozen=True, slots=True)
class Enhance(ImageOperation):
    """Change contrast and sharpness of image number `image`; 1 changes nothing, 0 leaves none, more than 1 adds some.

    The factors are Pillow's (`ImageEnhance`): a blend of the image with its mean grey, and with a smoothed copy.
    """

    name = "enhance"
    description = "Look at an image with another contrast or sharpness."
    observation = "Here is the enhanced image (image {number}, {width}x{height} pixels):"

    image: int = argument(ImageNumber())
    contrast: float = argument(Amount(0.25, 4.0, "1 leaves the contrast as it is.", key="contrast"), default=1.0)
    sharpness: float = argument(Amount(0.0, 4.0, "1 leaves the sharpness as it is.", key="sharpness"), default=1.0)

    def apply(self, image: Image.Image) -> Image.Image:
        """The enhanced image."""
        contrasted = ImageEnhance.Contrast(image).enhance(self.contrast)
        return ImageEnhance.Sharpness(contrasted).enhance(self.sharpness)
