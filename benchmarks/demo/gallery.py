"""The trajectories of a report: selects them, and renders each as an HTML card.

Depends on trajectories, images and reward parts; independent of the rest of the page. A card holds the source with the
boxes on it, the images that the model saw, its turns, and its reward.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from PIL import Image

from benchmarks.evaluation.records import Evaluation, Record
from benchmarks.pipeline.chain import EASY, HARD
from pixel_env.boxes import Box
from pixel_env.episode import Stop, Trajectory, with_images_named
from pixel_env.media.cache import CACHE
from pixel_env.media.encoding import data_uri, encoded
from pixel_env.media.showing import show
from pixel_env.task import Task
from pixel_env.views import View, ViewBudgets
from rewards.parts import GroupReward, reward_parts

SOURCE_SIDE = 512
"""The longer side of a source in the report, in pixels."""
_KINDS = (HARD, HARD, EASY)
"""The order in which kinds of question are picked, repeated."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A rollout and its weighted reward parts; `cropped` of the `rollouts` of its question executed an operation."""

    trajectory: Trajectory
    parts: dict[str, float]
    cropped: int
    rollouts: int


def pick(
    evaluation: Evaluation, group_reward: GroupReward, count: int, *, right: bool, besides: Sequence[Shown] = ()
) -> list[Shown]:
    """The first right (or wrong) rollouts, from as many different questions as possible; two in three need a crop.

    Questions of `besides` come last. With fewer questions than `count`, some are shown twice.
    """
    taken = {shown.trajectory.task.task_id for shown in besides}
    groups = sorted(_groups(evaluation), key=lambda group: group[0].trajectory.task.task_id in taken)
    ranked = []  # with the number of earlier rollouts of the question
    for group in groups:
        indices = [index for index, record in enumerate(group) if (record.trajectory.reward == 1.0) == right]
        ranked += [(before, group, index) for before, index in enumerate(indices)]
    by_kind: dict[str, list[tuple[list[Record], int]]] = {}
    for _, group, index in sorted(ranked, key=lambda candidate: candidate[0]):
        by_kind.setdefault(group[index].trajectory.task.category, []).append((group, index))
    picked: list[tuple[list[Record], int]] = []
    while len(picked) < count and any(by_kind.values()):
        wanted = _KINDS[len(picked) % len(_KINDS)]
        kind = wanted if by_kind.get(wanted) else next(name for name, rest in by_kind.items() if rest)
        picked.append(by_kind[kind].pop(0))
    return [_shown(group, index, group_reward) for group, index in picked]


def _groups(evaluation: Evaluation) -> list[list[Record]]:
    """The sampled rollouts by question. Failed episodes are left out, as in training."""
    groups: dict[str, list[Record]] = {}
    for record in evaluation.records:
        if record.sample is not None and record.trajectory.stop is not Stop.FAILED:
            groups.setdefault(record.trajectory.task.task_id, []).append(record)
    return list(groups.values())


def _shown(group: Sequence[Record], index: int, group_reward: GroupReward) -> Shown:
    trajectories = [record.trajectory for record in group]
    rewards = reward_parts(group_reward, trajectories)
    parts = {name: float(part.weight * part.values_G[index]) for name, part in rewards.parts.items()}
    cropped = sum(trajectory.valid_operations > 0 for trajectory in trajectories)
    return Shown(trajectories[index], parts, cropped, len(trajectories))


# ---------------------------------------------------------------------------------------------------------- cards


def card(shown: Shown, budgets: ViewBudgets) -> str:
    """One trajectory as an HTML article."""
    trajectory = shown.trajectory
    verdict = "right" if trajectory.reward == 1.0 else "wrong"
    images = [_image(view, budgets, number) for number, view in enumerate(trajectory.views)]
    return (
        f'<article class="card {verdict}"><header><span class="chip">{verdict}</span>'
        f"<h4>{escape(trajectory.task.question)} <small>{_need(trajectory.task)}</small></h4></header>"
        f"{_source(trajectory)}<div class='shown'>{''.join(images)}</div>{_transcript(trajectory)}{_reward(shown)}"
        "</article>"
    )


def _need(task: Task) -> str:
    return {True: "Needs a crop.", False: "The overview suffices.", None: ""}[task.needs_looking]


def _source(trajectory: Trajectory) -> str:
    """The source image, with the model's boxes and the evidence drawn on it."""
    if not trajectory.task.sources:
        return ""
    source = trajectory.task.sources[0]
    image = CACHE.get(source).copy()
    image.thumbnail((SOURCE_SIDE, SOURCE_SIDE))
    boxes = [view.box for turn in trajectory.turns for view in turn.views if view.source.key == source.key]
    evidence = [item.box for item in trajectory.task.evidence if item.image == 0]
    drawn = "".join([_rectangle(box, "evidence", "") for box in evidence])
    drawn += "".join([_rectangle(box, "look", str(number)) for number, box in enumerate(boxes, start=1)])
    alt = f"The source image with {len(boxes)} crops."
    return (
        f'<div class="source"><img src="{_jpeg(image)}" width="{image.width}" height="{image.height}" '
        f'alt="{escape(alt)}"><svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">{drawn}</svg>'
        "</div>"
    )


def _rectangle(box: Box, style: str, label: str) -> str:
    x, y, width, height = (100 * side for side in (box.x0, box.y0, box.width, box.height))
    shape = f'x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}"'
    title = f"<title>crop {label}</title>" if label else "<title>evidence</title>"
    return f'<rect class="{style} under" {shape}/><rect class="{style}" {shape}>{title}</rect>'


def _image(view: View, budgets: ViewBudgets, number: int) -> str:
    """A view with the exact pixels that the model saw."""
    pixels = show(view, budgets)
    height, width = pixels.shape[:2]
    name = "overview" if number == 0 else f"crop {number}"
    return (
        f'<figure><img class="pixels" src="{_png(pixels)}" width="{width}" height="{height}" '
        f'alt="The {name} as the model saw it"><figcaption>{name}, {width}×{height} px</figcaption></figure>'
    )


def _transcript(trajectory: Trajectory) -> str:
    rows = []
    for turn in trajectory.turns:
        if not turn.same_message:
            rows.append(f"<dt>model</dt><dd><code>{escape(str(turn.text)) or '(nothing)'}</code></dd>")
        if turn.failure is not None:
            rows.append(f"<dt>refused</dt><dd>{escape(turn.failure.message)}</dd>")
        elif turn.observation:
            rows.append(f"<dt>environment</dt><dd>{escape(with_images_named(turn.observation))}</dd>")
    ending = "" if trajectory.stop is Stop.ANSWERED else f" (episode ended: {escape(str(trajectory.stop))})"
    rows.append(f"<dt>reference</dt><dd>{escape(' or '.join(trajectory.task.answers))}{ending}</dd>")
    return f"<dl>{''.join(rows)}</dl>"


def _reward(shown: Shown) -> str:
    parts = "".join(f"<li><span>{escape(name)}</span> {value:+.3f}</li>" for name, value in shown.parts.items())
    total = sum(shown.parts.values())
    return (
        f'<ul class="reward">{parts}<li class="total"><span>reward</span> {total:.3f}</li></ul>'
        f'<p class="note">{shown.cropped} of {shown.rollouts} rollouts of this question executed an operation.</p>'
    )


def _png(pixels: np.ndarray) -> str:
    return data_uri(encoded(pixels, "png", optimize=True), "png")


def _jpeg(image: Image.Image) -> str:
    return data_uri(encoded(image, "jpeg", quality=82), "jpeg")
