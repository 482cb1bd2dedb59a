"""`PointZoom`: a fixed window around a point."""

from collections.abc import Sequence
from dataclasses import dataclass

from pixel_env.boxes import Box
from pixel_env.failures import Failure
from pixel_env.media.images import native_size
from pixel_env.operations.argument_kinds import ImageNumber, Point
from pixel_env.operations.arguments import argument
from pixel_env.operations.crop_image import cut
from pixel_env.operations.operation import Operation, OperationRule, image_at
from pixel_env.task import Task
from pixel_env.views import View

WINDOW = 0.25
"""The window's sides, as a fraction of the image's, unless the dialect gives them in pixels (`Edges.window_pixels`)."""


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
        if isinstance(parent, Failure):
            return parent
        return cut(parent, self._window(rule.edges.window_pixels, *native_size(parent)), rule)

    def region(self) -> tuple[int, Box]:
        """The window, of a dialect that does not give it in pixels."""
        return self.image, self._window(None, 1, 1)

    def _window(self, pixels: int | None, width: int, height: int) -> Box:
        sides = [WINDOW if pixels is None else min(1.0, pixels / side) for side in (width, height)]
        x0, y0 = (min(max(0.0, centre - side / 2), 1.0 - side) for centre, side in zip(self.point, sides, strict=True))
        return Box(x0, y0, min(1.0, x0 + sides[0]), min(1.0, y0 + sides[1]))
