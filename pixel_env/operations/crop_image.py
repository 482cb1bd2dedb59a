"""`CropImage`: zoom into a region of an image."""

from collections.abc import Sequence
from dataclasses import dataclass

from pixel_env.boxes import Box
from pixel_env.failures import Failure, FailureCode
from pixel_env.media.images import MAX_ASPECT_RATIO, native_size
from pixel_env.operations.argument_kinds import ImageNumber, Region
from pixel_env.operations.arguments import argument
from pixel_env.operations.operation import Operation, OperationRule, image_at
from pixel_env.task import Task
from pixel_env.views import View


@dataclass(frozen=True, slots=True)
class CropImage(Operation):
    """Zoom into `box` of image number `image` (from 0: the task's images first, then every observation's, in order).

    The result is a view of the *source*, so that a crop of a crop loses no resolution. The padded box must have at
    least `min_crop_side` source pixels on each side and must not be longer than 200 to 1.
    """

    name = "crop_image"
    description = "Zoom in on a region of an image."
    observation = "Here is the cropped image (image {number}, {width}x{height} pixels):"
    wire_order = ("box", "image")

    image: int = argument(ImageNumber())
    box: Box = argument(Region())

    def run(self, views: Sequence[View], task: Task, rule: OperationRule) -> tuple[View, ...] | Failure:
        """One view. Failures: `no_such_image`, `crop_too_small`, `crop_too_long`."""
        parent = image_at(views, self.image, rule)
        return parent if isinstance(parent, Failure) else cut(parent, self.box.padded(rule.padding), rule)

    def region(self) -> tuple[int, Box]:
        """The box, without the dialect's padding."""
        return self.image, self.box

    def shown(self) -> str:
        """For people; images count from 1, the box is fractions."""
        return f"crop image {self.image + 1} at {' '.join(f'{corner:.3f}' for corner in self.box.corners)}"


def cut(parent: View, box: Box, rule: OperationRule) -> tuple[View] | Failure:
    """The view of `box` on `parent`, if a dialect allows one of its size. Raises MediaError."""
    view = parent.cut(box, of_shown=not rule.crops_source)
    width, height = native_size(view)
    if min(width, height) < rule.min_crop_side:
        return Failure(
            FailureCode.CROP_TOO_SMALL,
            f"The crop is too small: {width}x{height} pixels of the source; "
            f"each side must have at least {rule.min_crop_side}.",
        )
    if max(width, height) > MAX_ASPECT_RATIO * min(width, height):
        return Failure(
            FailureCode.CROP_TOO_LONG,
            f"The crop is too long: {width}x{height} pixels of the source; at most {MAX_ASPECT_RATIO:.0f} to 1.",
        )
    return (view,)
