"""Truncated images, recognised by the end that each format writes, without decoding.

Depends on the layout of image files; independent of where their bytes are.
"""

from pixel_env.errors import one_line

TAIL_BYTES = 4096
"""How many bytes of an image's end are checked."""


def lacks_end(form: str, head: bytes, tail: bytes, length: int) -> bool:
    """Whether an image of `length` bytes lacks the end that its format writes. A whole image may lack it too."""
    match form:
        case "JPEG":
            return b"\xff\xd9" not in tail
        case "PNG":
            return b"IEND" not in tail
        case "WEBP":
            return int.from_bytes(head[4:8], "little") + 8 > length
        case _:
            return True


def reason_of(error: BaseException) -> str:
    """Why an image cannot be used, for a message."""
    return one_line(error)
