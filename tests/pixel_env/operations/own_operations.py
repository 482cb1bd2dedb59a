"""An operation that is defined outside of the package, as a user would write it."""

from dataclasses import dataclass

from PIL import Image

from pixel_env.boxes import Box
from pixel_env.operations import Amount, ImageNumber, ImageOperation, argument


@dataclass(frozen=True, slots=True)
class Trim(ImageOperation):
    """Cut a margin off every side, and show what is left in grey."""

    name = "trim"
    description = "Look at an image without its margin, in grey."
    observation = "Here is the trimmed image (image {number}):"

    image: int = argument(ImageNumber())
    margin: float = argument(Amount(0.0, 0.4, "Share of each side that is cut off.", key="margin"))

    @property
    def _inside(self) -> Box:
        return Box(self.margin, self.margin, 1 - self.margin, 1 - self.margin)

    def result_size(self, width: int, height: int) -> tuple[int, int]:
        left, top, right, bottom = self._inside.pixels(width, height)
        return right - left, bottom - top

    def apply(self, image: Image.Image) -> Image.Image:
        return image.crop(self._inside.pixels(*image.size)).convert("L").convert("RGB")

    def to_input(self, box: Box) -> Box:
        return box.within(self._inside)

    def from_input(self, box: Box) -> Box | None:
        part = box.intersection(self._inside)
        return None if part is None else part.relative_to(self._inside)
