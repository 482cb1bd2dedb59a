"""The arms of the study: the same tasks and lessons; they differ only in what the study compares."""

from collections import Counter

import pytest

from agents.traces.trace import Mistake
from pixel_env.dialects.table import dialect_named
from pixel_env.env import PixelEnv
from pixel_env.errors import TaskError
from pixel_env.task import TaskSet
from pixel_env.tasks import load_tasks
from pixel_env.testing import tiny_task
from synth.plans.plan import PlanKind
from synth.warm_starts.generator import (
    LESSONS,
    TRACES,
    in_kind,
    mistakes_trained_warm_start,
    of_kinds,
    self_correction_warm_start,
    single_pass_warm_start,
)

TINY = dialect_named("tiny")
SCENES = load_tasks("sample:vstar-tiny", split="train", count=200)
BATCH = TRACES + LESSONS
ARMS = (single_pass_warm_start, self_correction_warm_start, mistakes_trained_warm_start)


def batches(arm, count=4, seed=0):
    return arm(SCENES, TINY, seed)[: count * BATCH]


def test_the_arms_have_the_same_tasks_lessons_and_number_of_traces():
    first, second, third = (batches(arm) for arm in ARMS)
    assert [trace.task for trace in first] == [trace.task for trace in second] == [trace.task for trace in third]
    assert len({len(arm(SCENES, TINY, 0)) for arm in ARMS}) == 1
    for start in range(0, len(first), BATCH):
        lessons = slice(start + TRACES, start + BATCH)
        assert first[lessons] == second[lessons] == third[lessons]


def test_self_correction_shows_a_masked_mistake_on_half_of_the_traces_and_differs_in_nothing_else():
    single, corrected = batches(single_pass_warm_start), batches(self_correction_warm_start)
    for place, (plain, trace) in enumerate(zip(single, corrected, strict=True)):
        turned = 16 <= place % BATCH < TRACES and trace.task.needs_looking
        assert (trace.turns[0].mistake is Mistake.UNRELATED_REGION) is bool(turned)
        assert trace.turns[1 if turned else 0 :] == plain.turns
        assert not (turned and trace.turns[0].train)
    assert Counter(trace.kind for trace in corrected)["recrop_once"] >= 20


def test_trained_mistakes_differ_from_masked_ones_by_the_mask_alone():
    for masked, trained in zip(*(batches(arm) for arm in ARMS[1:]), strict=True):
        assert [turn.text for turn in masked.turns] == [turn.text for turn in trained.turns]
        if masked.turns[0].mistake:
            assert [turn.train for turn in masked.turns] == [False, True, True] and all(t.train for t in trained.turns)
        else:
            assert masked == trained


def test_easy_questions_are_answered_at_once():
    for trace in (trace for arm in ARMS for trace in batches(arm) if trace.task.task_id != "lesson"):
        assert (len(trace.turns) == 1) is (trace.task.needs_looking is False)


def test_every_trace_is_played_to_a_right_answer_in_three_turns():
    env = PixelEnv(SCENES, dialect=TINY, limits={"max_turns": 3})
    kinds = dict.fromkeys((PlanKind.SINGLE_PASS, PlanKind.RECROP_ONCE, PlanKind.FURTHER_ZOOM), 8)
    for trace in of_kinds(kinds, SCENES, TINY, 0)[:100]:
        if trace.task.task_id == "lesson":
            continue
        env.reset(options={"task_id": trace.task.task_id})
        for turn in trace.turns:
            _, reward, terminated, _, info = env.step(turn.text)
            assert info["failure"] is None
        assert (reward, terminated) == (1.0, True)


def test_the_same_seed_gives_the_same_traces_and_another_one_others():
    for arm in ARMS:
        assert batches(arm, 1) == batches(arm, 1) != batches(arm, 1, seed=1)


def test_a_task_that_has_no_room_for_the_kind_is_named():
    traces = of_kinds({PlanKind.RECROP_ONCE: 1}, TaskSet("one", (tiny_task(evidence=()),)), TINY, 0)
    with pytest.raises(TaskError, match="'tiny-0' has no recrop_once trace: no_evidence"):
        traces[0]
    assert callable(in_kind(PlanKind.SINGLE_PASS))
