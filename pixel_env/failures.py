"""Why an operation of a model is refused: codes, each with a message that says what is allowed.

Codes of both kinds are here: what could not be read (grammar) and what could not be executed (operation). They are
data: the environment shows the message to the model and counts the code.
"""

from dataclasses import dataclass
from enum import StrEnum


class FailureCode(StrEnum):
    """Why an operation was refused. The values are stable: logs and trained models see them."""

    # Could not be read.
    BROKEN_JSON = "broken_json"
    CUT_OFF = "cut_off"
    TWO_CALLS = "two_calls"
    UNKNOWN_OPERATION = "unknown_operation"
    BAD_ARGUMENTS = "bad_arguments"
    BOX_LENGTH = "box_length"
    BOX_NOT_FINITE = "box_not_finite"
    BOX_EMPTY = "box_empty"
    BOX_INVERTED = "box_inverted"
    BOX_OUTSIDE = "box_outside"
    # Could not be executed.
    NO_SUCH_IMAGE = "no_such_image"
    CROP_TOO_SMALL = "crop_too_small"
    CROP_TOO_LONG = "crop_too_long"
    NOT_A_VIDEO = "not_a_video"
    NO_FRAMES = "no_frames"
    NO_SUCH_FRAME = "no_such_frame"
    TOO_MANY_FRAMES = "too_many_frames"
    # Legal, but the source could not be decoded.
    UNREADABLE_SOURCE = "unreadable_source"


@dataclass(frozen=True, slots=True)
class Failure:
    """A refused operation: `code` for counting, `message` for the model."""

    code: FailureCode
    message: str


def no_such_image(count: int, first_index: int) -> Failure:
    """The failure for an image number that none of the `count` images has; numbers start from `first_index`."""
    if count == 0:
        return Failure(
            FailureCode.NO_SUCH_IMAGE, "That image does not exist; there are no images, answer from the text."
        )
    last = first_index + count - 1
    return Failure(
        FailureCode.NO_SUCH_IMAGE, f"That image does not exist; images are numbered {first_index} to {last}."
    )
