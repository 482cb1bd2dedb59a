from dataclasses import replace

import pytest

from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine, in_turn
from agents.metrics.statistics import NOTHING
from agents.metrics.zooming import (
    Forced,
    best_box_iou,
    evidence_iou,
    first_box_iou,
    recovered_answers,
    recovered_operations,
    valid_operations,
)
from agents.rollout import EpisodeSettings, Sampling, rollout
from agents.sft.evaluation import mistakes_of
from pixel_env.boxes import FULL, Box
from pixel_env.dialects.table import dialect_named
from pixel_env.failures import Failure, FailureCode
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.task import Evidence
from pixel_env.testing import tiny_task, tiny_video_task
from pixel_env.types import Answer, Limits, Malformed, Prompt, Stop, Text, Trajectory, Turn
from pixel_env.views import View, ViewKind
from tests.agents.planned_traces import SMALL, planned_traces, shown_small

CUE = Box(0.5, 0.5, 0.75, 0.75)
TASK = tiny_task()
VIDEO = replace(tiny_video_task(), evidence=(Evidence(5, CUE), Evidence(6, CUE)))
REFUSED = Failure(FailureCode.CROP_TOO_SMALL, "too small")
ANSWER = Turn("7", Answer("7"), None, "")


def crop(box, failure=None, image=0, parent=FULL):
    views = () if failure else (View(TASK.sources[0], ViewKind.CROP, box.within(parent)),)
    return Turn("crop", CropImage(image, box), failure, "", views)


def select(*frames, failure=None):
    views = () if failure else tuple(View(VIDEO.sources[frame], ViewKind.SELECTED_FRAME) for frame in frames)
    return Turn("select", SelectFrames(frames), failure, "", views)


def episode(*turns, task=TASK, stop=Stop.ANSWERED, reward=0.0):
    return Trajectory(task, Prompt("", ""), task.opening_views, turns, stop=stop, reward=reward)


def test_the_share_of_valid_operations_is_told_by_type_and_unreadable_calls_are_of_none():
    unreadable = Turn("<tool_call>{", Malformed(FailureCode.BROKEN_JSON, "broken"), REFUSED, "")
    thought = Turn("well", Text("well"), None, "")
    shares = valid_operations(
        [episode(crop(CUE), crop(CUE, REFUSED), thought, ANSWER), episode(select(1), unreadable, crop(CUE), task=VIDEO)]
    )
    assert {kind: (share.value, share.n) for kind, share in shares.items()} == {
        "all": (3 / 5, 5), "crop_image": (2 / 3, 3), "select_frames": (1.0, 1), "unreadable": (0.0, 1),
    }  # fmt: skip
    assert shares["all"].low < 3 / 5 < shares["all"].high and valid_operations([]) == {}


@pytest.mark.parametrize("stop", [Stop.IMAGES, Stop.TOKENS])
def test_an_operation_that_exceeds_a_budget_was_not_executed(stop):
    cut = replace(crop(CUE), views=())
    assert valid_operations([episode(crop(CUE), cut, stop=stop)])["all"].value == 1 / 2
    assert first_box_iou([episode(cut, stop=stop)]) == NOTHING


def test_the_first_executed_box_counts_as_it_was_asked_for_on_the_whole_picture():
    padded = replace(crop(CUE), views=(View(TASK.sources[0], ViewKind.CROP, CUE.padded(0.1)),))
    assert first_box_iou([episode(crop(FULL, REFUSED), padded, crop(FULL), ANSWER)]).value == pytest.approx(1.0)
    half = Box(0.5, 0.5, 1.0, 1.0)
    assert first_box_iou([episode(crop(half), ANSWER), episode(crop(CUE), ANSWER)]).value == pytest.approx(
        (0.25 + 1) / 2
    )
    # On a selected frame, which is picture number 16.
    frame = select(5)
    on_frame = Turn("crop", CropImage(16, CUE), None, "", (View(VIDEO.sources[5], ViewKind.CROP, CUE),))
    other = Turn("crop", CropImage(16, CUE), None, "", (View(VIDEO.sources[1], ViewKind.CROP, CUE),))
    assert first_box_iou([episode(frame, on_frame, task=VIDEO)]).value == pytest.approx(1.0)
    assert first_box_iou([episode(select(1), other, task=VIDEO)]).value == 0.0
    assert first_box_iou([episode(ANSWER), episode(crop(CUE), task=replace(TASK, evidence=()))]) == NOTHING


