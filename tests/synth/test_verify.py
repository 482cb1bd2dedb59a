import dataclasses
import itertools
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from agents.rollout import EpisodeSettings
from agents.traces import Mistake, Trace, TraceTurn
from pixel_env.actions import write
from pixel_env.boxes import Box
from pixel_env.dialects import dialect_named
from pixel_env.testing import BrokenSource, PixelSource, tiny_task, tiny_video_task
from pixel_env.types import Answer, CropImage, Evidence, Limits, SelectFrames
from synth.verify import Reason, verify

DIALECT = dialect_named("default")
SETTINGS = EpisodeSettings(DIALECT, Limits(), DIALECT.budgets)
TASK = tiny_task(needs_looking=True)
CARD = TASK.evidence[0].box
RIGHT = CropImage(0, CARD)
ELSEWHERE = CropImage(0, Box(0.0, 0.0, 0.25, 0.25))
WIDE = CropImage(0, Box(0.4, 0.4, 1.0, 1.0))
VIDEO = tiny_video_task(needs_looking=True)
VIDEO = dataclasses.replace(VIDEO, evidence=(Evidence(4, CARD), Evidence(5, CARD)))


def trace_of(*looks, task=TASK, answer="7", texts=(), dialect=DIALECT):
    """A trace of (action, mistake) pairs and an answer; `texts` stand before them."""
    actions = [*looks, (Answer(answer), None)]
    turns = [
        TraceTurn(f"{text}\n{write(action, dialect)}".strip(), train=mistake is None, mistake=mistake)
        for (action, mistake), text in itertools.zip_longest(actions, texts, fillvalue="")
    ]
    return Trace(task, tuple(turns))


def reason(trace, settings=SETTINGS):
    fault = verify(trace, settings).fault
    return None if fault is None else fault.reason


@pytest.mark.parametrize(
    "looks",
    [
        [(RIGHT, None)],
        [(ELSEWHERE, Mistake.UNRELATED_REGION), (RIGHT, None)],
        [(ELSEWHERE, Mistake.UNRELATED_REGION), (ELSEWHERE, Mistake.UNRELATED_REGION), (RIGHT, None)],
        [(WIDE, Mistake.OVERSIZED_REGION), (RIGHT, None)],
    ],
)
def test_a_trace_whose_operations_do_what_their_flags_say_is_kept(looks):
    assert reason(trace_of(*looks)) is None


def test_frames_that_are_right_or_wrong_as_flagged_are_kept():
    wrong, right = SelectFrames((0, 9)), SelectFrames((4, 5))
    assert reason(trace_of((wrong, Mistake.WRONG_FRAMES), (right, None), task=VIDEO)) is None


@pytest.mark.parametrize(
    ("trace", "expected"),
    [
        (trace_of((ELSEWHERE, None)), Reason.EVIDENCE_NOT_SHOWN),
        (trace_of((CropImage(0, Box(0.5, 0.5, 0.7, 0.75)), None)), Reason.EVIDENCE_NOT_SHOWN),
        (trace_of((RIGHT, Mistake.UNRELATED_REGION), (RIGHT, None)), Reason.NOT_ITS_MISTAKE),
        (trace_of((RIGHT, Mistake.OVERSIZED_REGION), (RIGHT, None)), Reason.NOT_ITS_MISTAKE),
        (
            trace_of((CropImage(0, Box(0, 0, 0.5, 0.49)), Mistake.OVERSIZED_REGION), (RIGHT, None)),
            Reason.NOT_ITS_MISTAKE,
        ),
        (
            trace_of((SelectFrames((4,)), Mistake.WRONG_FRAMES), (SelectFrames((4, 5)), None), task=VIDEO),
            Reason.NOT_ITS_MISTAKE,
        ),
        (trace_of((SelectFrames((4, 9)), None), task=VIDEO), Reason.EVIDENCE_NOT_SHOWN),
        (trace_of((SelectFrames((1,)), None)), Reason.OPERATION_REFUSED),
        (trace_of((CropImage(3, CARD), None)), Reason.OPERATION_REFUSED),
        (trace_of((RIGHT, None), answer="4"), Reason.ANSWERED_WRONG),
        (trace_of((RIGHT, None), texts=("The card shows a 7.",)), Reason.LEAK),
        (
            trace_of((ELSEWHERE, Mistake.UNRELATED_REGION), (RIGHT, None), texts=("", "No card; but it is a 7.")),
            Reason.LEAK,
        ),
    ],
)
def test_a_trace_that_does_something_else_is_dropped_with_the_reason(trace, expected):
    assert reason(trace) is expected


