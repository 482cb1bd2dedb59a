"""An episode for people: as one image, and as text.

Depends on trajectories and Pillow; independent of engines and dialects. Nothing here is shown to a model.
"""

import textwrap

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pixel_env.boxes import Box
from pixel_env.episode import Trajectory, with_images_named
from pixel_env.media.cache import CACHE
from pixel_env.media.showing import show
from pixel_env.views import View, ViewBudgets, ViewKind

CANVAS = (1120, 640)
"""Width and height of every frame: the same for all images, so that frames can be joined to a video."""

_HEAD, _FOOT, _GAP = 56, 34, 12
_COLOURS = ("#e6194b", "#ffe119", "#3cb44b", "#42d4f4", "#f032e6", "#f58231")


def draw_episode(trajectory: Trajectory, budgets: ViewBudgets, notice: str) -> np.ndarray:
    """The source with the boxes of all crops so far on the left, the last crop on the right; uint8 (640, 1120, 3).

    Above: the question; below: the notice. The source is the one that was cropped last, or the task's first.
    """
    canvas = Image.new("RGB", CANVAS, "#202020")
    pen = ImageDraw.Draw(canvas)
    width, height = CANVAS
    _write_lines(pen, (_GAP, 6), trajectory.task.question, lines=2)
    if notice:
        pen.rectangle((0, height - _FOOT, width, height), fill="#5a4a00")
        _write_lines(pen, (_GAP, height - _FOOT + 2), notice, lines=2, size=12)
    new_views = [view for turn in trajectory.turns for view in turn.views]
    panel_height = height - _HEAD - _FOOT - _GAP
    if trajectory.views:
        current = new_views[-1] if new_views else trajectory.prompt_views[0]
        source = _with_boxes(current, new_views, (width * 3 // 5 - 2 * _GAP, panel_height))
        canvas.paste(source, (_GAP, _HEAD))
    if new_views:
        crop = _fitted(Image.fromarray(show(new_views[-1], budgets)), (width * 2 // 5 - 2 * _GAP, panel_height))
        canvas.paste(crop, (width * 3 // 5 + _GAP, _HEAD))
    return np.array(canvas)


def _with_boxes(current: View, new_views: list[View], size: tuple[int, int]) -> Image.Image:
    image = _fitted(CACHE.get(current.source), size)
    pen = ImageDraw.Draw(image)
    for number, view in enumerate(new_views):
        if view.kind is ViewKind.CROP and view.source.key == current.source.key:
            _draw_box(pen, view.box, image.size, _COLOURS[number % len(_COLOURS)], str(number + 1))
    return image


def _draw_box(pen: ImageDraw.ImageDraw, box: Box, size: tuple[int, int], colour: str, label: str) -> None:
    left, top, right, bottom = box.pixels(*size)
    pen.rectangle((left, top, right - 1, bottom - 1), outline=colour, width=3)
    pen.text(
        (left + 5, top + 3), label, fill=colour, font=ImageFont.load_default(16), stroke_width=2, stroke_fill="black"
    )


def _fitted(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A copy of `image`, scaled to fit into `size`."""
    scale = min(size[0] / image.width, size[1] / image.height)
    shown = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(shown, Image.Resampling.BICUBIC, reducing_gap=3.0)


def _write_lines(pen: ImageDraw.ImageDraw, position: tuple[int, int], text: str, *, lines: int, size: int = 18) -> None:
    wrapped = textwrap.wrap(" ".join(text.split()), width=2000 // size, max_lines=lines, placeholder=" ...")
    pen.multiline_text(position, "\n".join(wrapped), fill="white", font=ImageFont.load_default(size), spacing=2)


def episode_text(trajectory: Trajectory, notice: str) -> str:
    """The episode as plain text: notice, question, each turn with its observation, the end."""
    parts = [f"[{notice}]"] if notice else []
    parts.append(f"{trajectory.task.task_id}: {with_images_named(trajectory.prompt.question)}")
    parts += [_view_text(number, view) for number, view in enumerate(trajectory.prompt_views)]
    number = len(trajectory.prompt_views)
    for turn in trajectory.turns:
        parts += [] if turn.same_message else [f"> {turn.text}"]
        parts += [with_images_named(turn.observation)] if turn.observation else []
        for view in turn.views:
            parts.append(_view_text(number, view))
            number += 1
    if trajectory.stop is not None:
        parts.append(f"ended: {trajectory.stop.value}, reward {trajectory.reward:g}")
    return "\n".join(parts) + "\n"


def _view_text(number: int, view: View) -> str:
    corners = ", ".join(f"{corner:.3f}" for corner in view.box.corners)
    return f"  <image {number}: {view.kind.value} [{corners}]>"
