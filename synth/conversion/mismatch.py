"""Why a row becomes no trace: reasons that are counted. Values only."""

from enum import StrEnum

from pixel_env.errors import TaskError


class Reason(StrEnum):
    """Why a row becomes no trace. The values are stable: the output of `pixel-env convert` names them."""

    UNUSABLE_ROW = "unusable_row"
    MISSING_IMAGE = "missing_image"
    BROKEN_IMAGE = "broken_image"
    UNREADABLE_CALL = "unreadable_call"
    REFUSED_CALL = "refused_call"
    OTHER_NUMBER_OF_IMAGES = "other_number_of_images"
    OTHER_IMAGE_SIZE = "other_image_size"
    OTHER_REGION = "other_region"
    NOT_ANSWERED = "not_answered"
    OTHER_ANSWER = "other_answer"
    OTHER_DIALECT = "other_dialect"
    EDITED = "edited"
    ANOTHER_SET = "another_set"


class RowMismatch(TaskError):
    """A row that becomes no trace, with the reason under which it is counted."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
