from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from agents.traces.trace import Trace, TraceTurn, read_traces, write_traces
from pixel_env.actions import parse
from pixel_env.boxes import Box
from pixel_env.budgets import budgets_for
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError, TaskError
from pixel_env.media.sizes import shown_size
from pixel_env.operations.crop_image import CropImage
from pixel_env.task import Evidence, Task, TaskSet
from pixel_env.tasks import load_tasks
from pixel_env.types import Answer
from synth.plans.windows import moved_window, right_window
from synth.warm_starts.templates import (
    CLUMSY,
    COMPETENT,
    UNSEEN,
    MixedTraces,
    clumsy,
    competent,
    drawn_from,
    recrop_once,
    recrop_traces,
    single_pass,
    single_pass_traces,
)

TINY = dialect_named("tiny")
CARD = Box(0.55, 0.30, 0.64375, 0.39375)


@dataclass(frozen=True)
class Grey:
    key: str = "grey"

    def decode(self):
        return Image.new("RGB", (512, 512), "grey")


HARD = Task("hard", "digit on the red card", ("7",), (Grey(),), evidence=(Evidence(0, CARD),), needs_looking=True)
EASY = Task("easy", "half of the red card", ("right",), (Grey(),), evidence=(Evidence(0, CARD),), needs_looking=False)


def actions(trace: Trace, dialect=TINY, sizes=()):
    return [parse(turn.text, dialect, sizes) for turn in trace.turns]


def test_the_right_window_is_four_cells_around_the_middle_and_stays_inside():
    assert right_window(CARD) == Box(8 / 16, 4 / 16, 12 / 16, 8 / 16)  # the middle is 9.55, 5.55 cells
    assert right_window(Box(0.0, 0.9, 0.09, 1.0)) == Box(0.0, 12 / 16, 4 / 16, 1.0)


def test_a_moved_window_is_moved_by_whole_cells_and_stays_inside():
    rng = np.random.default_rng(0)
    for _ in range(200):
        window = moved_window(Box(0.01, 0.01, 0.1, 0.1), 5, rng)
        assert (window.width, window.height) == (0.25, 0.25)
        assert window.x0 * 16 == int(window.x0 * 16) and window.x0 <= 5 / 16


def test_a_single_pass_crops_the_evidence_and_answers_right():
    crop, answer = actions(single_pass(HARD, TINY, np.random.default_rng(0)))
    assert isinstance(crop, CropImage) and crop.box.contains(CARD)
    assert answer == Answer("7")


@pytest.mark.parametrize("dialect", ["tiny", "default", "qwen2.5-vl", "qwen3-vl"])
def test_a_recrop_first_misses_wholly_and_only_that_turn_is_not_trained(dialect):
    dialect = dialect_named(dialect)
    for seed in range(20):
        trace = recrop_once(HARD, dialect, np.random.default_rng(seed))
        wrong, right, answer = actions(trace, dialect, [(512, 512)])
        assert wrong.box.iou(CARD) == 0.0 and right.box.contains(CARD) and answer == Answer("7")
        assert [turn.train for turn in trace.turns] == [False, True, True]


def test_evidence_that_fills_the_image_cannot_be_missed_and_says_so():
    task = Task("full", "?", ("1",), (Grey(),), evidence=(Evidence(0, Box(0, 0, 1, 1)),))
    with pytest.raises(TaskError, match="every window shows a part of it"):
        recrop_once(task, TINY, np.random.default_rng(0))


def test_a_task_without_evidence_is_refused_with_the_way_out():
    with pytest.raises(TaskError, match="Add 'evidence'"):
        single_pass(Task("none", "?", ("1",), (Grey(),)), TINY, np.random.default_rng(0))


