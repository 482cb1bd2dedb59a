"""A kept rollout as one image and one text, for trackers: the source with numbered boxes; prompt, turns and rewards.

Depends on trajectories and Pillow; independent of trackers.
"""

from collections.abc import Sequence

from PIL import Image, ImageDraw

from agents.run_log.rollouts import Scored
from pixel_env.episode import Trajectory
from pixel_env.errors import MediaError
from pixel_env.media.cache import CACHE
from pixel_env.views import Source, View, ViewKind

SIDE = 640
"""Maximum of the longer side of a source, in pixels; of a video's frame or one of several images, half of it."""
_COLOURS = ("#ffd84d", "#5ad1ff", "#ff8ad4", "#8dee7b", "#ffab5e", "#c3a6ff")
_GAP = 6


def image_of(trajectory: Trajectory) -> Image.Image | None:
    """The task's images side by side (RGB), each view of the model a numbered box; None if none can be read.

    A selected frame is a box around the whole frame. Of a video the frames that were selected are shown.
    """
    views = [view for turn in trajectory.turns for view in turn.views]
    numbered = list(enumerate(views, start=1))
    sources = _shown_sources(trajectory, views)
    side = SIDE if len(sources) == 1 else SIDE // 2
    drawn = [_drawn(source, [one for one in numbered if one[1].source.key == source.key], side) for source in sources]
    parts = [image for image in drawn if image is not None]
    return _side_by_side(parts) if parts else None


def _shown_sources(trajectory: Trajectory, views: Sequence[View]) -> list[Source]:
    sources = {source.key: source for source in trajectory.task.sources}
    if trajectory.task.media != "video":
        return list(sources.values())
    selected = {view.source.key: view.source for view in views}
    return list(selected.values()) or list(sources.values())[:1]


def _drawn(source: Source, views: Sequence[tuple[int, View]], side: int) -> Image.Image | None:
    try:
        image = CACHE.get(source).convert("RGB")
    except MediaError:
        return None
    image.thumbnail((side, side))
    draw = ImageDraw.Draw(image)
    for number, view in views:
        colour = _COLOURS[(number - 1) % len(_COLOURS)]
        whole = view.kind is ViewKind.SELECTED_FRAME
        x0, y0, x1, y1 = (0.0, 0.0, 1.0, 1.0) if whole else view.box.corners
        box = (x0 * image.width, y0 * image.height, max(x1 * image.width - 1, 0), max(y1 * image.height - 1, 0))
        draw.rectangle(box, outline="black", width=4)
        draw.rectangle(box, outline=colour, width=2)
        left, top = min(box[0], image.width - 18), min(box[1], image.height - 16)
        draw.rectangle((left, top, left + 9 + 7 * len(str(number)), top + 15), fill=colour)
        draw.text((left + 5, top + 2), str(number), fill="black")
    return image


def _side_by_side(images: Sequence[Image.Image]) -> Image.Image:
    width = sum(image.width for image in images) + _GAP * (len(images) - 1)
    joined = Image.new("RGB", (width, max(image.height for image in images)), "white")
    left = 0
    for image in images:
        joined.paste(image, (left, 0))
        left += image.width + _GAP
    return joined


def turns_text(trajectory: Trajectory) -> str:
    """The turns, each with what was refused and the numbers of the views that it brought."""
    lines, count = [], 0
    for number, turn in enumerate(trajectory.turns, start=1):
        lines.append(f"[turn {number}] {turn.text}" if not turn.same_message else f"[turn {number}]")
        if turn.failure is not None:
            lines.append(f"  refused ({turn.failure.code.value}): {turn.failure.message}")
        if turn.views:
            lines.append(f"  view {', '.join(str(count + index) for index in range(1, len(turn.views) + 1))}")
        count += len(turn.views)
    lines.append(f"[{trajectory.stop.value if trajectory.stop else 'running'}] answer: {trajectory.answer}")
    return "\n".join(lines)


def rewards_text(score: Scored) -> str:
    """The reward, its parts, the advantage and what the update did with the rollout."""
    parts = {name: value for name, value in {**score.parts, **score.functions}.items() if name != "group_reward"}
    shown = [f"{name} {value:.4g}" for name, value in parts.items() if value is not None]
    total = "none" if score.total is None else f"{score.total:.4g}"
    return f"reward {total} ({', '.join(shown)}), advantage {score.advantage:+.4g}, {score.use}"
