"""Host memory of many live episodes over huge pictures: views by reference, beside episodes that own decoded pictures.

    python examples/measure_memory.py                    # 64 episodes over 4 pictures of 8192x5460
    python examples/measure_memory.py --dialect tiny     # the same, shown at 64 and 128 px

Every episode looks at three crops and answers; all of them are alive until the last one has looked. Both ways go
through `rollout()` with a scripted engine, so that no model is counted, and show the same pixels; they differ in what a
task holds: the path of a file that episodes share, or the decoded picture, one for each episode, as an environment
keeps it that opens its picture in `reset`. Each way runs in a process of its own, one after the other. A figure is the
process's peak above what it holds once everything is imported; `shown` is what the pictures shown to the model take of
it. The copies take episodes x pixels x 3 bytes, 8 GiB by default: make sure that the machine has them.
"""

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib import resources
from itertools import cycle
from pathlib import Path

import numpy as np
from own_process import printed_by
from peak_memory import PeakMemory
from PIL import Image

from agents.chat.plain import PlainChat
from agents.engines.scripted import Conversation, ScriptedEngine
from agents.rollout import EpisodeSettings, Sampling, rollout
from pixel_env.actions import write
from pixel_env.boxes import Box
from pixel_env.dialects.table import dialect_named
from pixel_env.media.sources import FileSource
from pixel_env.operations.crop_image import CropImage
from pixel_env.task import Task
from pixel_env.types import Answer, Limits
from pixel_env.views import Source

CROPS = 3
WAYS = ("by reference", "copies")


@dataclass(frozen=True, eq=False)
class OwnedPicture:
    """A decoded picture that one episode owns."""

    pixels: np.ndarray

    @cached_property
    def key(self) -> str:
        """sha256 of the pixels."""
        return hashlib.sha256(self.pixels).hexdigest()

    def decode(self) -> Image.Image:
        """The picture."""
        return Image.fromarray(self.pixels)


class WholeBatches(ScriptedEngine):
    """Says nothing before all episodes have come to the same turn."""

    static = True


@dataclass(frozen=True, slots=True)
class Measured:
    """One way: the peak above the start, what the shown pictures take of it, a digest of them, and the time."""

    peak_mib: float
    shown_mib: float
    shown_digest: str
    seconds: float
    cpu_s: float


def make_pictures(folder: Path, count: int, size: tuple[int, int]) -> list[Path]:
    """JPEG files of `size` (width, height): the package's photographs, scaled up."""
    photographs = sorted(Path(str(resources.files("pixel_env") / "data" / "photos")).glob("*.jpg"))
    paths = [folder / f"{number}.jpg" for number in range(count)]
    for path, photograph in zip(paths, cycle(photographs), strict=False):
        with Image.open(photograph) as opened:
            opened.convert("RGB").resize(size, Image.Resampling.BICUBIC).save(path, quality=90)
    return paths


def source_of(path: Path, way: str) -> Source:
    """What an episode's task holds."""
    if way == "by reference":
        return FileSource(path)
    with Image.open(path) as opened:
        return OwnedPicture(np.asarray(opened.convert("RGB")))


def boxes_of(episode: int) -> list[Box]:
    """Three places to look at, each a sixteenth of the picture, other ones for every episode."""
    corners = np.random.default_rng(episode).uniform(0, 0.75, size=(CROPS, 2))
    return [Box(x, y, x + 0.25, y + 0.25) for x, y in corners.tolist()]


def played(way: str, paths: Sequence[Path], episodes: int, dialect_name: str) -> Measured:
    """All episodes, alive at the same time, in this process."""
    dialect = dialect_named(dialect_name)
    chat = PlainChat(dialect)
    shown: dict[int, int] = {}
    digests: dict[int, str] = {}

    def say(conversation: Conversation) -> str:
        request = conversation.request
        if conversation.turn < CROPS:
            return write(CropImage(0, boxes_of(request.request_id % episodes)[conversation.turn]), dialect)
        # By now all episodes have come to their last turn.
        shown.update({id(image): image.nbytes for image in request.images})
        digests[request.request_id] = hashlib.sha256(b"".join(map(np.ascontiguousarray, request.images))).hexdigest()
        return write(Answer("7"), dialect)

    wall_s, cpu_s = time.perf_counter(), time.process_time()
    with PeakMemory() as memory:
        tasks = [
            Task(f"episode-{number}", "?", ("7",), (source_of(paths[number * len(paths) // episodes], way),))
            for number in range(episodes)
        ]
        results = rollout(
            tasks,
            WholeBatches(say, chat),
            chat,
            settings=EpisodeSettings(dialect, Limits(max_turns=CROPS + 1), dialect.budgets),
            sampling=Sampling(),
            seed=0,
        )
    assert all(len(result.views) == 1 + CROPS and result.trajectory.reward == 1.0 for result in results)
    return Measured(
        peak_mib=memory.bytes_above / 2**20,
        shown_mib=sum(shown.values()) / 2**20,
        shown_digest=hashlib.sha256("".join(digests[number] for number in sorted(digests)).encode()).hexdigest(),
        seconds=time.perf_counter() - wall_s,
        cpu_s=time.process_time() - cpu_s,
    )


def parsed(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=64)
    parser.add_argument("--pictures", type=int, default=4, help="files that the episodes share")
    parser.add_argument("--size", type=int, nargs=2, default=(8192, 5460), help="width and height of the files")
    parser.add_argument("--dialect", default="default", help="its budgets say at which size pictures are shown")
    parser.add_argument("--way", choices=WAYS, help="measure one way in this process, print its figures as JSON")
    parser.add_argument("--folder", type=Path, help="of the pictures, for --way")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> dict[str, Measured]:
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = parsed(arguments)
    if options.way:
        figures = played(options.way, sorted(options.folder.glob("*.jpg")), options.episodes, options.dialect)
        print(json.dumps(asdict(figures)))
        return {options.way: figures}
    ways = {}
    with tempfile.TemporaryDirectory() as folder:
        make_pictures(Path(folder), options.pictures, tuple(options.size))
        for way in WAYS:
            ways[way] = Measured(**printed_by(__file__, [*arguments, "--way", way, "--folder", folder]))
    print(f"{'':14} {'peak':>10} {'shown':>12} {'seconds':>8} {'CPU s':>7}")
    for way, figures in ways.items():
        times = f"{figures.seconds:8.1f} {figures.cpu_s:7.1f}"
        print(f"{way:14} {figures.peak_mib:6.0f} MiB {figures.shown_mib:8.0f} MiB {times}")
    ours, copies = ways.values()
    print(f"by reference: {ours.peak_mib / copies.peak_mib:.3f} of the copies' memory")
    print(f"the pixels shown are {'the same' if ours.shown_digest == copies.shown_digest else 'DIFFERENT'}")
    return ways


if __name__ == "__main__":
    main()
