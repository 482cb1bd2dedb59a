"""`Resize`: the whole image again, in a larger pixel budget: high resolution on request."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pixel_env.failures import Failure
from pixel_env.operations.argument_kinds import ImageNumber
from pixel_env.operations.arguments import argument
from pixel_env.operations.operation import Operation, OperationRule, image_at
from pixel_env.task import Task
from pixel_env.views import View, ViewKind


@dataclass(frozen=True, slots=True)
class Resize(Operation):
    """Show image number `image` again within the budget `resized` (`ViewBudgets`), from the source's own pixels.

    The idea of VisionThink (arXiv 2507.13348): a model answers from a small image and requests a large one if it needs
    it.
    """

    name = "resize"
    description = "Look at the whole image again, at a higher resolution."
    observation = "Here is the image at a higher resolution (image {number}, {width}x{height} pixels):"

    image: int = argument(ImageNumber())

    def run(self, views: Sequence[View], task: Task, rule: OperationRule) -> tuple[View, ...] | Failure:
        """One view of the same region, of the kind `resized`; the failure `no_such_image` if there is no such image."""
        parent = image_at(views, self.image, rule)
        return parent if isinstance(parent, Failure) else (replace(parent, kind=ViewKind.RESIZED),)
