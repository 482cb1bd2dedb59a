"""One trace of each kind that there is, narrated by the template teacher, on small pictures that need no file."""

from dataclasses import replace

import numpy as np

from pixel_env.boxes import Box
from pixel_env.dialects.dialect import view_budgets
from pixel_env.task import Evidence, TaskSet
from pixel_env.testing import PixelSource, tiny_task, tiny_video_task
from synth.plans.framing import FREE, GRID
from synth.plans.plan import Plan, PlanKind, traced
from synth.plans.planning import planned
from synth.teachers.template.teacher import narrated
from synth.text_only.tasks import text_tasks

SMALL = view_budgets(*[(32 * 32, 64 * 64)] * 4, factor=16)
"""Pictures of 4 to 16 tokens."""
CUE = Box(0.55, 0.3, 0.6, 0.35)
IMAGE_KINDS = (PlanKind.SINGLE_PASS, PlanKind.RECROP_ONCE, PlanKind.RECROP_TWICE, PlanKind.FURTHER_ZOOM)
VIDEO_KINDS = (PlanKind.SINGLE_PASS, PlanKind.RESELECT)


def shown_small(dialect):
    """The dialect with small pictures."""
    return replace(dialect, budgets=SMALL)


def image_task(kind):
    return tiny_task(f"image-{kind}", sources=(PixelSource(1600, 1200),), evidence=(Evidence(0, CUE),))


def video_task(kind):
    evidence = tuple(Evidence(frame, CUE) for frame in (5, 6))
    sources = tuple(PixelSource(840, 560, shade) for shade in range(16))
    return replace(tiny_video_task(), task_id=f"video-{kind}", sources=sources, evidence=evidence)


def planned_traces(dialect):
    """One trace of each kind on each medium that the dialect can speak about."""
    on_images = [(image_task(kind), kind) for kind in IMAGE_KINDS]
    on_videos = [(video_task(kind), kind) for kind in VIDEO_KINDS] if dialect.name != "tiny" else []
    texts = [(text_tasks(1, seed=0)[0], PlanKind.TEXT_ONLY)]
    return [_trace(task, kind, dialect) for task, kind in (*on_images, *on_videos, *texts)]


def _trace(task, kind, dialect):
    framing = GRID if dialect.name == "tiny" else FREE
    plan = planned(task, kind, np.random.default_rng(0), framing=framing)
    assert isinstance(plan, Plan), plan
    return traced(plan, narrated(plan, seed=0), dialect)


def as_task_set(traces):
    """The traces' tasks, shown small."""
    return TaskSet("planned", [trace.task for trace in traces], budgets=SMALL)
