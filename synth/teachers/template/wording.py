"""Small grammars: texts of randomly chosen sentences, and words for positions in an image or a video.

Depends on boxes and frame indices; independent of tasks and plans. The tables are in `images.py` and `videos.py`.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pixel_env.boxes import Box


@dataclass(frozen=True, slots=True)
class Grammar:
    """A text of `slots`: one alternative is chosen for each slot. An empty alternative adds nothing.

    Alternatives are `str.format` templates with the fields `question`, `place`, `moment` and `answer`.
    """

    slots: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        """The number of texts before their fields are filled in."""
        return math.prod(len(alternatives) for alternatives in self.slots)

    def forms(self) -> Iterator[str]:
        """All texts, with unfilled fields."""
        return (_joined(chosen) for chosen in itertools.product(*self.slots))

    def draw(self, rng: np.random.Generator, fields: dict[str, str]) -> str:
        """One of the texts, each equally likely, with its fields filled in."""
        chosen = tuple(alternatives[int(rng.integers(len(alternatives)))] for alternatives in self.slots)
        return _joined(chosen).format(**fields)


def _joined(sentences: tuple[str, ...]) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


# ----------------------------------------------------------------------------------------------------------- positions

_PLACES = (
    ("upper left", "upper middle", "upper right"),
    ("left", "centre", "right"),
    ("lower left", "lower middle", "lower right"),
)
_PLACE_FORMS = (
    "the {place} part of {whole}",
    "the {place} area of {whole}",
    "the {place} region of {whole}",
    "the {place} of {whole}",
    "the area at the {place} of {whole}",
    "the region around the {place} of {whole}",
)


def place_words(box: Box, whole: str, rng: np.random.Generator) -> str:
    """The third of `whole` ("the picture") that contains the centre of the box: "the upper left part of ..."."""
    row, column = (_third((low + high) / 2) for low, high in ((box.y0, box.y1), (box.x0, box.x1)))
    form = _PLACE_FORMS[int(rng.integers(len(_PLACE_FORMS)))]
    return form.format(place=_PLACES[row][column], whole=whole)


_MOMENTS = (
    (
        "the beginning of the video",
        "the early part of the video",
        "the opening part of the video",
        "the first third of the video",
    ),
    (
        "the middle of the video",
        "the middle part of the video",
        "the central part of the video",
        "the middle third of the video",
    ),
    (
        "the end of the video",
        "the late part of the video",
        "the closing part of the video",
        "the last third of the video",
    ),
)


def moment_words(frames: tuple[int, ...], frame_count: int, rng: np.random.Generator) -> str:
    """The third of a video that contains the middle of the frames: "the beginning of the video"."""
    moments = _MOMENTS[_third((frames[0] + frames[-1] + 1) / 2 / frame_count)]
    return moments[int(rng.integers(len(moments)))]


def _third(fraction: float) -> int:
    return min(2, int(fraction * 3))
