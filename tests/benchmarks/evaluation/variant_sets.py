"""Task sets that ask a question several times, as users give them: functions from the split to the tasks."""

from pixel_env.task import GIVEN_CROP, WHOLE_IMAGE, Task, Variant
from pixel_env.testing import PixelSource

COLOURS = ("red", "green", "blue", "grey")


def rotated(split):
    """Six questions in the four rotations of their options; the right answer stands at each letter once."""
    return [
        Task(
            f"{question}-{rotation}",
            f"Which colour has number {question}?",
            ("red",),
            (PixelSource(),),
            grader="choice",
            options=COLOURS[-rotation:] + COLOURS[:-rotation] if rotation else COLOURS,
            category=("single", "cross")[question % 2],
            variant=Variant("rotation", f"q{question}", str(rotation)),
        )
        for question in range(6)
        for rotation in range(4)
    ]


def two_views(split):
    """Eight questions about an image and about a crop of it; two and two share an image."""
    return [
        Task(
            f"{question}-{view}",
            f"Which colour has number {question}?",
            ("red",),
            (PixelSource(),),
            grader="choice",
            options=COLOURS,
            cluster=f"image {question // 2}",
            variant=Variant("view", f"q{question}", view),
        )
        for question in range(8)
        for view in (WHOLE_IMAGE, GIVEN_CROP)
    ]
