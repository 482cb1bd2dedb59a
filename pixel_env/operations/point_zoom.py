"""`PointZoom`: a fixed window around a point."""

from collections.abc import Sequence
from dataclasses import dataclass

from pixel_env.boxes import Box
from pixel_env.failures import Failure
from pixel_env.operations.argument_kinds import ImageNumber, Point
from pixel_env.operations.arguments import argument
from pixel_env.operations.crop_image import cut
from pixel_env.operations.operation import Operation, OperationRule, image_at
from pixel_env.task import Task
from pixel_env.views import View

WINDOW = 0.25
"""The window's sides, as a fraction of the image's: a sixteenth of its area."""


@dataclass(frozen=True, slots=True)
class PointZoom(Operation):
    """Zoom into the window around `point` of image number `image`; at the border the window is moved inside."""

    name = "point_zoom"
    description = "Zoom in on the surroundings of a point of an image."
    observation = "Here are the surroundings of the point (image {number}, {width}x{height} pixels):"
    wire_order = ("point", "image")

    image: int = argument(ImageNumber())
    point: tuple[float, float] = argument(Point())

    def run(self, views: Sequence[View], task: Task, rule: OperationRule) -> tuple[View, ...] | Failure:
        """One view. Failures: `no_such_image`, `crop_too_small`, `crop_too_long`."""
        parent = image_at(views, self.image, rule)
        return parent if isinstance(parent, Failure) else cut(parent, self.region()[1], rule)

    def region(self) -> tuple[int, Box]:
        """The window."""
        x0, y0 = (min(max(0.0, centre - WINDOW / 2), 1.0 - WINDOW) for centre in self.point)
        return self.image, Box(x0, y0, x0 + WINDOW, y0 + WINDOW)
