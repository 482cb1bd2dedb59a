"""Tasks about videos with times: separate images at a rate, and a file whose frames show their number."""

from dataclasses import replace

from pixel_env.dialects import DIALECTS
from pixel_env.operations.frame_rule import FrameRule
from pixel_env.task import Task
from pixel_env.tasks.files.clips import clip_frames
from pixel_env.testing import tiny_video_task
from tests.pixel_env.media.films import film

RULE = DIALECTS["default"].rule


def timed_task(frames=16, rate=2.0):
    """A video of separate images, `rate` of them a second."""
    return tiny_video_task(frames, frames_per_second=rate)


def film_task(folder, *, frames=120, rate=10, start_s=None, end_s=None):
    """A task about a video file of `frames` frames, whose overview has sixteen of them."""
    path = folder / "film.mp4"
    if not path.exists():
        film(path, frames=frames, rate=rate)
    return Task("film", "Which number?", ("7",), clip_frames(path, start_s, end_s), media="video")


def run(operation, task, max_frames=8, **rule):
    """The operation's result in the default dialect, with another `FrameRule` where its fields are given."""
    return operation.run(task.opening_views, task, replace(RULE, max_frames=max_frames, frames=FrameRule(**rule)))


def shades(views):
    """Which frames of a tiny video the views show: frame i has the shade i."""
    return [view.source.shade for view in views]
