"""Which films each installed video decoder shows as a decode from the start does: frames in order, and after seeks.

    python examples/measure_decoders.py                    # films of every codec and container that PyAV writes
    python examples/measure_decoders.py --files A.mp4 B.avi

The limits of decord and torchcodec in docs/media.md are what it prints: the decoders are used here as they are, also
for files for which `pixel_env.media.videos.decoders` does not choose them. Frames are counted and compared to the byte.
"""

import argparse
import importlib
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np

from pixel_env.media.videos.decoders import is_installed

FRAMES, GROUP, WIDTH, HEIGHT = 40, 8, 96, 64
X264, X265, LIBVPX = "libx264", "libx265", {"auto-alt-ref": "1", "lag-in-frames": "16", "deadline": "realtime"}
CODECS: dict[str, tuple[str, dict[str, str], tuple[str, ...]]] = {
    "h264": (X264, {"bf": "2", "sc_threshold": "0"}, ("mp4", "mov", "mkv", "avi", "ts", "flv")),
    "h264-open": (X264, {"x264-params": f"open-gop=1:scenecut=0:keyint={GROUP}:bframes=3"}, ("mp4", "mkv")),
    "h264-refresh": (X264, {"x264-params": f"intra-refresh=1:keyint={GROUP}:scenecut=0"}, ("mp4", "mkv")),
    "h264-fields": (X264, {"x264-params": "interlaced=1", "bf": "2"}, ("mp4", "ts")),
    "hevc": (X265, {"x265-params": f"open-gop=1:keyint={GROUP}:bframes=3:log-level=none"}, ("mp4", "mkv", "ts")),
    "mpeg4": ("mpeg4", {"bf": "2"}, ("mp4", "mkv", "avi")),
    "mpeg2": ("mpeg2video", {"bf": "2"}, ("mpg", "vob", "ts", "avi")),
    "vp8": ("libvpx", LIBVPX, ("webm",)),
    "vp9": ("libvpx-vp9", LIBVPX, ("webm", "mp4")),
    "av1": ("libsvtav1", {"preset": "12"}, ("mp4", "webm")),
    "mjpeg": ("mjpeg", {}, ("mov", "avi")),
    "wmv2": ("wmv2", {}, ("wmv",)),
}
Frames = Callable[[int], np.ndarray]


def main(argv: list[str]) -> int:
    """Prints a line for each film and decoder. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=Path, nargs="*", help="films of your own")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        for path in arguments.files or films(Path(folder)):
            frames = decoded_forward(path)
            for name, opens in DECODERS.items():
                if is_installed(name):
                    print(f"{path.name:20}{name:12}{judged(opens, path, frames)}")
    return 0


def films(folder: Path) -> Iterator[Path]:
    """A film of noise for each codec and container."""
    for name, (codec, options, suffixes) in CODECS.items():
        for suffix in suffixes:
            path, rng = folder / f"{name}.{suffix}", np.random.default_rng(0)
            with av.open(str(path), "w") as container:
                stream = container.add_stream(codec, rate=25 if name == "mpeg2" else 10, options=dict(options))
                stream.width, stream.height, stream.gop_size = WIDTH, HEIGHT, GROUP
                stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
                for _ in range(FRAMES):
                    pixels = rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
                    container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
                container.mux(stream.encode())
            yield path


def decoded_forward(path: Path) -> list[np.ndarray]:
    """The RGB pixels of every frame, decoded from the start of the file to its end."""
    with av.open(str(path), metadata_errors="replace") as container:
        stream = container.streams.best("video")
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]


def judged(opens: Callable[[Path], tuple[int, Frames]], path: Path, frames: list[np.ndarray]) -> str:
    """How many frames are counted, and how many are other ones in order and in another order."""
    try:
        count, frame = opens(path)
        order = list(range(min(count, len(frames))))
        in_order = sum(not np.array_equal(frame(number), frames[number]) for number in order)
        count, frame = opens(path)
        shuffled = random.Random(0).sample(order, len(order))
        sought = sum(not np.array_equal(frame(number), frames[number]) for number in shuffled)
    except Exception as error:
        return f"cannot read it: {str(error).splitlines()[0][:80]}"
    is_right = count == len(frames) and not in_order and not sought
    told = f"{count} of {len(frames)} frames, {in_order} wrong in order, {sought} wrong after seeks"
    return f"{'right' if is_right else 'WRONG'}: {told}"


def _with_av(path: Path) -> tuple[int, Frames]:
    from pixel_env.media.videos.av_video import PyAvVideo

    video = PyAvVideo(path)
    return video.times.count, lambda number: np.asarray(video.frame(number))


def _with_decord(path: Path) -> tuple[int, Frames]:
    decord: Any = importlib.import_module("decord")
    reader = decord.VideoReader(str(path), ctx=decord.cpu(0), num_threads=1)
    return len(reader), lambda number: reader[number].asnumpy()


def _with_torchcodec(path: Path) -> tuple[int, Frames]:
    decoders: Any = importlib.import_module("torchcodec.decoders")
    decoder = decoders.VideoDecoder(str(path), dimension_order="NHWC", seek_mode="exact")
    return len(decoder), lambda number: decoder.get_frame_at(number).data.numpy()


DECODERS = {"av": _with_av, "torchcodec": _with_torchcodec, "decord": _with_decord}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
