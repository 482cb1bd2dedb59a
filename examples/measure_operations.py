"""CPU time from the text of a call to the crop that a model is given, and of `reset`, beside a floor and a naive path.

    python examples/measure_operations.py                                    # every dialect, two sizes: some minutes
    python examples/measure_operations.py --dialects default released --sizes 2240x1504

Each figure is CPU time of this process in milliseconds, the median of `--repeats` calls. The three sides take turns,
call by call, and show the same region at the same size:

- ours: `env.step(text)`, or `env.reset()`;
- floor: Pillow cuts and resizes the picture that the dialect cuts from, the decoded or the shown one, which is in
  memory already, and nothing else. A dialect that magnifies its crops does so here too;
- naive: decode the file, cut, resize; at most five calls.

A ratio is the median of the ratios of neighbouring calls. `reset` is measured on a picture that the process has never
seen and on one that it has shown before; its floor shrinks the decoded picture.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path

import numpy as np
from PIL import Image

from pixel_env.actions import sizes_for, write
from pixel_env.boxes import Box
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.table import DIALECTS, dialect_named
from pixel_env.env import PixelEnv
from pixel_env.media.showing import show
from pixel_env.media.sizes import shown_size
from pixel_env.media.sources import FileSource
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.operation import Operation
from pixel_env.operations.point_zoom import PointZoom
from pixel_env.operations.resize import Resize
from pixel_env.task import Task
from pixel_env.types import Limits
from pixel_env.views import FULL, Cut, Step, View

NAIVE_REPEATS = 5
SIDE = 0.25
"""Of a crop: a quarter of the picture's width and height."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds of CPU time (medians), and how many times the floor ours takes (median of neighbouring calls)."""

    ours_ms: float
    floor_ms: float
    naive_ms: float
    ratio: float


@dataclass(frozen=True, slots=True)
class Reset:
    """Milliseconds of CPU time (medians)."""

    first_ms: float
    seen_ms: float
    floor_ms: float
    naive_ms: float


@dataclass(frozen=True, slots=True)
class Row:
    """One dialect on pictures of one size."""

    size: str
    dialect: str
    crop: Measured
    reset: Reset


# ------------------------------------------------------------------------------------------------------ the work


def make_picture(path: Path, width: int, height: int) -> None:
    """A JPEG file: a photograph of the package, scaled up, with the noise of a camera."""
    photograph = min(Path(str(resources.files("pixel_env") / "data" / "photos")).glob("*.jpg"))
    with Image.open(photograph) as opened:
        scaled = opened.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    noise = Image.effect_noise((width, height), 12).convert("RGB")
    Image.blend(scaled, noise, 0.1).save(path, quality=90)


def operations(dialect: Dialect, count: int) -> Iterator[Operation]:
    """What the model does: the same places for every dialect."""
    names = {operation.name for operation in dialect.offered}
    for x, y in np.random.default_rng(0).uniform(0, 1 - SIDE, size=(count, 2)).tolist():
        if CropImage.name in names:
            yield CropImage(0, Box(x, y, x + SIDE, y + SIDE))
        elif PointZoom.name in names:
            yield PointZoom(0, (x + SIDE / 2, y + SIDE / 2))
        else:
            yield Resize(0)


def can_zoom(dialect: Dialect) -> bool:
    """Whether the dialect has an operation on one image."""
    return not {CropImage.name, PointZoom.name, Resize.name}.isdisjoint(each.name for each in dialect.offered)


def cut_and_resized(picture: Image.Image, steps: Sequence[Step], size: tuple[int, int]) -> np.ndarray:
    """The steps and the resize as Pillow does them."""
    for step in steps:
        if isinstance(step, Cut):
            picture = picture if step.box == FULL else picture.crop(step.box.pixels(*picture.size, step.rounding))
        else:
            picture = step.apply(picture)
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
    return np.asarray(picture)


def decoded(path: Path) -> Image.Image:
    """The file's picture."""
    with Image.open(path) as opened:
        return opened.convert("RGB")


def cpu_ms(work: Callable[[], object]) -> float:
    """CPU time of one call."""
    start = time.process_time()
    work()
    return 1000 * (time.process_time() - start)


# -------------------------------------------------------------------------------------------------- measurements


