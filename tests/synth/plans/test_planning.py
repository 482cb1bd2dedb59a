"""Contracts of every kind of plan, as properties over the sample sets, many seeds and all dialects."""

import functools

import numpy as np
import pytest

from agents.traces.trace import Mistake
from pixel_env.boxes import FULL, Box
from pixel_env.dialects.table import dialect_named
from pixel_env.env import PixelEnv
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.task import Evidence
from pixel_env.tasks import load_tasks
from pixel_env.testing import PixelSource, tiny_task, tiny_video_task
from pixel_env.types import Stop
from synth.plans.framing import FREE, GRID, LEAST_SIDE, joined
from synth.plans.mistakes import OVERSIZED, OVERSIZED_TIMES, unrelated_region
from synth.plans.plan import Plan, PlanKind, silent, traced
from synth.plans.planning import MAX_OPERATIONS, MOST_FRAMES, NoRoom, planned, right_frames
from synth.warm_starts.templates import shown_as

SETS = ("vstar", "tallyqa", "infographics", "mvbench")
IMAGE_KINDS = (PlanKind.SINGLE_PASS, PlanKind.RECROP_ONCE, PlanKind.RECROP_TWICE, PlanKind.FURTHER_ZOOM)
VIDEO_KINDS = (PlanKind.SINGLE_PASS, PlanKind.RESELECT)


@functools.cache
def sample(name, count=60):
    return load_tasks(f"sample:{name}", split="train", count=count)


def plans(name, kind, seeds=range(3), framing=FREE):
    """Every plan of the kind that the set's tasks have room for."""
    drawn = [
        planned(task, kind, np.random.default_rng((seed, place)), framing=framing)
        for seed in seeds
        for place, task in enumerate(sample(name).tasks)
    ]
    return [plan for plan in drawn if isinstance(plan, Plan)]


def mistakes(plan):
    return [look.mistake for look in plan.operations]


def evidence_boxes(plan):
    return [evidence.box for evidence in plan.task.evidence]


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("dialect", ["default", "qwen2.5-vl", "qwen3-vl", "released", "released:vcot:train-pixels"])
def test_every_operation_is_executed_right_ones_show_all_evidence_and_wrong_ones_none(name, dialect):
    task_set, dialect = sample(name), dialect_named(dialect)
    env = PixelEnv(task_set, dialect=dialect)
    for kind in VIDEO_KINDS if name == "mvbench" else IMAGE_KINDS:
        for plan in plans(name, kind, seeds=[0])[::11]:
            env.reset(options={"task_id": plan.task.task_id})
            for turn in traced(plan, silent(plan), shown_as(task_set, dialect)).turns:
                _, reward, terminated, _, info = env.step(turn.text)
                assert info["failure"] is None, (plan.plan_id, info["failure"])
            assert (reward, terminated, info["stop"]) == (1.0, True, Stop.ANSWERED), plan.plan_id
            assert_shown(plan, env.trajectory)


def assert_shown(plan, trajectory):
    seen = set()
    for look, turn in zip(plan.operations, trajectory.turns, strict=False):
        shown = {
            (evidence.image, evidence.box)
            for view in turn.views
            for evidence in plan.task.evidence
            if view.source == plan.task.sources[evidence.image] and view.box.contains(evidence.box)
        }
        touched = any(
            view.source == plan.task.sources[evidence.image] and view.box.iou(evidence.box) > 0
            for view in turn.views
            for evidence in plan.task.evidence
        )
        if look.mistake in (Mistake.UNRELATED_REGION, Mistake.WRONG_FRAMES):
            assert not touched, plan.plan_id
        else:
            assert shown, plan.plan_id
        if look.mistake is None:
            seen |= shown
    assert seen == {(evidence.image, evidence.box) for evidence in plan.task.evidence}, plan.plan_id


@pytest.mark.parametrize("name", SETS[:3])
def test_image_kinds_make_their_mistakes_first_and_then_crop_every_cue_once(name):
    for kind, wrong in (
        (PlanKind.SINGLE_PASS, []),
        (PlanKind.RECROP_ONCE, [Mistake.UNRELATED_REGION]),
        (PlanKind.RECROP_TWICE, [Mistake.UNRELATED_REGION] * 2),
        (PlanKind.FURTHER_ZOOM, [Mistake.OVERSIZED_REGION]),
    ):
        found = plans(name, kind)
        assert len(found) >= 5
        for plan in found:
            cues = joined(evidence_boxes(plan), FREE.joined_side)
            assert mistakes(plan) == wrong + [None] * len(cues) and len(plan.operations) <= MAX_OPERATIONS
            assert all(isinstance(look.operation, CropImage) for look in plan.operations)


@pytest.mark.parametrize("name", SETS[:3])
def test_right_crops_hold_their_cue_and_enlarge_it(name):
    for plan in plans(name, PlanKind.SINGLE_PASS):
        for look in plan.operations:
            assert any(look.operation.box.contains(cue) for cue in joined(evidence_boxes(plan), FREE.joined_side))
            assert min(look.operation.box.width, look.operation.box.height) >= LEAST_SIDE - 1e-9
            assert look.operation.box.area <= 0.25


