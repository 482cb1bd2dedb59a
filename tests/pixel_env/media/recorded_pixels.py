"""The pixels that the default dialect shows, as hashes: `python -m tests.pixel_env.media.recorded_pixels` records them.

Every sample set, and pictures and films that are no part of the repository: those of the folder `PIXEL_ENV_MEDIA`
(tests/examples_of_media.py). A rule that changes pixels on purpose changes the record, and names what it changes.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from pixel_env.boxes import Box
from pixel_env.dialects.table import DIALECTS
from pixel_env.media.showing import show
from pixel_env.media.sources import FileSource
from pixel_env.samples import SAMPLE_SETS, sample_set
from pixel_env.tasks.files.clips import VIDEO_SUFFIXES, clip_frames
from pixel_env.views import Source, View, ViewKind
from tests.examples_of_media import EXAMPLES

RECORD = Path(__file__).with_name("recorded_pixels.json")
TASKS = 6
_CROP = Box(0.31, 0.27, 0.58, 0.61)


def hash_of(source: Source, kind: ViewKind) -> str:
    """A hash of the whole source and of a crop of it, as shown."""
    digest = hashlib.sha256()
    for view in (View(source, kind), View(source, ViewKind.CROP, _CROP)):
        shown = show(view, DIALECTS["default"].budgets)
        digest.update(repr(shown.shape).encode() + shown.tobytes())
    return digest.hexdigest()[:24]


def sample_hashes(name: str) -> dict[str, str]:
    """By task: the images that it opens with."""
    tasks = sample_set(name, count=TASKS).tasks
    return {
        f"{name} {task.task_id} {number}": hash_of(view.source, view.kind)
        for task in tasks
        for number, view in enumerate(task.opening_views)
        if number in (0, len(task.opening_views) - 1)
    }


def examples() -> Iterator[tuple[str, Source, ViewKind]]:
    """Every picture, and the first and the last frame of every film, with names."""
    assert EXAMPLES is not None
    for path in sorted(EXAMPLES.rglob("*.*")):
        name = path.relative_to(EXAMPLES).as_posix()
        if path.suffix in VIDEO_SUFFIXES and path.suffix != ".gif":
            frames = clip_frames(path)
            yield f"{name} first", frames[0], ViewKind.VIDEO_FRAME
            yield f"{name} last", frames[-1], ViewKind.VIDEO_FRAME
        elif path.suffix != ".md":
            yield name, FileSource(path), ViewKind.ORIGINAL


def example_hashes() -> dict[str, str]:
    """By file: what is shown of it, or the kind of error."""
    hashes = {}
    for name, source, kind in examples():
        try:
            hashes[name] = hash_of(source, kind)
        except Exception as error:
            hashes[name] = type(error).__name__
    return hashes


def record() -> None:
    """Writes the record anew."""
    samples = {key: value for name in SAMPLE_SETS for key, value in sample_hashes(name).items()}
    rows = {"samples": samples, "examples": example_hashes()}
    RECORD.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    record()
