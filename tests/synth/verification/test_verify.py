import dataclasses
import itertools
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from agents.rollout import EpisodeSettings
from agents.traces.trace import Mistake, Trace, TraceTurn
from pixel_env.actions import write
from pixel_env.boxes import Box
from pixel_env.dialects.dialect import view_budgets
from pixel_env.dialects.table import dialect_named
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.task import Evidence
from pixel_env.testing import BrokenSource, PixelSource, tiny_task, tiny_video_task
from pixel_env.types import Answer, Limits
from synth.plans.mix import Mix, draw_plans
from synth.plans.plan import PlanKind, traced
from synth.seed_data import load_seeds
from synth.teachers.template.teacher import narrated
from synth.verification.verify import Reason, verify

DIALECT = dialect_named("default")
SETTINGS = EpisodeSettings(DIALECT, Limits(), DIALECT.budgets)
TASK = tiny_task(needs_looking=True)
CARD = TASK.evidence[0].box
RIGHT = CropImage(0, CARD)
ELSEWHERE = CropImage(0, Box(0.0, 0.0, 0.25, 0.25))
ASIDE = CropImage(0, Box(0.7, 0.0, 0.95, 0.25))
WIDE = CropImage(0, Box(0.4, 0.4, 1.0, 1.0))
VIDEO = tiny_video_task(needs_looking=True)
VIDEO = dataclasses.replace(VIDEO, evidence=(Evidence(4, CARD), Evidence(5, CARD)))


def trace_of(*looks, task=TASK, answer="7", texts=(), dialect=DIALECT, kind=""):
    """A trace of (action, mistake) pairs and an answer; `texts` stand before them."""
    actions = [*looks, (Answer(answer), None)]
    turns = [
        TraceTurn(f"{text}\n{write(action, dialect)}".strip(), train=mistake is None, mistake=mistake)
        for (action, mistake), text in itertools.zip_longest(actions, texts, fillvalue="")
    ]
    return Trace(task, tuple(turns), kind)


def reason(trace, settings=SETTINGS):
    fault = verify(trace, settings).fault
    return None if fault is None else fault.reason


