"""`Rotate`: turn an image by a quarter, a half or three quarters of a turn."""

from dataclasses import dataclass

from PIL import Image

from pixel_env.boxes import Box
from pixel_env.operations.argument_kinds import Choice, ImageNumber
from pixel_env.operations.arguments import argument
from pixel_env.operations.operation import ImageOperation

_TRANSPOSED = {
    90: Image.Transpose.ROTATE_270,  # Pillow counts against the clock
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Rotate(ImageOperation):
    """Turn image number `image` clockwise by `degrees`: 90, 180 or 270. No pixel is interpolated."""

    name = "rotate"
    description = "Turn an image, such as a page that was photographed sideways."
    observation = "Here is the rotated image (image {number}, {width}x{height} pixels):"

    image: int = argument(ImageNumber())
    degrees: int = argument(Choice((90, 180, 270), "How far to turn, clockwise.", key="degrees"))

    def result_size(self, width: int, height: int) -> tuple[int, int]:
        """A quarter turn exchanges width and height."""
        return (width, height) if self.degrees == 180 else (height, width)

    def apply(self, image: Image.Image) -> Image.Image:
        """The turned image."""
        return image.transpose(_TRANSPOSED[self.degrees])

    def to_input(self, box: Box) -> Box:
        """Turned back."""
        return _turned(box, 360 - self.degrees)

    def from_input(self, box: Box) -> Box:
        """Turned."""
        return _turned(box, self.degrees)


def _turned(box: Box, degrees: int) -> Box:
    """The box on an image that was turned clockwise: (x, y) goes to (1 - y, x) in a quarter turn."""
    match degrees:
        case 90:
            return Box(1 - box.y1, box.x0, 1 - box.y0, box.x1)
        case 180:
            return Box(1 - box.x1, 1 - box.y1, 1 - box.x0, 1 - box.y0)
        case _:
            return Box(box.y0, 1 - box.x1, box.y1, 1 - box.x0)
