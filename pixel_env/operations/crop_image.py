"""`CropImage`: zoom into a region of an image."""

from collections.abc import Sequence
from dataclasses import dataclass

from pixel_env.boxes import FULL, Box
from pixel_env.failures import Failure
from pixel_env.media.sizes import native_size
from pixel_env.operations.argument_kinds import ImageNumber, Region
from pixel_env.operations.arguments import argument
from pixel_env.operations.operation import Operation, OperationRule, image_at
from pixel_env.task import Task
from pixel_env.views import View


@dataclass(frozen=True, slots=True)
class CropImage(Operation):
    """Zoom into `box` of image number `image` (from 0: the task's images first, then every observation's, in order).

    The result is a view of the *source*, so that a crop of a crop loses no resolution, unless the dialect crops what
    was shown. `Edges` (edges.py) has the rules by which a box becomes the region that is cut.
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
        return parent if isinstance(parent, Failure) else cut(parent, self.box, rule)

    def region(self) -> tuple[int, Box]:
        """The box, without the dialect's padding."""
        return self.image, self.box

    def shown(self) -> str:
        """For people; images count from 1, the box is fractions."""
        return f"crop image {self.image + 1} at {' '.join(f'{corner:.3f}' for corner in self.box.corners)}"


def cut(parent: View, box: Box, rule: OperationRule) -> tuple[View] | Failure:
    """The view that is cut for `box` on `parent` by the dialect's edge rules. Raises MediaError."""
    edges, of_shown = rule.edges, not rule.crops_source
    width, height = native_size(parent)
    region = edges.region(box, width, height)
    view = parent.cut(region, of_shown=of_shown, rounding=edges.rounding)
    left, top, right, bottom = region.rounded(width, height, edges.rounding)
    fault = edges.fault(*(native_size(view) if right > left and bottom > top else (right - left, bottom - top)))
    if fault is not None and edges.whole_image_on_failure:
        view, fault = parent.cut(FULL, of_shown=of_shown), None
    return (view.magnified(edges.magnify, edges.magnified_pixels),) if fault is None else fault
