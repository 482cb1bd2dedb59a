"""`Flip`: mirror an image."""

from dataclasses import dataclass

from PIL import Image

from pixel_env.boxes import Box
from pixel_env.operations.argument_kinds import Choice, ImageNumber
from pixel_env.operations.arguments import argument
from pixel_env.operations.operation import ImageOperation


@dataclass(frozen=True, slots=True)
class Flip(ImageOperation):
    """Mirror image number `image`: `horizontal` exchanges left and right, `vertical` top and bottom."""

    name = "flip"
    description = "Mirror an image, such as writing that is seen in a mirror."
    observation = "Here is the mirrored image (image {number}, {width}x{height} pixels):"

    image: int = argument(ImageNumber())
    direction: str = argument(
        Choice(
            ("horizontal", "vertical"),
            "horizontal exchanges left and right, vertical exchanges top and bottom.",
            key="direction",
        )
    )

    def apply(self, image: Image.Image) -> Image.Image:
        """The mirrored image."""
        is_horizontal = self.direction == "horizontal"
        return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT if is_horizontal else Image.Transpose.FLIP_TOP_BOTTOM)

    def to_input(self, box: Box) -> Box:
        """Mirrored; mirroring twice changes nothing."""
        if self.direction == "horizontal":
            return Box(1 - box.x1, box.y0, 1 - box.x0, box.y1)
        return Box(box.x0, 1 - box.y1, box.x1, 1 - box.y0)

    def from_input(self, box: Box) -> Box:
        """Mirrored."""
        return self.to_input(box)
