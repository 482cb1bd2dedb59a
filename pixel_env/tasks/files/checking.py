"""Pictures checked thoroughly: each is decoded whole, and what is found of it is told.

Depends on the pictures of rows; independent of what is done with the findings.
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from pixel_env.boxes import Size
from pixel_env.errors import MediaError
from pixel_env.media.decoded_pixels import DECODED_PIXELS
from pixel_env.media.pictures import has_more_frames, opened
from pixel_env.media.sources import FileSource
from pixel_env.tasks.files.embedded import EmbeddedImage
from pixel_env.tasks.files.images import header_facts, ratio_fault
from pixel_env.tasks.files.truncation import reason_of
from pixel_env.views import Source

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found of a picture: why it cannot be used, or ""; whether it shows one colour, or holds more frames."""

    fault: str
    is_one_colour: bool = False
    has_more_frames: bool = False


def checked_file(path: Path) -> Checked:
    """The picture in the file `path`, decoded. Threads that check together hold a bounded number of pixels."""
    facts = header_facts(path)
    if facts.fault:
        return Checked(facts.fault)
    return _decoded(FileSource(path), (facts.width, facts.height), lambda: opened(path))


def checked_embedded(image: EmbeddedImage) -> Checked:
    """As `checked_file`, of a picture within a task file."""
    try:
        size = image.size
    except MediaError as error:
        return Checked(reason_of(error.__cause__ or error))
    if fault := ratio_fault(*size):
        return Checked(fault)
    return _decoded(image, size, lambda: opened(io.BytesIO(image.place.read())))


def _decoded(source: Source, size: Size, reopened: Callable[[], Image.Image]) -> Checked:
    with DECODED_PIXELS.holding(size[0] * size[1]):
        try:
            is_one_colour = source.decode().getcolors(maxcolors=1) is not None
        except MediaError as error:
            return Checked(reason_of(error.__cause__ or error))
    with reopened() as picture:
        return Checked("", is_one_colour, has_more_frames(picture))


def findings(checked: Mapping[str, Checked]) -> Iterator[str]:
    """What is to be known of pictures that can be used, by name: lines for a person."""
    one_colour = [name for name, found in checked.items() if found.is_one_colour]
    more_frames = [name for name, found in checked.items() if found.has_more_frames]
    if one_colour:
        yield f"{_images(one_colour)} one colour only: {_named(one_colour)}"
    if more_frames:
        yield f"{_images(more_frames)} the first of several frames or pages: {_named(more_frames)}"


def _images(names: Sequence[str]) -> str:
    return "1 image shows" if len(names) == 1 else f"{len(names)} images show"


def _named(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return f"{', '.join(names[:_NAMED])}{f' and {more} more' if more > 0 else ''}"
