"""Which texts of a teacher may state the detail, depending on the operations before them."""

import dataclasses

from agents.traces.trace import Mistake
from pixel_env.boxes import Box
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.testing import PixelSource, tiny_task, tiny_video_task
from synth.plans.plan import Plan, PlanKind, PlannedOperation
from synth.teachers.expert.prompts import steps_of

CUE, OTHER = (
    PlannedOperation(CropImage(0, Box(0.5, 0.5, 0.75, 0.75))),
    PlannedOperation(CropImage(0, Box(0.1, 0.1, 0.35, 0.35))),
)
ASIDE = PlannedOperation(CropImage(0, Box(0.0, 0.7, 0.25, 0.95)), Mistake.UNRELATED_REGION)
VIDEO = dataclasses.replace(tiny_video_task(), sources=tuple(PixelSource(280, 280, shade) for shade in range(16)))
FRAMES = PlannedOperation(SelectFrames((4, 5)))


def before_the_detail(task, kind, *looks):
    return [step.is_before_the_detail for step in steps_of(Plan(task, kind, looks))]


def test_a_text_may_say_the_detail_once_a_right_operation_has_shown_a_part_of_it():
    assert before_the_detail(tiny_task(), PlanKind.SINGLE_PASS, CUE, OTHER) == [True, False, False]
    assert before_the_detail(tiny_task(), PlanKind.RECROP_ONCE, ASIDE, CUE) == [True, True, False]


def test_frames_of_which_one_is_cropped_next_have_not_shown_the_detail_yet():
    crop = PlannedOperation(CropImage(16, Box(0.5, 0.5, 0.75, 0.75)))
    assert before_the_detail(VIDEO, PlanKind.SINGLE_PASS, FRAMES, crop) == [True, True, False]
    assert before_the_detail(VIDEO, PlanKind.SINGLE_PASS, FRAMES) == [True, False]