TWO = replace(TASK, evidence=(Evidence(0, CUE), Evidence(0, Box(0.0, 0.0, 0.25, 0.25))))


def test_the_miou_is_the_mean_over_evidence_of_the_best_crop_and_a_row_without_a_crop_counts_nothing():
    half = Box(0.5, 0.5, 1.0, 1.0)  # IoU 1/4 with the first box, 0 with the second
    both = episode(crop(half), crop(CUE, REFUSED), crop(Box(0.0, 0.0, 0.25, 0.5)), ANSWER, task=TWO)
    assert evidence_iou([both]).value == pytest.approx((0.25 + 0.5) / 2)
    assert best_box_iou([both]).value == pytest.approx(0.5)
    other = episode(ANSWER, task=replace(TWO, task_id="other"))
    found = evidence_iou([both, other])
    assert (found.value, found.n) == (pytest.approx((0.25 + 0.5) / 4), 2)
    assert best_box_iou([both, other]).n == 1
    exact = episode(crop(CUE), crop(TWO.evidence[1].box), ANSWER, task=TWO)
    assert evidence_iou([exact]).value == best_box_iou([exact]).value == pytest.approx(1.0)


def test_the_rollouts_of_one_task_are_one_trial_of_the_miou():
    rollouts = [episode(crop(CUE), ANSWER), episode(ANSWER), episode(crop(CUE), ANSWER), episode(ANSWER)]
    assert (evidence_iou(rollouts).value, evidence_iou(rollouts).n) == (pytest.approx(0.5), 1)


def test_tasks_without_evidence_and_videos_have_no_miou():
    without = episode(crop(CUE), ANSWER, task=replace(TASK, evidence=()))
    assert evidence_iou([without, episode(select(5), ANSWER, task=VIDEO)]) == NOTHING == best_box_iou([without])


def test_a_crop_of_a_crop_counts_on_the_whole_image():
    outer = Box(0.5, 0.5, 1.0, 1.0)
    inner = crop(Box(0.0, 0.0, 0.5, 0.5), image=1, parent=outer)
    assert evidence_iou([episode(crop(outer), inner, ANSWER)]).value == pytest.approx(1.0)


WRONG, OVERSIZED = Box(0.0, 0.0, 0.25, 0.25), Box(0.3, 0.3, 1.0, 1.0)


@pytest.mark.parametrize(
    ("after", "recovers"),
    [
        ((crop(CUE), ANSWER), True),
        ((crop(FULL, REFUSED), crop(CUE), ANSWER), True),
        ((crop(WRONG), crop(CUE), ANSWER), False),
        ((crop(Box(0.5, 0.5, 0.6, 0.6)), ANSWER), False),
        ((crop(Box(0.4, 0.4, 0.9, 0.9)), ANSWER), True),
        ((crop(Box(0.4, 0.4, 0.95, 0.9)), ANSWER), False),
        ((crop(FULL), ANSWER), False),
        ((ANSWER,), False),
        ((), False),
    ],
)
def test_who_recovers_looks_at_the_evidence_with_the_next_executed_look(after, recovers):
    found = recovered_operations([Forced(episode(crop(WRONG), *after), turns=1)])
    assert (found.value, found.n) == (float(recovers), 1)