def measured_crops(path: Path, picture: Image.Image, dialect: Dialect, repeats: int) -> Measured:
    """One call a turn, one turn an episode; each side's work on it one after the other."""
    task = Task("measured", "What is there?", ("7",), (FileSource(path),))
    env = PixelEnv([task], dialect=dialect, limits=Limits(max_turns=4), share_images=True)
    env.reset(seed=0)
    whole = task.opening_views[0]
    overview = Image.fromarray(show(whole, env.budgets))
    ours, floor, naive = [], [], []
    for number, operation in enumerate(operations(dialect, repeats + 1)):
        env.reset(seed=0)
        text = write(operation, dialect, *sizes_for(dialect, [whole], env.budgets))
        [view] = operation.run([whole], task, dialect.rule)
        size, source = shown_size(view, env.budgets), picture if view.via is None else overview
        sides = [partial(env.step, text), partial(cut_and_resized, source, view.chain, size)]
        if number % 2:  # whoever comes second finds the pixels in the processor's cache
            taken, least = map(cpu_ms, sides)
        else:
            least, taken = map(cpu_ms, reversed(sides))
        if number:  # the first call loads what is loaded once
            ours.append(taken)
            floor.append(least)
        if 0 < number <= NAIVE_REPEATS:
            naive.append(cpu_ms(lambda view=view, size=size: cut_and_resized(decoded(path), region_of(view), size)))
    return Measured(*map(statistics.median, (ours, floor, naive)), ratio_of(ours, floor))


def region_of(view: View) -> tuple[Step, ...]:
    """The steps that cut the view's region out of its source."""
    return (Cut(view.box),)


def measured_resets(path: Path, picture: Image.Image, dialect: Dialect, repeats: int) -> Reset:
    """Of a file that is new each time, and of one that was shown before."""
    first, seen, floor, naive = [], [], [], []
    for number in range(min(repeats, NAIVE_REPEATS)):
        env = PixelEnv([new_task(path, number, dialect.name)], dialect=dialect, share_images=True)
        first.append(cpu_ms(lambda env=env: env.reset(seed=0)))
    size = shown_size(env.task_set.tasks[0].opening_views[0], env.budgets)
    for number in range(repeats):
        seen.append(cpu_ms(lambda: env.reset(seed=0)))
        floor.append(cpu_ms(lambda: cut_and_resized(picture, (), size)))
        if number < NAIVE_REPEATS:
            naive.append(cpu_ms(lambda: cut_and_resized(decoded(path), (), size)))
    return Reset(*map(statistics.median, (first, seen, floor, naive)))


def new_task(path: Path, number: int, name: str) -> Task:
    """A task about a copy of the file that no cache has seen: bytes behind the end of a JPEG change its hash alone."""
    copy = path.with_name("new.jpg")
    copy.write_bytes(path.read_bytes() + f"{name} {number}".encode())
    return Task("new", "What is there?", ("7",), (FileSource(copy),))


def ratio_of(ours: Sequence[float], floor: Sequence[float]) -> float:
    """The median of the ratios of neighbouring calls."""
    return statistics.median(taken / least for taken, least in zip(ours, floor, strict=True))


# --------------------------------------------------------------------------------------------------------- output


def parsed(argv: Sequence[str]) -> argparse.Namespace:
    names = [name for name, dialect in DIALECTS.items() if can_zoom(dialect)]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dialects", nargs="+", default=names, help="default: every row of the table that can zoom")
    parser.add_argument("--sizes", nargs="+", default=["2240x1504", "8064x5241"], help="of the pictures")
    parser.add_argument("--repeats", type=int, default=15, help="calls of each side (default: %(default)s)")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> list[Row]:
    """Measures, prints and returns it."""
    options = parsed(sys.argv[1:] if argv is None else argv)
    print(f"{'':28} {'a call, ms of CPU time':^36}  {'a reset, ms of CPU time':^35}")
    print(
        f"{'size':10} {'dialect':17} {'ours':>8} {'floor':>8} {'naive':>8} {'/ floor':>9}  "
        f"{'first':>8} {'seen':>8} {'floor':>8} {'naive':>8}"
    )
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for size in options.sizes:
            path = Path(folder) / f"{size}.jpg"
            make_picture(path, *map(int, size.split("x")))
            picture = decoded(path)
            for name in options.dialects:
                dialect = dialect_named(name)
                crop = measured_crops(path, picture, dialect, options.repeats)
                rows.append(Row(size, name, crop, measured_resets(path, picture, dialect, options.repeats)))
                print(line(rows[-1]), flush=True)
    return rows


def line(row: Row) -> str:
    """The row of the table."""
    crop, reset = row.crop, row.reset
    return (
        f"{row.size:10} {row.dialect:17} {crop.ours_ms:8.2f} {crop.floor_ms:8.2f} {crop.naive_ms:8.2f} "
        f"{crop.ratio:9.2f}  {reset.first_ms:8.1f} {reset.seen_ms:8.2f} {reset.floor_ms:8.1f} {reset.naive_ms:8.1f}"
    )


if __name__ == "__main__":
    main()
