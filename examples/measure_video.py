"""The 16 frames that a task shows of a film, by each decoder that is installed; and what a seek for every frame costs.

    python examples/measure_video.py                          # 900 frames of 1280x720, a key frame every 250
    python examples/measure_video.py --frames 300 --size 640 360

H.264 at 30 frames a second, made here. Wall-clock seconds, the best of two.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

from pixel_env.media.videos.av_video import PyAvVideo
from pixel_env.media.videos.clips import Clip
from pixel_env.media.videos.decoders import DECODERS, decoder_named, is_installed

SHOWN = 16


def main(argv: list[str]) -> int:
    """Prints the table. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=900)
    parser.add_argument("--size", type=int, nargs=2, default=(1280, 720))
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        write_film(film, arguments.frames, *arguments.size)
        print(f"{SHOWN} of {arguments.frames} frames           seconds")
        for name in filter(is_installed, DECODERS):
            print(f"{name:30}{best_s(lambda name=name: shown(film, name)):8.2f}")
        print(f"{'av, a seek for every frame':30}{best_s(lambda: sought(film)):8.2f}")
    return 0


def shown(film: Path, decoder: str) -> None:
    """The frames as an episode reads them: in order, from one open file."""
    clip = Clip(film, SHOWN, None, None, decoder_named(decoder).opens)
    for number in range(SHOWN):
        clip.frame(number)


def sought(film: Path) -> None:
    """The same frames, each from a file that is opened for it."""
    for number in range(SHOWN):
        Clip(film, SHOWN, None, None, PyAvVideo).frame(number)


def best_s(run: Callable[[], None]) -> float:
    """Seconds of the faster of two runs."""
    taken = []
    for _ in range(2):
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return min(taken)


def write_film(path: Path, frames: int, width: int, height: int) -> None:
    """Blocks of colour that move to the right, three pixels a frame."""
    blocks = np.random.default_rng(0).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    picture = blocks.repeat(8, 0).repeat(8, 1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast", "sc_threshold": "0"})
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = (
            picture.shape[1],
            picture.shape[0],
            "yuv420p",
            250,
        )
        for number in range(frames):
            moved = np.ascontiguousarray(np.roll(picture, 3 * number, axis=1))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(moved, format="rgb24")))
        container.mux(stream.encode())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