def test_after_a_look_that_was_too_large_only_a_smaller_one_recovers():
    closer = crop(CUE.relative_to(OVERSIZED), image=1, parent=OVERSIZED)
    hardly_smaller, half = crop(Box(0.31, 0.31, 1.0, 1.0)), crop(Box(0.5, 0.3, 0.85, 0.99))
    for next_look, recovers in (
        *((closer, 1.0), (half, 1.0), (hardly_smaller, 0.0)),
        *((crop(OVERSIZED), 0.0), (crop(FULL), 0.0), (crop(WRONG), 0.0)),
    ):
        assert recovered_operations([Forced(episode(crop(OVERSIZED), next_look, ANSWER), 1)]).value == recovers


def test_frames_recover_when_one_of_them_is_of_the_evidence():
    for frames, recovers in (((4, 5), 1.0), ((1, 2), 0.0)):
        assert recovered_operations([Forced(episode(select(0), select(*frames), task=VIDEO), 1)]).value == recovers


def test_after_a_look_that_was_a_little_too_large_a_hit_is_at_most_half_of_it():
    large = crop(Box(0.4, 0.4, 0.85, 0.85))
    for next_look, recovers in ((crop(Box(0.45, 0.45, 0.85, 0.85)), 0.0), (crop(CUE), 1.0)):
        assert recovered_operations([Forced(episode(large, next_look, ANSWER), 1)]).value == recovers


def test_a_whole_frame_of_the_evidence_shows_more_than_the_overview_and_hits():
    whole = Turn("crop", CropImage(5, FULL), None, "", (View(VIDEO.sources[5], ViewKind.CROP, FULL),))
    assert recovered_operations([Forced(episode(select(0), whole, task=VIDEO), 1)]).value == 1.0


def test_what_a_dialect_adds_around_a_crop_was_not_asked_for():
    asked = Box(0.4, 0.4, 0.85, 0.85)
    padded = replace(crop(asked), views=(View(TASK.sources[0], ViewKind.CROP, asked.padded(0.1)),))
    assert recovered_operations([Forced(episode(crop(WRONG), padded, ANSWER), 1)]).value == 1.0


def test_a_task_without_evidence_has_no_right_look_and_is_not_counted():
    unknown = episode(crop(WRONG), crop(CUE), ANSWER, task=replace(TASK, evidence=()))
    known = episode(crop(WRONG), crop(CUE), ANSWER)
    assert recovered_operations([Forced(unknown, 1)]) == NOTHING
    both = recovered_operations([Forced(unknown, 1), Forced(known, 1)])
    assert (both.value, both.n) == (1.0, 1)


@pytest.mark.parametrize("name", ["default", "qwen2.5-vl", "qwen3-vl", "released", "tiny"])
def test_the_right_looks_of_traces_recover_from_their_mistakes_and_a_mistake_made_twice_does_not(name):
    dialect = shown_small(dialect_named(name))
    chat, settings = PlainChat(dialect), EpisodeSettings(dialect, Limits(8, 40), SMALL)

    def recovers(trace, *texts):
        engine = ScriptedEngine(in_turn(*texts), chat)
        [played] = rollout([trace.task], engine, chat, settings=settings, sampling=Sampling(0.0), seed=0)
        return recovered_operations([Forced(played.trajectory, len(mistakes_of(trace)))]).value == 1.0

    corrected = [trace for trace in planned_traces(dialect) if mistakes_of(trace)]
    assert len(corrected) == (3 if name == "tiny" else 4)
    for trace in corrected:
        texts = [turn.text for turn in trace.turns]
        made = len(mistakes_of(trace))
        assert recovers(trace, *texts), trace.kind
        assert not recovers(trace, *texts[:made], texts[made - 1], *texts[made:]), trace.kind


def test_all_mistakes_of_a_trace_are_passed_over():
    twice = episode(crop(WRONG), crop(WRONG), crop(CUE), ANSWER, reward=1.0)
    assert (
        recovered_operations([Forced(twice, 2)]).value == 1.0 and recovered_operations([Forced(twice, 1)]).value == 0.0
    )
    assert recovered_answers([Forced(twice, 2), Forced(episode(ANSWER), 0)]).value == 0.5
    assert recovered_operations([]) == NOTHING == recovered_answers([])