def test_the_detail_may_be_said_once_it_was_shown():
    assert reason(trace_of((RIGHT, None), texts=("A red card.", "The card shows a 7."))) is None


def test_a_trace_that_ends_before_or_after_its_episode_is_dropped():
    whole = trace_of((RIGHT, None))
    assert reason(dataclasses.replace(whole, turns=whole.turns[:1])) is Reason.NOT_ANSWERED
    assert reason(dataclasses.replace(whole, turns=(*whole.turns, whole.turns[-1]))) is Reason.NOT_ANSWERED
    short = dataclasses.replace(SETTINGS, limits=Limits(max_turns=1))
    assert reason(whole, short) is Reason.NOT_ANSWERED


def test_a_picture_that_cannot_be_read_drops_the_trace():
    task = tiny_task(sources=(BrokenSource(),))
    assert reason(trace_of((RIGHT, None), task=task)) is Reason.EPISODE_FAILED


def test_padding_counts_because_it_is_shown():
    """The released dialect adds a tenth of the picture on each side of a crop: it then shows what the box missed."""
    released = dialect_named("released")
    near = CropImage(0, Box(0.2, 0.2, 0.45, 0.45))
    trace = trace_of((near, Mistake.UNRELATED_REGION), (RIGHT, None), dialect=released)
    assert reason(trace, EpisodeSettings(released, Limits(), released.budgets)) is Reason.NOT_ITS_MISTAKE
    assert reason(trace_of((near, Mistake.UNRELATED_REGION), (RIGHT, None))) is None


@dataclass(frozen=True, eq=False)
class Flickering:
    """Another picture each time it is decoded, under another key, so that no cache hides it."""

    numbers: itertools.count

    @property
    def key(self):
        return f"flickering {next(self.numbers)}"

    def decode(self):
        return Image.fromarray(np.full((280, 280, 3), next(self.numbers) % 256, np.uint8))


def test_a_trace_that_shows_something_else_the_second_time_is_dropped():
    task = tiny_task(sources=(Flickering(itertools.count()),), evidence=())
    trace = Trace(task, (TraceTurn("I look at the whole picture.\n\\boxed{7}"),))
    assert reason(trace) is Reason.NOT_REPEATED


def test_every_piece_of_evidence_must_be_shown_in_one_look_or_several():
    first, second = Box(0.1, 0.1, 0.3, 0.3), Box(0.6, 0.6, 0.8, 0.8)
    task = tiny_task(evidence=(Evidence(0, first), Evidence(0, second)), sources=(PixelSource(),))
    assert reason(trace_of((CropImage(0, first), None), task=task)) is Reason.EVIDENCE_NOT_SHOWN
    assert reason(trace_of((CropImage(0, first), None), (CropImage(0, second), None), task=task)) is None


def test_episodes_that_do_the_same_have_the_same_deeds_whatever_they_say():
    said = [verify(trace_of((RIGHT, None), texts=(text,)), SETTINGS).deeds for text in ("Look.", "Let me look closer.")]
    other = verify(trace_of((WIDE, Mistake.OVERSIZED_REGION), (RIGHT, None)), SETTINGS).deeds
    assert said[0] == said[1] != other
