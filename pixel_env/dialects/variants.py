"""Variants of a dialect, named after a colon: "released:vcot".

Depends on dialects; independent of the rows of the table.
"""

from collections.abc import Callable
from dataclasses import replace

from pixel_env.dialects.dialect import Dialect, view_budgets
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames


def has_variants(dialect: Dialect) -> bool:
    """Whether a text can say how the dialect answers: not for the tiny model, whose prompt is the bare question."""
    return dialect.answer_rule != "marker" or bool(dialect.answer_closing)


def _answer_form(dialect: Dialect) -> str:
    """How the final answer is written, as a template: in a box, or between the dialect's marks."""
    if dialect.answer_closing:
        return f"between {dialect.answer_marker} and {dialect.answer_closing}"
    return "within \\boxed{{}}"


def _vcot(dialect: Dialect) -> Dialect:
    """The released code's prompt set `vcot`: the question explains when to use which operation. The wording is ours.

    The original names `crop_image`, which the released checkpoints cannot call; here the name is the dialect's.
    """
    offered = dialect.offered
    uses = [
        f"{where} with `{dialect.name_of(operation)}`"
        for operation, where in ((SelectFrames, "in a video"), (CropImage, "in an image"))
        if operation in offered
    ]
    others = [f"with `{dialect.name_of(one)}`" for one in offered if one not in (SelectFrames, CropImage)]
    question = (
        "{question}\n\nUnderstand what is shown and what is asked. Decide whether it helps to look closer: "
        f"{', '.join(uses or others)}. Reason step by step about what you see, "
        f"and put the final answer {_answer_form(dialect)}."
    )
    return replace(dialect, shows_tools=True, offers_calls=True, wording=replace(dialect.wording, question=question))


def _notool(dialect: Dialect) -> Dialect:
    """The released code's prompt set `notool`: no tool text, and calls are not offered. The wording is ours.

    The original executes a call that the model makes nevertheless; here it is refused, so that the accuracy without
    tools is measured without tools.
    """
    answer = _answer_form(dialect)
    wording = replace(
        dialect.wording,
        question="{question}\n\nThink step by step, and put the final answer " + answer + ".",
        expected=f"Put the final answer {answer}.",
    )
    return replace(dialect, shows_tools=False, offers_calls=False, stop=(), wording=wording)


def _train_pixels(dialect: Dialect) -> Dialect:
    """The released code's pixel limits in training, in units of one token of the dialect."""
    factor = dialect.budgets.original.factor
    token = factor * factor
    original, crop, video_frame, selected_frame = ((4 * token, most * token) for most in (2000, 1000, 512, 400))
    budgets = view_budgets(original, crop, video_frame, selected_frame, factor=factor, colors=dialect.budgets.colors)
    return replace(dialect, budgets=budgets)


def _frames(dialect: Dialect) -> Dialect:
    """A video as one image per frame: for chat templates and engines that do not take it as one entry."""
    return replace(dialect, video_entry=False)


VARIANTS: dict[str, Callable[[Dialect], Dialect]] = {
    "vcot": _vcot,
    "notool": _notool,
    "train-pixels": _train_pixels,
    "frames": _frames,
}
"""What may follow a dialect's name after a colon."""
