"""Rows of video peers read the texts that their own code reads, but where a row says otherwise."""

import json
from pathlib import Path

import pytest

from pixel_env.actions import parse_all
from pixel_env.dialects.table import PEERS
from pixel_env.failures import Failure
from pixel_env.operations.frame_at_time import FrameAtTime
from pixel_env.operations.select_range import SelectRange
from pixel_env.operations.select_segment import SelectSegment
from pixel_env.timeline import Timeline
from pixel_env.types import Answer, Malformed, Text
from tests.pixel_env.golden.comparison import assert_differences

FOLDER = Path(__file__).parent
VIDEO_ROWS = ("videozoomer", "framethinker", "longvt")


def outcome_of(case, dialect):
    """("frames", numbers), ("text", None), ("refused", None), ("answer", None) or ("no call", None)."""
    text = case["text"]
    for stop in dialect.stop:
        text = text[: text.index(stop) + len(stop)] if stop in text else text
    action = parse_all(text, dialect)[0]
    timeline = Timeline(case["frames"], case["fps"], {})
    match action:
        case Malformed():
            return "refused", None
        case Answer():
            return "answer", None
        case Text():
            return "no call", None
        case SelectSegment(start, end, rate):
            frames = dialect.frames.segment(timeline, start, end, rate, dialect.max_frames)
        case SelectRange(first, last):
            frames = dialect.frames.range(first, last, timeline, dialect.max_frames, dialect.first_index)
        case FrameAtTime(time):
            return ("refused" if timeline.number_at(time) is None else "text"), None
    return ("refused", None) if isinstance(frames, Failure) else ("frames", list(frames))


def compared(row):
    """Each case with whether ours does the same, what ours does and what theirs does."""
    for case in json.loads((FOLDER / row.golden).read_text(encoding="utf-8"))["cases"]:
        if row.dialect.name == "framethinker" and case["frames"] / case["fps"] > 300:
            continue  # 12 frames instead of 8: another row
        kind, frames = outcome_of(case, row.dialect)
        wanted = {"crash": "refused"}.get(case["outcome"], case["outcome"])
        if wanted == "no call" and row.dialect.answer_rule == "any":
            wanted = "answer"  # a turn without a call is the answer
        same = kind == wanted and (kind != "frames" or frames == case["frames_returned"])
        yield case, same, (kind, frames), (wanted, case.get("frames_returned"))


@pytest.mark.parametrize("name", VIDEO_ROWS)
def test_a_row_shows_the_frames_that_its_project_shows_but_where_it_says_otherwise(name):
    assert_differences(compared(PEERS[name]), PEERS[name].differences)
