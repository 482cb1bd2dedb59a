"""What rows state of the times of their videos, and where the files disagree.

Depends on the times of videos; independent of formats. The file is followed; what disagrees is told, not bent.
"""

from dataclasses import dataclass
from pathlib import Path

from pixel_env.errors import MediaError
from pixel_env.media.videos.clips import times_of

_MOST_OFF_S = 1.0
"""Annotations are rounded, some to whole seconds."""
_MOST_OFF_RATE = 0.01
"""Of the rate: 30 for 29.97 is no disagreement."""


@dataclass(frozen=True, slots=True)
class StatedTimes:
    """Of the video at `path`: when a segment of it ends, how long it lasts, its frames per second; None: not stated."""

    path: Path
    end_s: float | None = None
    seconds: float | None = None
    rate: float | None = None


def disagreement(stated: StatedTimes) -> str:
    """Where the file disagrees, "" if it does not or cannot be read. Raises MissingExtraError without a decoder."""
    try:
        times = times_of(stated.path)
    except MediaError:
        return ""  # the check of its frames says why
    name, seconds = stated.path.name, times.seconds
    if times.rate is None or seconds is None:
        return f"{name} has no times" if stated.end_s is not None else ""
    if stated.end_s is not None and stated.end_s > seconds + _MOST_OFF_S:
        return f"a segment of {name} ends at {stated.end_s:g} s, and the file at {seconds:.2f} s"
    if stated.seconds is not None and abs(stated.seconds - seconds) > _MOST_OFF_S:
        return f"{name} lasts {seconds:.2f} s, and its row says {stated.seconds:g} s"
    if stated.rate is not None and abs(stated.rate - times.rate) > _MOST_OFF_RATE * times.rate:
        return f"{name} has {times.rate:.2f} frames/s, and its row says {stated.rate:g}"
    return ""
