"""Variants of a dialect, named after a colon: "released:vcot".

Depends on dialects; independent of the rows of the table.
"""

from collections.abc import Callable
from dataclasses import replace

from pixel_env.dialects.dialect import Dialect, view_budgets
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames


def _vcot(dialect: Dialect) -> Dialect:
    """The released code's prompt set `vcot`: the question explains when to use which operation. The wording is ours.

    The original names `crop_image`, which the released checkpoints cannot call; here the name is the dialect's.
    """
    crop, frames = dialect.name_of(CropImage), dialect.name_of(SelectFrames)
    question = (
        "{question}\n\nUnderstand what is shown and what is asked. Decide whether it helps to look closer: in a video "
        f"with `{frames}`, in an image with `{crop}`. Reason step by step about what you see, "
        "and put the final answer within \\boxed{{}}."
    )
    return replace(dialect, shows_tools=True, offers_calls=True, wording=replace(dialect.wording, question=question))


def _notool(dialect: Dialect) -> Dialect:
    """The released code's prompt set `notool`: no tool text, and calls are not offered. The wording is ours.

    The original executes a call that the model makes nevertheless; here it is refused, so that the accuracy without
    tools is measured without tools.
    """
    wording = replace(
        dialect.wording,
        question="{question}\n\nThink step by step, and put the final answer within \\boxed{{}}.",
        expected="Put the final answer within \\boxed{{}}.",
    )
    return replace(dialect, shows_tools=False, offers_calls=False, wording=wording)


def _train_pixels(dialect: Dialect) -> Dialect:
    """The released code's pixel limits in training, in units of one token of the dialect."""
    factor = dialect.budgets.original.factor
    token = factor * factor
    original, crop, video_frame, selected_frame = ((4 * token, most * token) for most in (2000, 1000, 512, 400))
    return replace(dialect, budgets=view_budgets(original, crop, video_frame, selected_frame, factor=factor))


def _frames(dialect: Dialect) -> Dialect:
    """A video as one image per frame: for chat templates and engines that do not take it as one entry."""
    return replace(dialect, video_entry=False)


VARIANTS: dict[str, Callable[[Dialect], Dialect]] = {
    "vcot": _vcot,
    "notool": _notool,
    "train-pixels": _train_pixels,
    "frames": _frames,
}
"""What may follow a dialect's name after a colon, if its answers are boxed."""
