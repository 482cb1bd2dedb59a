"""CPU time and bytes of shown images as files that lose nothing: PNG at several levels, and WebP.

    python examples/measure_encoding.py                              # overviews and crops of the sample sets
    python examples/measure_encoding.py --pictures photograph.jpg    # of your own pictures too

Every image is encoded by every way in turn and decoded again, which must give the same pixels. CPU milliseconds and
KiB are sums over all images, the least time of `--repeats`.
"""

import argparse
import io
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pixel_env.boxes import Box
from pixel_env.dialects.table import DIALECTS
from pixel_env.media.showing import show
from pixel_env.media.sources import FileSource
from pixel_env.samples import SAMPLE_SETS, sample_set
from pixel_env.views import Source, View, ViewKind

WAYS: Mapping[str, Mapping[str, Any]] = {
    "png 6": {"format": "png"},
    "png 3": {"format": "png", "compress_level": 3},
    "png 2": {"format": "png", "compress_level": 2},
    "png 1": {"format": "png", "compress_level": 1},
    "webp method 0": {"format": "webp", "lossless": True, "method": 0, "quality": 0},
    "webp method 1": {"format": "webp", "lossless": True, "method": 1, "quality": 20},
}
"""Pillow's options; "png 6" is its default."""
CROPS = (Box(0.1, 0.1, 0.35, 0.35), Box(0.5, 0.4, 0.75, 0.65))
TASKS = 2


@dataclass(frozen=True, slots=True)
class Measured:
    """One way over all images of a group."""

    group: str
    way: str
    encode_ms: float
    decode_ms: float
    kib: float


def shown(source: Source, kind: ViewKind) -> Iterator[np.ndarray]:
    """The overview and two crops, as the default dialect shows them."""
    for view in (View(source, kind), *(View(source, ViewKind.CROP, box) for box in CROPS)):
        yield show(view, DIALECTS["default"].budgets)


def groups(sets: Sequence[str], pictures: Sequence[Path]) -> Iterator[tuple[str, list[np.ndarray]]]:
    """The images of each sample set and of each picture, by name."""
    for name in sets:
        views = [task.opening_views[0] for task in sample_set(name, count=TASKS).tasks]
        yield name, [image for view in views for image in shown(view.source, view.kind)]
    for path in pictures:
        yield path.name, list(shown(FileSource(path), ViewKind.ORIGINAL))


def measured(group: str, images: Sequence[np.ndarray], repeats: int) -> Iterator[Measured]:
    """Every way; the images take turns."""
    encode_s, decode_s, sizes = (dict.fromkeys(WAYS, 0.0) for _ in range(3))
    for image in images:
        opened = Image.fromarray(image)
        for way, options in WAYS.items():
            taken = [encoded(opened, options) for _ in range(repeats)]
            encode_s[way] += min(seconds for seconds, _ in taken)
            data = taken[0][1]
            sizes[way] += len(data)
            start = time.process_time()
            back = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
            decode_s[way] += time.process_time() - start
            assert np.array_equal(back, image), f"{way} changes pixels"
    for way in WAYS:
        yield Measured(group, way, 1000 * encode_s[way], 1000 * decode_s[way], sizes[way] / 1024)


def encoded(image: Image.Image, options: Mapping[str, Any]) -> tuple[float, bytes]:
    """CPU seconds, and the file."""
    buffer = io.BytesIO()
    start = time.process_time()
    image.save(buffer, **options)
    return time.process_time() - start, buffer.getvalue()


def main(argv: Sequence[str] | None = None) -> list[Measured]:
    """Measures, prints and returns it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="*", choices=SAMPLE_SETS, default=list(SAMPLE_SETS), help="default: all")
    parser.add_argument("--pictures", type=Path, nargs="*", default=[], help="pictures of your own")
    parser.add_argument("--repeats", type=int, default=2, help="of each encoding (default: %(default)s)")
    options = parser.parse_args(sys.argv[1:] if argv is None else argv)
    rows = []
    print(f"{'images':24} {'way':16} {'encode ms':>10} {'decode ms':>10} {'KiB':>8}")
    for group, images in groups(options.sets, options.pictures):
        for row in measured(group, images, options.repeats):
            rows.append(row)
            print(f"{row.group:24} {row.way:16} {row.encode_ms:10.0f} {row.decode_ms:10.0f} {row.kib:8.0f}", flush=True)
    print()
    for way in WAYS:
        all_of_it = [row for row in rows if row.way == way]
        encode_ms, decode_ms, kib = (
            sum(getattr(row, name) for row in all_of_it) for name in ("encode_ms", "decode_ms", "kib")
        )
        print(f"{'all':24} {way:16} {encode_ms:10.0f} {decode_ms:10.0f} {kib:8.0f}")
    return rows


if __name__ == "__main__":
    main()