@pytest.mark.parametrize("name", SETS[:3])
def test_unrelated_regions_show_no_evidence_even_padded_and_are_no_near_duplicates(name):
    for kind in (PlanKind.RECROP_ONCE, PlanKind.RECROP_TWICE):
        for plan in plans(name, kind):
            wrong = [look.operation.box for look in plan.operations if look.mistake]
            assert all(box.padded(0.1).iou(evidence) == 0.0 for box in wrong for evidence in evidence_boxes(plan))
            if len(wrong) == 2:
                assert wrong[0] != wrong[1] and wrong[0].iou(wrong[1]) <= 0.1


def test_a_second_unrelated_region_is_drawn_again_until_it_lies_elsewhere():
    look, cue, first = Box(0.0, 0.0, 0.4, 0.4), Box(0.0, 0.0, 0.05, 0.05), Box(0.5, 0.5, 0.9, 0.9)
    for seed in range(50):
        second = unrelated_region(look, [cue], [first], FREE, np.random.default_rng(seed))
        assert second is not None and second.iou(first) <= 0.1


@pytest.mark.parametrize("name", SETS[:3])
def test_a_further_zoom_goes_from_an_over_large_region_into_that_crop(name):
    for plan in plans(name, PlanKind.FURTHER_ZOOM):
        oversized, zoom = (look.operation for look in plan.operations[:2])
        inner = zoom.box.within(oversized.box)
        assert oversized.image == 0 and zoom.image == len(plan.task.sources)  # the first look's picture is the next one
        assert OVERSIZED[0] - 1e-9 <= oversized.box.area <= OVERSIZED[1] + 1e-9
        assert oversized.box.area >= OVERSIZED_TIMES * inner.area - 1e-9
        cue = joined(evidence_boxes(plan), FREE.joined_side)[0]
        assert oversized.box.contains(cue) and inner.contains(cue)


def test_videos_select_the_evidence_frames_and_neighbours_eight_at_most():
    for plan in plans("mvbench", PlanKind.SINGLE_PASS):
        frames = plan.operations[0].operation.frames
        evidence = {known.image for known in plan.task.evidence}
        assert evidence <= set(frames) and len(frames) <= MOST_FRAMES and list(frames) == sorted(set(frames))
        assert min(evidence) - min(frames) <= 2 and max(frames) - max(evidence) <= 2


def test_a_reselection_sees_wrong_neighbouring_frames_outside_of_the_evidence_first():
    sides = set()
    for plan in plans("mvbench", PlanKind.RESELECT):
        wrong, right = (look.operation.frames for look in plan.operations[:2])
        evidence = sorted({known.image for known in plan.task.evidence})
        assert mistakes(plan)[:2] == [Mistake.WRONG_FRAMES, None]
        assert max(wrong) < evidence[0] or min(wrong) > evidence[-1]
        assert 1 <= len(wrong) <= 4 and list(wrong) == list(range(wrong[0], wrong[0] + len(wrong)))
        assert set(evidence) <= set(right) and not set(right) & set(wrong)
        sides.add(wrong[0] > evidence[-1])
    assert sides == {True, False}


def test_a_small_digit_is_cropped_on_the_selected_frame_that_shows_it():
    cropped = 0
    for kind in VIDEO_KINDS:
        for plan in plans("mvbench", kind):
            if plan.task.category == "fine-digit":
                *_, selection, crop = (look.operation for look in plan.operations)
                before = len(plan.task.sources) + sum(len(look.operation.frames) for look in plan.operations[:-2])
                frame = selection.frames[crop.image - before]
                assert any(known.image == frame and crop.box.contains(known.box) for known in plan.task.evidence)
                cropped += 1
            if plan.task.category == "state-change":  # two moments: a crop of one would not tell
                assert all(isinstance(look.operation, SelectFrames) for look in plan.operations)
    assert cropped >= 50


HERE, NEAR_HERE, THERE = Box(0.1, 0.1, 0.2, 0.2), Box(0.11, 0.1, 0.21, 0.2), Box(0.7, 0.7, 0.8, 0.8)
WIDE = Box(0.1, 0.1, 0.3, 0.3)


@pytest.mark.parametrize(
    ("boxes", "is_cropped"),
    [
        ((HERE, NEAR_HERE), True),
        ((HERE, THERE), False),  # it has moved: a crop of one frame would not tell
        ((WIDE, WIDE), False),  # 1/25 of the frame is large enough in it
    ],
)
def test_a_frame_is_cropped_where_the_evidence_is_one_moment_and_small(boxes, is_cropped):
    evidence = tuple(Evidence(4 + place, box) for place, box in enumerate(boxes))
    sources = tuple(PixelSource(280, 280, shade) for shade in range(16))
    task = tiny_task(sources=sources, media="video", evidence=evidence)
    selection, *crops = planned(task, PlanKind.SINGLE_PASS, np.random.default_rng(0)).operations
    assert isinstance(selection.operation, SelectFrames)
    assert [isinstance(crop.operation, CropImage) for crop in crops] == [True] * is_cropped


