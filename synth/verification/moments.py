"""Words for moments against the frames of the selection that they announce: "the end of the video", "frame 3", "0:12".

Pure functions of a text and frame numbers. Of several moments one that fits is enough. Depends on what a text announces
(`announcements.py`); independent of tasks and episodes.
"""

import re
from collections.abc import Sequence

from synth.verification.announcements import announced

_MIDDLE_WITHIN = 0.3
"""How far from the middle of the video that of the frames may be, as a share of the video, if it is called middle."""
_EARLY, _LATE = 0.45, 0.55
_MOMENT = re.compile(
    r"\b(?P<first>(?:the (?:very )?)?(?:beginning|start|opening|early (?:part|frames|seconds)|(?:first|initial|"
    r"opening|earliest) (?:\w+ )?(?:frames?|part|third|half|"
    r"seconds|moments|scene))|beginning)\b|"
    r"\b(?P<middle>(?:the )?(?:middle(?: part| third| frames)?|cent(?:re|er)|central (?:part|frames)))\b|"
    r"\b(?P<last>(?:the (?:very )?)?(?:end(?:ing)?|late(?:r|st)? (?:part|frames|seconds)|"
    r"(?:last|final|closing) (?:\w+ )?(?:frames?|part|third|half|seconds|moments|scene)))\b"
)
_FRAMES = re.compile(
    r"\bframes?\s+(?:numbers?\s+|no\.?\s*)?((?:\d+)(?:\s*(?:,|and|to|or|through|-|–|,\s*and)\s*\d+)*)(?!\s*(?:s|"
    r"sec|seconds)\b)"
)
_SECONDS = re.compile(
    r"\b(?:(?P<minutes>\d{1,2}):(?P<of_minute>\d{2})|second (?P<second>\d+(?:\.\d+)?)|"
    r"(?P<seconds>\d+(?:\.\d+)?)\s*(?:s|sec|seconds?))\b"
)


def wrong_moment(text: str, frames: Sequence[int], count: int, seconds: Sequence[float] | None) -> str:
    """The moment that a text announces, if the selected `frames` (from 0, of `count`) are at another.

    `seconds`: when each of the `count` frames is shown; None if that is not known. A frame's number may be counted from
    0 or from 1.
    """
    for rest in announced(text):
        if (
            words := _wrong_frames(rest, frames)
            or _wrong_seconds(rest, frames, seconds)
            or _wrong_part(rest, frames, count)
        ):
            return words
    return ""


def _wrong_frames(rest: str, frames: Sequence[int]) -> str:
    matches = list(_FRAMES.finditer(rest))
    for match in matches:
        numbers = [int(number) for number in re.findall(r"\d+", match[1])]
        spans = range(min(numbers) - 1, max(numbers) + 1)
        if any(frame in spans for frame in frames):
            return ""
    return matches[0].group() if matches else ""


def _wrong_seconds(rest: str, frames: Sequence[int], seconds: Sequence[float] | None) -> str:
    matches = list(_SECONDS.finditer(rest))
    if not matches or not seconds or len(seconds) < 2:
        return ""
    apart = max(1.0, 1.5 * (seconds[-1] - seconds[0]) / (len(seconds) - 1))
    low, high = seconds[frames[0]] - apart, seconds[frames[-1]] + apart
    return "" if any(low <= _second(match) <= high for match in matches) else matches[0].group()


def _second(match: re.Match[str]) -> float:
    if match["minutes"]:
        return 60.0 * int(match["minutes"]) + int(match["of_minute"])
    return float(match["second"] or match["seconds"])


def _wrong_part(rest: str, frames: Sequence[int], count: int) -> str:
    middle = (frames[0] + frames[-1] + 1) / 2 / count
    matches = list(_MOMENT.finditer(rest))
    for match in matches:
        fits = (
            (match["first"] and (middle <= _EARLY or frames[0] == 0))
            or (match["middle"] and abs(middle - 0.5) <= _MIDDLE_WITHIN)
            or (match["last"] and (middle >= _LATE or frames[-1] == count - 1))
        )
        if fits:
            return ""
    return matches[0].group() if matches else ""
