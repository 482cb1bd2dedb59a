import numpy as np
import pytest

from agents.traces.trace import Mistake, TraceTurn, read_traces, write_traces
from pixel_env.actions import parse
from pixel_env.boxes import Box
from pixel_env.dialects.table import dialect_named
from pixel_env.env import PixelEnv
from pixel_env.errors import TaskError
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.task import Evidence, TaskSet
from pixel_env.testing import PixelSource, tiny_task
from pixel_env.types import Answer
from synth.plans.framing import GRID
from synth.plans.plan import Narration, Plan, PlanKind, PlannedOperation, silent, traced
from synth.plans.planning import planned
from synth.warm_starts.templates import recrop_once, shown_as, single_pass

DEFAULT, TINY, RELEASED = (dialect_named(name) for name in ("default", "tiny", "released"))
CUE = Box(0.55, 0.3, 0.6, 0.35)
TASK = tiny_task(sources=(PixelSource(1600, 1200),), evidence=(Evidence(0, CUE),))
WRONG, RIGHT = Box(0.0, 0.0, 0.25, 0.25), Box(0.5, 0.25, 0.75, 0.5)
RECROP = Plan(
    TASK,
    PlanKind.RECROP_ONCE,
    (PlannedOperation(CropImage(0, WRONG), Mistake.UNRELATED_REGION), PlannedOperation(CropImage(0, RIGHT))),
)
SAID = Narration("Too small.", ("Not here.", "It is a seven."))


def test_a_trace_says_overview_and_remarks_before_the_calls_and_the_answer():
    first, second, last = (turn.text for turn in traced(RECROP, SAID, DEFAULT).turns)
    assert first.startswith("Too small.\n<tool_call>") and parse(first, DEFAULT) == CropImage(0, WRONG)
    assert second.startswith("Not here.\n<tool_call>") and parse(second, DEFAULT) == CropImage(0, RIGHT)
    assert last == "It is a seven.\n\\boxed{7}"


def test_the_turn_of_a_mistake_is_masked_and_its_correction_is_trained():
    trace = traced(RECROP, SAID, DEFAULT)
    assert [turn.train for turn in trace.turns] == [False, True, True]
    assert [turn.mistake for turn in trace.turns] == [Mistake.UNRELATED_REGION, None, None]
    assert trace.kind == "recrop_once"


def test_mistakes_are_trained_on_request_and_stay_flagged():
    trained = traced(RECROP, SAID, DEFAULT, trains_mistakes=True)
    assert all(turn.train for turn in trained.turns)
    assert [turn.mistake for turn in trained.turns] == [Mistake.UNRELATED_REGION, None, None]
    assert [turn.text for turn in trained.turns] == [turn.text for turn in traced(RECROP, SAID, DEFAULT).turns]


def test_without_operations_the_overview_stands_before_the_answer():
    plan = Plan(tiny_task(sources=(), evidence=(), media="text"), PlanKind.TEXT_ONLY)
    assert traced(plan, Narration("3 + 4 = 7."), DEFAULT).turns == (TraceTurn("3 + 4 = 7.\n\\boxed{7}"),)


def test_a_narration_of_another_length_is_refused_with_what_fits():
    with pytest.raises(
        TaskError, match="2 operations and its narration 1 remarks; a narration has one remark for each operation"
    ):
        traced(RECROP, Narration("Too small.", ("Not here.",)), DEFAULT)


@pytest.mark.parametrize("kind", [PlanKind.SINGLE_PASS, PlanKind.RECROP_ONCE])
def test_a_silent_plan_on_the_grid_is_word_for_word_the_template_of_its_kind(kind):
    template = {PlanKind.SINGLE_PASS: single_pass, PlanKind.RECROP_ONCE: recrop_once}[kind]
    for seed in range(50):
        plan = planned(TASK, kind, np.random.default_rng(seed), framing=GRID)
        assert traced(plan, silent(plan), TINY) == template(TASK, TINY, np.random.default_rng(seed))


@pytest.mark.parametrize("dialect", ["default", "qwen2.5-vl", "qwen3-vl", "released"])
def test_a_crop_of_a_crop_shows_the_planned_region_in_every_dialect(dialect):
    """A dialect that pads or rounds shows another crop than was planned; the next box is written for that one."""
    task_set, dialect = TaskSet("one", (TASK,)), dialect_named(dialect)
    large = Box(0.4, 0.2, 0.9, 0.7)
    looks = (
        PlannedOperation(CropImage(0, large), Mistake.OVERSIZED_REGION),
        PlannedOperation(CropImage(1, RIGHT.relative_to(large))),
    )
    plan = Plan(TASK, PlanKind.FURTHER_ZOOM, looks)
    env = PixelEnv(task_set, dialect=dialect)
    env.reset(options={"task_id": TASK.task_id})
    for turn in traced(plan, silent(plan), shown_as(task_set, dialect)).turns:
        assert env.step(turn.text)[4]["failure"] is None
    first, second = (view.box for view in env.trajectory.views[1:])
    padded = large.padded(dialect.edges.padding)
    wanted = RIGHT.relative_to(padded).padded(dialect.edges.padding).within(padded)
    assert first.corners == pytest.approx(padded.corners, abs=0.002)
    assert second.corners == pytest.approx(wanted.corners, abs=0.002)


def test_an_operation_that_is_refused_while_a_later_one_depends_on_it_names_the_plan():
    tiny = tiny_task(sources=(PixelSource(64, 64),))
    looks = (
        PlannedOperation(CropImage(0, Box(0.0, 0.0, 0.3, 0.3)), Mistake.OVERSIZED_REGION),
        PlannedOperation(CropImage(1, RIGHT)),
    )
    plan = Plan(tiny, PlanKind.FURTHER_ZOOM, looks)
    with pytest.raises(TaskError, match=r"tiny-0/further_zoom.*too small.*larger crops"):
        traced(plan, silent(plan), DEFAULT)


def test_what_a_dialect_cannot_say_is_a_value_error():
    plan = Plan(TASK, PlanKind.RESELECT, (PlannedOperation(SelectFrames((1, 2))),))
    with pytest.raises(ValueError, match="cannot select frames"):
        traced(plan, silent(plan), TINY)


def test_kind_and_mistakes_survive_the_file(tmp_path):
    traces = [traced(RECROP, SAID, DEFAULT), traced(RECROP, SAID, RELEASED, trains_mistakes=True)]
    write_traces(traces, tmp_path / "traces.jsonl")
    assert read_traces(tmp_path / "traces.jsonl", TaskSet("one", (TASK,))) == traces
    assert parse(traces[1].turns[-1].text, RELEASED) == Answer("7")


def test_a_mistake_that_is_none_is_told_with_its_row(tmp_path):
    path = tmp_path / "traces.jsonl"
    path.write_text('{"task_id": "tiny-0", "turns": [{"text": "x", "train": true, "mistake": "typo"}]}\n')
    with pytest.raises(TaskError, match=r"row 1: not a trace .*'typo'"):
        read_traces(path, TaskSet("one", (TASK,)))