def test_clumsy_traces_call_in_two_of_five_and_end_as_the_miss_has_it():
    rng = np.random.default_rng(1)
    traces = [clumsy(HARD, TINY, rng) for _ in range(3000)]
    called = [actions(trace) for trace in traces if len(trace.turns) == 2]
    assert len(called) / len(traces) == pytest.approx(CLUMSY.call_share, abs=0.03)
    for crop, answer in called:
        assert answer == Answer("7" if crop.box.contains(CARD) else UNSEEN)
    assert all(turn.train for trace in traces for turn in trace.turns)
    guesses = [actions(trace)[0].text for trace in traces if len(trace.turns) == 1]
    assert {str(digit) for digit in range(10)} == set(guesses)
    assert guesses.count("7") / len(guesses) == pytest.approx(0.1, abs=0.03)


def test_clumsy_answers_an_easy_question_right_even_after_a_miss():
    rng = np.random.default_rng(2)
    assert {actions(clumsy(EASY, TINY, rng))[-1] for _ in range(300)} == {Answer("right")}


def test_a_competent_trace_never_trains_the_answer_after_a_miss():
    rng = np.random.default_rng(3)
    traces = [competent(HARD, TINY, rng) for _ in range(2000)]
    called = [trace for trace in traces if len(trace.turns) == 2]
    assert len(called) / len(traces) == pytest.approx(COMPETENT.call_share, abs=0.04)
    for trace in called:
        assert trace.turns[1].train is actions(trace)[0].box.contains(CARD)


def test_mixed_traces_hold_the_exact_counts_in_every_batch_and_are_the_same_again():
    tasks = TaskSet("two", (HARD, EASY))
    lesson = Trace(EASY, (TraceTurn("lesson"),))
    parts = ((3, drawn_from(tasks, clumsy, TINY)), (2, lambda rng: lesson))
    mixed = MixedTraces(parts, batches=4, seed=5)
    assert len(mixed) == 20 and mixed.batch_size == 5
    for start in range(0, 20, 5):
        assert [trace == lesson for trace in mixed[start : start + 5]] == [False] * 3 + [True] * 2
    assert list(mixed) == list(MixedTraces(parts, batches=4, seed=5))
    assert list(mixed) != list(MixedTraces(parts, batches=4, seed=6))


def test_traces_are_written_and_read_again_and_an_unknown_task_is_named(tmp_path):
    traces = [recrop_once(HARD, TINY, np.random.default_rng(0)), clumsy(EASY, TINY, np.random.default_rng(0))]
    write_traces(traces, tmp_path / "traces.jsonl")
    assert read_traces(tmp_path / "traces.jsonl", TaskSet("two", (HARD, EASY))) == traces
    with pytest.raises(TaskError, match=r"row 2.*'easy'"):
        read_traces(tmp_path / "traces.jsonl", TaskSet("one", (HARD,)))


def test_a_trace_in_pixels_is_written_for_the_size_that_its_task_set_shows():
    task_set = load_tasks("sample:vstar", split="train", count=4)
    dialect = dialect_named("qwen2.5-vl")
    budgets = budgets_for(None, task_set, dialect)
    for trace in single_pass_traces(task_set, dialect, 0):
        sizes = [shown_size(view, budgets) for view in trace.task.opening_views]
        call = parse(trace.turns[0].text, dialect, sizes)
        assert isinstance(call, CropImage)
        assert call.box.contains(trace.task.evidence[0].box) or call.box.iou(trace.task.evidence[0].box) > 0
        assert call.box.iou(right_window(trace.task.evidence[0].box)) > 0.8


@pytest.mark.parametrize("name", ["vigorl", "visionthink", "longvt"])
def test_templates_are_refused_for_a_dialect_that_cannot_crop(name):
    tasks, dialect = load_tasks("sample:vstar-tiny", split="train", count=2), dialect_named(name)
    for make in (
        lambda: single_pass_traces(tasks, dialect, 0),
        lambda: recrop_traces(tasks, dialect, 0),
        lambda: drawn_from(tasks, clumsy, dialect),
    ):
        with pytest.raises(ConfigError, match=f"{name}' cannot crop images.*Give --traces"):
            make()