def test_evidence_on_more_frames_than_can_be_selected_is_thinned_evenly_from_first_to_last():
    assert right_frames(16, list(range(1, 15)), (), np.random.default_rng(0)) == (1, 3, 5, 7, 8, 10, 12, 14)


def test_the_same_randomness_gives_the_same_plan_and_another_one_another():
    task = sample("vstar").tasks[0]
    for kind in IMAGE_KINDS:
        first, again, other = (planned(task, kind, np.random.default_rng(seed)) for seed in (1, 1, 2))
        assert first == again != other


def test_cues_that_fit_into_one_crop_share_it_and_others_do_not():
    near, nearer, far = Box(0.1, 0.1, 0.15, 0.15), Box(0.2, 0.2, 0.25, 0.25), Box(0.8, 0.8, 0.9, 0.9)
    assert joined([near, far, nearer], 0.25) == [Box(0.1, 0.1, 0.25, 0.25), far]
    assert joined([near, near], 0.25) == [near]


FILLED = tiny_task(evidence=(Evidence(0, Box(0.05, 0.05, 0.95, 0.95)),))
LARGE = tiny_task(evidence=(Evidence(0, Box(0.3, 0.3, 0.68, 0.7)),))
FRINGED = tiny_task(
    evidence=tuple(Evidence(0, Box(x, y, x + 0.05, y + 0.05)) for x in (0.05, 0.9) for y in (0.05, 0.9))
)
CROSSED = tiny_task(evidence=(Evidence(0, Box(0.0, 0.45, 1.0, 0.55)), Evidence(0, Box(0.45, 0.0, 0.55, 1.0))))


@pytest.mark.parametrize(
    ("task", "kind", "reason"),
    [
        (tiny_task(needs_looking=False), PlanKind.SINGLE_PASS, NoRoom.OVERVIEW_SUFFICES),
        (tiny_task(evidence=()), PlanKind.SINGLE_PASS, NoRoom.NO_EVIDENCE),
        (FILLED, PlanKind.SINGLE_PASS, NoRoom.CUE_TOO_LARGE),
        (LARGE, PlanKind.FURTHER_ZOOM, NoRoom.NO_OVERSIZED_REGION),
        (FRINGED, PlanKind.SINGLE_PASS, NoRoom.TOO_MANY_LOOKS),
        (tiny_task(), PlanKind.RESELECT, NoRoom.OTHER_MEDIUM),
        (tiny_video_task(), PlanKind.SINGLE_PASS, NoRoom.NO_EVIDENCE),
    ],
)
def test_a_task_that_leaves_no_room_for_a_kind_says_why(task, kind, reason):
    assert planned(task, kind, np.random.default_rng(0)) is reason


def test_evidence_all_over_the_image_leaves_no_unrelated_region():
    grid = tuple(
        Evidence(0, Box(x / 8, y / 8, x / 8 + 0.05, y / 8 + 0.05)) for x in range(0, 8, 3) for y in range(0, 8, 3)
    )
    task = tiny_task(evidence=grid, sources=(PixelSource(800, 800),))
    assert (
        planned(task, PlanKind.RECROP_ONCE, np.random.default_rng(0), max_operations=99) is NoRoom.NO_UNRELATED_REGION
    )


def test_evidence_in_all_frames_leaves_no_wrong_ones():
    sources = tuple(PixelSource(84, 56, shade) for shade in range(4))
    evidence = tuple(Evidence(frame, FULL) for frame in range(4))
    task = tiny_task(sources=sources, media="video", evidence=evidence)
    assert planned(task, PlanKind.RESELECT, np.random.default_rng(0)) is NoRoom.NO_WRONG_FRAMES
    assert isinstance(planned(task, PlanKind.SINGLE_PASS, np.random.default_rng(0)), Plan)


def test_on_the_grid_every_crop_is_a_window_of_whole_cells_of_the_first_image():
    sides = {None: 0.25, Mistake.UNRELATED_REGION: 0.25, Mistake.OVERSIZED_REGION: 0.5}
    for kind in IMAGE_KINDS:
        found = plans("vstar", kind, framing=GRID)
        assert len(found) >= 80
        for plan in found:
            for look in plan.operations:
                box, evidence = look.operation.box, evidence_boxes(plan)
                assert look.operation.image == 0 and all(edge * 16 == int(edge * 16) for edge in box.corners)
                assert (box.width, box.height) == (sides[look.mistake],) * 2
                misses = all(box.iou(known) == 0.0 for known in evidence)
                holds = any(box.contains(known) for known in evidence)
                assert misses if look.mistake is Mistake.UNRELATED_REGION else holds