@pytest.mark.parametrize(
    "looks",
    [
        [(RIGHT, None)],
        [(ELSEWHERE, Mistake.UNRELATED_REGION), (RIGHT, None)],
        [(ELSEWHERE, Mistake.UNRELATED_REGION), (ASIDE, Mistake.UNRELATED_REGION), (RIGHT, None)],
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
        (trace_of((ELSEWHERE, Mistake.UNRELATED_REGION)), Reason.EVIDENCE_NOT_SHOWN),
        (trace_of((WIDE, Mistake.OVERSIZED_REGION)), Reason.EVIDENCE_NOT_SHOWN),
        (trace_of(), Reason.EVIDENCE_NOT_SHOWN),
        (
            trace_of((ELSEWHERE, Mistake.UNRELATED_REGION), (ELSEWHERE, Mistake.UNRELATED_REGION), (RIGHT, None)),
            Reason.LOOKS_AGAIN,
        ),
        (
            trace_of(
                (ELSEWHERE, Mistake.UNRELATED_REGION),
                (CropImage(0, Box(0.02, 0.02, 0.27, 0.27)), Mistake.UNRELATED_REGION),
                (RIGHT, None),
            ),
            Reason.LOOKS_AGAIN,
        ),
        (trace_of((RIGHT, None), (RIGHT, None)), Reason.LOOKS_AGAIN),
        (trace_of((WIDE, Mistake.OVERSIZED_REGION), (CropImage(0, Box(0.4, 0.4, 0.9, 0.9)), None)), Reason.LOOKS_AGAIN),
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


def test_a_image_that_cannot_be_read_drops_the_trace():
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


def test_every_piece_of_evidence_must_be_shown_in_one_operation_or_several():
    first, second = Box(0.1, 0.1, 0.3, 0.3), Box(0.6, 0.6, 0.8, 0.8)
    task = tiny_task(evidence=(Evidence(0, first), Evidence(0, second)), sources=(PixelSource(),))
    assert reason(trace_of((CropImage(0, first), None), task=task)) is Reason.EVIDENCE_NOT_SHOWN
    assert reason(trace_of((CropImage(0, first), None), (CropImage(0, second), None), task=task)) is None


def test_episodes_that_do_the_same_have_the_same_actions_whatever_they_say():
    said = [
        verify(trace_of((RIGHT, None), texts=(text,)), SETTINGS).action_fingerprint
        for text in ("Look.", "Let me look closer.")
    ]
    other = verify(trace_of((WIDE, Mistake.OVERSIZED_REGION), (RIGHT, None)), SETTINGS).action_fingerprint
    assert said[0] == said[1] != other


@pytest.mark.parametrize(
    "changed", [{"sources": (PixelSource(shade=3),)}, {"options": ("7", "8")}, {"question": "Which digit is it?"}]
)
def test_the_same_actions_on_another_image_or_question_are_other_actions(changed):
    action_fingerprint = [
        verify(trace_of((RIGHT, None), task=task), SETTINGS).action_fingerprint
        for task in (TASK, dataclasses.replace(TASK, **changed))
    ]
    assert action_fingerprint[0] != action_fingerprint[1]


def test_an_answer_without_an_operation_is_kept_only_where_the_overview_suffices():
    assert reason(trace_of(task=tiny_task(needs_looking=False))) is None
    assert reason(trace_of(task=tiny_task(evidence=()))) is None
    assert reason(trace_of(task=tiny_task())) is Reason.EVIDENCE_NOT_SHOWN


@pytest.mark.parametrize(
    ("share_of_crop", "expected"),
    [(0.9, None), (0.2, Reason.NOT_ITS_MISTAKE)],  # of a crop that shows 0.36 of the picture
)
def test_an_over_large_crop_of_a_crop_is_measured_on_the_whole_image(share_of_crop, expected):
    side = share_of_crop**0.5
    inner = CropImage(1, Box(0.05, 0.05, 0.05 + side, 0.05 + side))
    tight = CropImage(0, Box(0.5, 0.5, 0.65, 0.65))
    task = tiny_task(evidence=(Evidence(0, tight.box),))
    looks = [(WIDE, Mistake.OVERSIZED_REGION), (inner, Mistake.OVERSIZED_REGION), (tight, None)]
    assert reason(trace_of(*looks, task=task)) is expected


# ----------------------------------------------------------------------------------- announced before all was shown

GROUPS = (Box(0.1, 0.1, 0.3, 0.3), Box(0.6, 0.6, 0.8, 0.8))
COUNT = tiny_task(
    question="How many red cards show an even digit?",
    answers=("2",),
    grader="number",
    evidence=tuple(Evidence(0, group) for group in GROUPS),
    needs_looking=True,
)


def said_between_cues(text):
    looks = [(CropImage(0, group), None) for group in GROUPS]
    return trace_of(*looks, task=COUNT, answer="2", texts=("Two groups.", text, "So the answer is 2."))


@pytest.mark.parametrize("text", ["The answer is 2.", "In total I count 2.", "The answer is 5, it seems."])
def test_an_answer_that_is_announced_before_all_evidence_was_shown_drops_the_trace(text):
    assert reason(said_between_cues(text)) is Reason.LEAK


@pytest.mark.parametrize(
    "text", ["This group has 2 of them.", "Two red cards with an even digit so far.", "I see 2 here."]
)
def test_what_a_part_of_the_evidence_shows_may_be_said_once_it_was_shown(text):
    assert reason(said_between_cues(text)) is None


def said_between_frames_and_crop(text):
    sources = tuple(PixelSource(280, 280, shade) for shade in range(16))
    looks = [(SelectFrames((4, 5)), None), (CropImage(16, CARD), None)]
    return trace_of(*looks, task=dataclasses.replace(VIDEO, sources=sources), texts=("", text, "It is a 7."))


def test_the_detail_of_a_frame_that_is_cropped_next_may_not_be_said_yet():
    assert reason(said_between_frames_and_crop("The answer is 7.")) is Reason.LEAK
    assert reason(said_between_frames_and_crop("The card shows a 7, I look closer.")) is Reason.LEAK
    assert reason(said_between_frames_and_crop("There is the card.")) is None
    assert reason(trace_of((SelectFrames((4, 5)), None), task=VIDEO, texts=("", "The card shows a 7."))) is None


# ----------------------------------------------------------------------------------------------- flags and the kind

UNRELATED, OVERSIZED = (ELSEWHERE, Mistake.UNRELATED_REGION), (WIDE, Mistake.OVERSIZED_REGION)
LOOKS = {
    "single_pass": [(RIGHT, None)],
    "recrop_once": [UNRELATED, (RIGHT, None)],
    "recrop_twice": [UNRELATED, (ASIDE, Mistake.UNRELATED_REGION), (RIGHT, None)],
    "further_zoom": [OVERSIZED, (RIGHT, None)],
}


@pytest.mark.parametrize("kind", LOOKS)
@pytest.mark.parametrize("looks_of", LOOKS)
def test_a_trace_has_the_operations_of_its_kind(kind, looks_of):
    expected = None if kind == looks_of else Reason.NOT_ITS_KIND
    assert reason(trace_of(*LOOKS[looks_of], kind=kind)) is expected


def test_a_reselection_is_no_single_pass_and_text_only_has_no_operations():
    reselection = [(SelectFrames((0, 9)), Mistake.WRONG_FRAMES), (SelectFrames((4, 5)), None)]
    assert reason(trace_of(*reselection, task=VIDEO, kind="reselect")) is None
    assert reason(trace_of(*reselection, task=VIDEO, kind="single_pass")) is Reason.NOT_ITS_KIND
    assert reason(trace_of(*LOOKS["single_pass"], kind="text_only")) is Reason.NOT_ITS_KIND
    assert reason(trace_of(task=tiny_task(evidence=()), kind="text_only")) is None
    assert reason(trace_of(task=tiny_task(evidence=()), kind="single_pass")) is Reason.NOT_ITS_KIND


def test_a_mistake_that_comes_after_the_right_operation_is_of_no_kind():
    looks = [(RIGHT, None), UNRELATED]
    assert reason(trace_of(*looks, kind="recrop_once")) is Reason.NOT_ITS_KIND
    assert reason(trace_of(*looks)) is None


def test_a_mistake_that_is_trained_drops_the_trace():
    trace = trace_of(*LOOKS["recrop_once"], kind="recrop_once")
    trained = tuple(dataclasses.replace(turn, train=True) for turn in trace.turns)
    assert reason(dataclasses.replace(trace, turns=trained)) is Reason.MISTAKE_TRAINED


def test_a_last_turn_that_announces_another_answer_drops_the_trace():
    trace = trace_of(*LOOKS["single_pass"], kind="single_pass")
    assert reason(trace) is None
    last = trace.turns[-1]
    wrong = dataclasses.replace(last, text=f"So the answer is 3141. {last.text}")
    assert reason(dataclasses.replace(trace, turns=(*trace.turns[:-1], wrong))) is Reason.CONTRADICTS_ITSELF


# ------------------------------------------------------------------------------------------ nothing is dropped wrongly


def test_of_300_plans_in_the_template_teachers_words_none_is_dropped():
    """The embedded questions and evidence, on pictures that cost nothing."""
    tasks = [plain(task) for task in load_seeds("embedded", count=400).task_set.tasks]
    plans = draw_plans(tasks, Mix(text=0), 300, seed=1).plans
    assert len(plans) == 300 and {plan.kind for plan in plans} == set(PlanKind) - {PlanKind.TEXT_ONLY}
    for plan in plans:
        assert verify(traced(plan, narrated(plan, seed=1), SMALL), SMALL_SETTINGS).fault is None, plan.plan_id


def plain(task):
    """The task on small pictures of no content."""
    return dataclasses.replace(task, sources=tuple(PixelSource(240, 240, shade) for shade in range(len(task.sources))))


SMALL = dataclasses.replace(DIALECT, budgets=view_budgets(*[(28 * 28, 84 * 84)] * 4, factor=28))
SMALL_SETTINGS = EpisodeSettings(SMALL, Limits(), SMALL.budgets)


ALL = dataclasses.replace(DIALECT, several_calls="all")
ALL_SETTINGS = dataclasses.replace(SETTINGS, dialect=ALL)


def two_calls(first, second, mistake=None):
    calls = write(first, DIALECT) + write(second, DIALECT)
    turns = (TraceTurn(calls, train=mistake is None, mistake=mistake), TraceTurn(write(RIGHT, DIALECT)))
    return Trace(TASK, (*turns[: 2 if mistake else 1], TraceTurn("\\boxed{7}")))


def test_each_call_of_a_turn_with_several_is_checked():
    larger = CropImage(0, Box(0.45, 0.45, 0.8, 0.8))
    assert reason(two_calls(RIGHT, larger), ALL_SETTINGS) is None
    assert reason(two_calls(RIGHT, ELSEWHERE), ALL_SETTINGS) is Reason.EVIDENCE_NOT_SHOWN
    assert reason(two_calls(RIGHT, RIGHT), ALL_SETTINGS) is Reason.LOOKS_AGAIN
    assert reason(two_calls(RIGHT, CropImage(8, CARD)), ALL_SETTINGS) is Reason.OPERATION_REFUSED
    assert reason(two_calls(ELSEWHERE, ASIDE, Mistake.UNRELATED_REGION), ALL_SETTINGS) is None
    assert reason(two_calls(ELSEWHERE, RIGHT, Mistake.UNRELATED_REGION), ALL_SETTINGS) is Reason.NOT_ITS_MISTAKE


def test_a_thought_is_read_for_leaks_and_its_draft_of_a_call_is_no_call():
    draft = f"<think>I could write {write(ELSEWHERE, DIALECT)} first.</think>{write(RIGHT, DIALECT)}"
    assert reason(Trace(TASK, (TraceTurn(draft), TraceTurn("\\boxed{7}")))) is None
    leak = f"<think>The card shows a 7, so the digit is 7.</think>{write(RIGHT, DIALECT)}"
    assert reason(Trace(TASK, (TraceTurn(leak), TraceTurn("\\boxed{7}")))) is Reason.LEAK
