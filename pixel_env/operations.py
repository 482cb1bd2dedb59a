"""The visual operations: from an action and the views so far to new views, or to the reason why not.

Knows views and limits. Knows no text: wire formats are read in `actions.py`, wordings are said in `env.py`. Rules:

* `crop_image`: the image must exist; the padded box, in whole source pixels, must be at least `min_crop_side` on each
  side and not longer than 200 to 1. The result is a view of the *source*: a crop of a crop loses no resolution.
* `select_frames`: only of a video; 1 to `max_frames` frames, each of which exists. Repeated frames are allowed.
"""

from collections.abc import Sequence

from pixel_env.dialects import Dialect
from pixel_env.failures import Failure, FailureCode, no_such_image
from pixel_env.media import CACHE, MAX_ASPECT_RATIO
from pixel_env.task import Task
from pixel_env.types import CropImage, SelectFrames
from pixel_env.views import View, ViewKind


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


def select_frames(action: SelectFrames, task: Task, dialect: Dialect) -> tuple[View, ...] | Failure:
    """The frames that `action` asks for, in the order in which it names them."""
    first, count = dialect.first_index, len(task.sources)
    if task.media != "video":
        return Failure(FailureCode.NOT_A_VIDEO, "Frames can be selected from a video only; crop the image instead.")
    if not action.frames:
        return Failure(FailureCode.NO_FRAMES, f"No frame was named; name 1 to {dialect.max_frames} frames.")
    if len(action.frames) > dialect.max_frames:
        return Failure(
            FailureCode.TOO_MANY_FRAMES,
            f"{len(action.frames)} frames were selected; at most {dialect.max_frames} are allowed.",
        )
    if not all(0 <= frame < count for frame in action.frames):
        return Failure(
            FailureCode.NO_SUCH_FRAME, f"A frame does not exist; frames are numbered {first} to {first + count - 1}."
        )
    return tuple(View(task.sources[frame], ViewKind.SELECTED_FRAME) for frame in action.frames)
