"""Plans for a teacher behind an endpoint. As a script with a URL and a folder: narrates them, until a test kills it."""

import sys

from agents.traces.trace import Mistake
from pixel_env.boxes import Box
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.testing import tiny_task, tiny_video_task
from synth.plans.plan import Plan, PlanKind, PlannedOperation
from synth.teachers.expert.config import ExpertConfig

CUE = CropImage(0, Box(0.5, 0.5, 0.75, 0.75))
ASIDE = PlannedOperation(CropImage(0, Box(0.0, 0.0, 0.25, 0.25)), Mistake.UNRELATED_REGION)
AROUND = PlannedOperation(CropImage(0, Box(0.25, 0.25, 1.0, 1.0)), Mistake.OVERSIZED_REGION)
INNER = CropImage(1, Box(0.3, 0.3, 0.7, 0.7))
WRONG_FRAMES = PlannedOperation(SelectFrames((0, 1)), Mistake.WRONG_FRAMES)


def single(task_id="single", **fields):
    return Plan(tiny_task(task_id, **fields), PlanKind.SINGLE_PASS, (PlannedOperation(CUE),))


def text_only(**fields):
    """A plan of one request, which has to end in 7."""
    given = {"question": "How much is 3 + 4?", "sources": (), "media": "text", "evidence": (), **fields}
    return Plan(tiny_task("text", **given), PlanKind.TEXT_ONLY)


def plans_of_all_kinds(rounds=1):
    """Five plans a round, of 2, 3, 3, 3 and 1 requests."""
    plans = []
    for number in range(rounds):
        task = tiny_task(f"tiny-{number}", question=f"Which digit is on card {'x' * (number + 1)}?")
        text = tiny_task(f"text-{number}", question=f"How much is 3 + 4{' ' * number}?", sources=(), media="text")
        plans += [
            Plan(task, PlanKind.SINGLE_PASS, (PlannedOperation(CUE),)),
            Plan(task, PlanKind.RECROP_ONCE, (ASIDE, PlannedOperation(CUE))),
            Plan(task, PlanKind.FURTHER_ZOOM, (AROUND, PlannedOperation(INNER))),
            Plan(tiny_video_task(question=f"Which digit is shown{'?' * (number + 1)}"), PlanKind.RESELECT,
                 (WRONG_FRAMES, PlannedOperation(SelectFrames((8, 9))))),
            Plan(text, PlanKind.TEXT_ONLY),
        ]  # fmt: skip
    return plans


REQUESTS_OF_A_ROUND = 12


def narrated(teacher, plans, seed=0):
    """The narrations and refusals in the plans' order; each plan comes once."""
    said = list(teacher.narrate(plans, seed=seed))
    assert sorted(place for place, _ in said) == list(range(len(plans)))
    return [one for _, one in sorted(said, key=lambda row: row[0])]


def narrate_elsewhere(url, cache):
    from synth.teachers.expert.teacher import ExpertTeacher

    teacher = ExpertTeacher(ExpertConfig("m", base_url=url, cache=cache, concurrency=3))
    for _ in teacher.narrate(plans_of_all_kinds(5), seed=0):
        pass


if __name__ == "__main__":
    narrate_elsewhere(*sys.argv[1:])
