"""One episode of the embedded model as an image: what it saw first, where it zoomed, what it saw then, its answer.

    python examples/draw_episode.py                                   # writes docs/episode.png
    python examples/draw_episode.py --task_id vstar-tiny/test/0/000052-digit-on-card --output another.png

Depends on the core loop and Pillow; the file is made from the views that the model was shown, at the sizes at which it
was shown them.
"""

import argparse
import textwrap
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from agents.engines.load import load_model
from agents.engines.transformers import TransformersEngine
from agents.rollout import EpisodeSettings, Sampling, rollout
from pixel_env.boxes import Box
from pixel_env.budgets import budgets_for
from pixel_env.dialects.table import dialect_named
from pixel_env.media.showing import show
from pixel_env.tasks import load_tasks
from pixel_env.types import Limits, Trajectory
from pixel_env.views import View, ViewBudgets

WIDTH, GAP, HEAD, CAPTION = 880, 20, 96, 100
PANEL = (WIDTH - 3 * GAP) // 2
INK, SOFT, PAPER, RIGHT, WRONG, BOX = "#1f2328", "#59636e", "#ffffff", "#1a7f37", "#cf222e", "#8250df"


def parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="tiny-zoom", help="an embedded checkpoint's name, or a folder")
    parser.add_argument("--dialect", default="tiny")
    parser.add_argument("--tasks", default="sample:vstar-tiny")
    parser.add_argument("--task_id", default="vstar-tiny/test/0/000074-digit-on-card", help="which question")
    parser.add_argument("--output", type=Path, default=Path("docs/episode.png"))
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> Trajectory:
    options = parsed(argv)
    dialect = dialect_named(options.dialect)
    task_set = load_tasks(options.tasks)
    task = next(task for task in task_set.tasks if task.task_id == options.task_id)
    budgets = budgets_for(None, task_set, dialect)
    model, chat = load_model(options.model, dialect, dtype="float32")
    settings = EpisodeSettings(dialect, Limits(max_turns=2), budgets)
    sampling = Sampling(temperature=0.0, max_turn_tokens=16)
    [played] = rollout([task], TransformersEngine(model, chat), chat, settings=settings, sampling=sampling, seed=0)
    draw(played.trajectory, budgets).save(options.output, optimize=True)
    for turn in played.trajectory.turns:
        print(turn.text)
    print(f"{task.task_id}: {task.question} Reward {played.trajectory.reward:g}. Drawn: {options.output}")
    return played.trajectory


def draw(trajectory: Trajectory, budgets: ViewBudgets) -> Image.Image:
    """The question, the overview with the box of the crop, the crop, and what the model wrote below each."""
    [overview], crops = trajectory.prompt_views, [view for turn in trajectory.turns for view in turn.views]
    canvas = Image.new("RGB", (WIDTH, HEAD + PANEL + CAPTION), PAPER)
    pen = ImageDraw.Draw(canvas)
    write(pen, (GAP, 14), "Question", SOFT, 22)
    write(pen, (GAP, 42), textwrap.shorten(trajectory.task.question, 52, placeholder=" ..."), INK, 34)
    panel(canvas, 0, "1. The image", overview, budgets, crops[0].box if crops else None)
    write(pen, (GAP, HEAD + PANEL + 44), f"Model: {trajectory.turns[0].text}", INK, 32)
    if crops:
        panel(canvas, 1, "2. Its crop", crops[0], budgets, None)
        verdict, colour = ("right", RIGHT) if trajectory.reward == 1.0 else ("wrong", WRONG)
        left = GAP + PANEL + GAP
        said = f"Model: {trajectory.turns[-1].text}"
        write(pen, (left, HEAD + PANEL + 44), said, INK, 32)
        after = left + pen.textlength(f"{said}  ", font=ImageFont.load_default(32))
        write(pen, (int(after), HEAD + PANEL + 44), verdict, colour, 32)
    return canvas


def panel(canvas: Image.Image, column: int, title: str, view: View, budgets: ViewBudgets, box: Box | None) -> None:
    """One view, enlarged without smoothing, with its size below and `box` of it outlined."""
    left = GAP + column * (PANEL + GAP)
    shown = Image.fromarray(show(view, budgets))
    scale = PANEL / max(shown.size)
    enlarged = shown.resize((round(shown.width * scale), round(shown.height * scale)), Image.Resampling.NEAREST)
    pen = ImageDraw.Draw(enlarged)
    if box is not None:
        x0, y0, x1, y1 = box.pixels(*enlarged.size)
        pen.rectangle((x0 - 2, y0 - 2, x1 + 1, y1 + 1), outline=PAPER, width=8)
        pen.rectangle((x0, y0, x1 - 1, y1 - 1), outline=BOX, width=4)
    canvas.paste(enlarged, (left, HEAD))
    if column == 1:
        edges = (left, HEAD, left + enlarged.width - 1, HEAD + enlarged.height - 1)
        ImageDraw.Draw(canvas).rectangle(edges, outline=BOX, width=5)
    write(ImageDraw.Draw(canvas), (left, HEAD + PANEL + 10), f"{title}, {shown.width} x {shown.height} px", SOFT, 24)


def write(pen: ImageDraw.ImageDraw, position: tuple[int, int], text: str, colour: str, size: int) -> None:
    pen.text(position, text, fill=colour, font=ImageFont.load_default(size))


if __name__ == "__main__":
    main()
