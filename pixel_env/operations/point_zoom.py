"""`PointZoom`: a fixed window around a point."""

from collections.abc import Sequence
from dataclasses import dataclass

from pixel_env.boxes import Box
from pixel_env.edges import Edges
from pixel_env.failures import Failure, FailureCode
from pixel_env.media.sizes import native_size
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
        """One view. Failures: `no_such_image`, `box_outside`, `crop_too_small`, `crop_too_long`."""
        parent = image_at(views, self.image, rule)
        if isinstance(parent, Failure):
            return parent
        window = self._window(rule.edges, *native_size(parent))
        return window if isinstance(window, Failure) else cut(parent, window, rule)

    def region(self) -> tuple[int, Box] | None:
        """The window of a dialect that does not give it in pixels; None for a point whose window lies outside."""
        window = self._window(Edges(), 1, 1)
        return None if isinstance(window, Failure) else (self.image, window)

    def _window(self, edges: Edges, width: int, height: int) -> Box | Failure:
        x0, x1 = _side(self.point[0], edges, width)
        y0, y1 = _side(self.point[1], edges, height)
        if not (x0 < x1 and y0 < y1):
            return Failure(FailureCode.BOX_OUTSIDE, "No part of the window around the point lies inside of the image.")
        return Box(x0, y0, x1, y1)


def _side(centre: float, edges: Edges, pixels: int) -> tuple[float, float]:
    """The window's edges along one side of `pixels` source pixels, in fractions of it."""
    length = WINDOW if edges.window_pixels is None else edges.window_pixels / pixels
    start = centre - length / 2
    if edges.window_is_clipped:
        return max(0.0, start), min(1.0, start + length)
    length = min(1.0, length)
    start = min(max(0.0, start), 1.0 - length)
    return start, min(1.0, start + length)
