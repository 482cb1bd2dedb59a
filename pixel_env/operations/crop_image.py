"""`CropImage`: look closer at a region of an image."""

from collections.abc import Sequence
from dataclasses import dataclass

from pixel_env.boxes import Box
from pixel_env.dialects.table import Dialect
from pixel_env.failures import Failure, FailureCode, no_such_image
from pixel_env.media.images import CACHE, MAX_ASPECT_RATIO
from pixel_env.views import View, ViewKind


@dataclass(frozen=True, slots=True)
class CropImage:
    """Look at `box` of image number `image` (from 0: the task's images first, then every observation's, in order)."""

    image: int
    box: Box


def crop_image(action: CropImage, views: Sequence[View], dialect: Dialect) -> View | Failure:
    """The view that `action` asks for. Raises MediaError if the source cannot be read."""
    if not 0 <= action.image < len(views):
        return no_such_image(len(views), dialect.first_index)
    parent = views[action.image]
    box = action.box.padded(dialect.padding).within(parent.box)
    left, top, right, bottom = box.pixels(*CACHE.size_of(parent.source))
    width, height = right - left, bottom - top
    if min(width, height) < dialect.min_crop_side:
        return Failure(
            FailureCode.CROP_TOO_SMALL,
            f"The crop is too small: {width}x{height} pixels of the source; "
            f"each side must have at least {dialect.min_crop_side}.",
        )
    if max(width, height) > MAX_ASPECT_RATIO * min(width, height):
        return Failure(
            FailureCode.CROP_TOO_LONG,
            f"The crop is too long: {width}x{height} pixels of the source; at most {MAX_ASPECT_RATIO:.0f} to 1.",
        )
    return View(parent.source, ViewKind.CROP, box, via=None if dialect.crops_source else parent)
