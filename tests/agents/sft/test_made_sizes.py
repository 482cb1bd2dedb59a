"""Traces are trained where they were made: calls in pixels within other budgets are refused, misses are told."""

from dataclasses import replace

import numpy as np
import pytest

from agents.chat.chat import Chat
from agents.rollout import EpisodeSettings
from agents.sft.collator import Fault, UnusableTrace, play
from agents.sft.trace_survey import survey
from agents.traces.folder import read_trace_folder, write_trace_folder
from agents.traces.trace import Mistake, Trace, TraceTurn
from pixel_env.actions import sizes_for, write
from pixel_env.boxes import Box
from pixel_env.dialects.dialect import view_budgets
from pixel_env.dialects.table import dialect_named
from pixel_env.episode import Limits
from pixel_env.operations.crop_image import CropImage
from pixel_env.samples import sample_set
from pixel_env.task import Evidence, TaskSet
from pixel_env.testing import PixelSource, tiny_task
from pixel_env.types import Answer
from synth.warm_starts.templates import CLUMSY, COMPETENT, single_pass_traces, trace_in_style
from tests.agents.planned_traces import SMALL, planned_traces, shown_small
from tests.agents.random_qwen import make_processor

OTHER = view_budgets(*[(112 * 112, 128 * 128)] * 4, factor=16)
PIXELS = shown_small(dialect_named("qwen2.5-vl"))
GRID = shown_small(dialect_named("qwen3-vl"))
EVIDENCE = Box(0.5, 0.5, 0.75, 0.75)
TASK = tiny_task("one", sources=(PixelSource(1600, 1200),), evidence=(Evidence(0, EVIDENCE),))


@pytest.fixture(scope="module")
def processor():
    return make_processor()


def settings_of(dialect, budgets=SMALL):
    return EpisodeSettings(dialect, Limits(8, 40), budgets)


def looking(*boxes, task=TASK, dialect=GRID, answer="7", mistakes=(), last=True, budgets=None):
    """A trace that crops each box and answers; `mistakes`: the numbers of flagged crops."""
    sizes = sizes_for(dialect, task.opening_views, dialect.budgets)
    turns = [
        TraceTurn(
            write(CropImage(0, box), dialect, *sizes),
            number not in mistakes,
            Mistake.UNRELATED_REGION if number in mistakes else None,
        )
        for number, box in enumerate(boxes)
    ]
    return Trace(task, (*turns, TraceTurn(write(Answer(answer), dialect), last)), budgets=budgets)


def faults(traces, dialect, processor, budgets=SMALL):
    surveyed = survey(traces, Chat(processor, dialect), settings_of(dialect, budgets))
    return [refusal.fault for refusal in surveyed.refusals], surveyed


@pytest.mark.parametrize("dialect", [PIXELS, GRID], ids=["pixels", "grid"])
def test_calls_in_pixels_are_refused_within_other_budgets_and_others_are_trained(processor, dialect):
    traces = planned_traces(dialect)
    looks = [trace for trace in traces if len(trace.turns) > 1]
    found, surveyed = faults(traces, dialect, processor, OTHER)
    assert found == ([Fault.OTHER_SIZES] * len(looks) if dialect is PIXELS else [])
    assert len(surveyed.indices) == len(traces) - len(found)
    if dialect is PIXELS:
        assert "was at" in surveyed.refusals[0].message and "task_set=" in surveyed.refusals[0].message
    assert faults(traces, dialect, processor)[0] == []


def test_budgets_that_show_the_images_as_large_are_the_same_to_a_trace(processor):
    wider = view_budgets(*[(16 * 16, 64 * 64)] * 4, factor=16)
    assert faults(planned_traces(PIXELS), PIXELS, processor, wider)[0] == []


def test_without_a_survey_such_a_trace_stops_the_run(processor):
    [trace, *_] = planned_traces(PIXELS)
    with pytest.raises(UnusableTrace, match="calls in pixels of other shown sizes"):
        play(trace, Chat(processor, PIXELS), settings_of(PIXELS, OTHER))


def test_a_folder_of_traces_knows_the_budgets_that_they_were_made_within(tmp_path, processor):
    traces = [replace(trace, budgets=None) for trace in planned_traces(PIXELS)]
    for name, budgets in (("own", SMALL), ("of_the_dialect", None)):
        folder = tmp_path / name
        write_trace_folder(folder, traces, TaskSet("mine", [trace.task for trace in traces], budgets=budgets), None)
        assert {trace.budgets for trace in read_trace_folder(folder)[1]} == {None}
        (folder / "configuration.json").write_text('{"dialect": "qwen2.5-vl"}')
        read = read_trace_folder(folder)[1]
        [made] = {trace.budgets for trace in read}
        assert made.original.max_pixels == (budgets or dialect_named("qwen2.5-vl").budgets).original.max_pixels
        assert [trace.turns for trace in read] == [trace.turns for trace in traces]
    # The set's budgets, as the Python trainer without `task_set=` does not know them.
    assert set(faults(read_trace_folder(tmp_path / "own")[1], PIXELS, processor, OTHER)[0]) == {Fault.OTHER_SIZES}


def test_a_function_of_traces_says_within_which_budgets_it_wrote(processor):
    tasks = sample_set("vstar-tiny", count=3)
    traces = single_pass_traces(tasks, dialect_named("qwen2.5-vl"), 0)
    assert {trace.budgets for trace in traces} != {None}
    assert faults(traces, PIXELS, processor, OTHER)[0] == [Fault.OTHER_SIZES] * 3


# ---------------------------------------------------------------------------------------------------- trained looks


def test_calls_of_unknown_budgets_are_refused_where_they_miss_the_evidence(processor):
    """A JSONL file does not say within which budgets it was written: the evidence protects it."""
    big = view_budgets(*[(448 * 448, 512 * 512)] * 4, factor=16)
    made = looking(EVIDENCE, dialect=replace(PIXELS, budgets=big), task=TASK)
    smaller = replace(looking(EVIDENCE, dialect=PIXELS), budgets=None)
    assert faults([smaller], PIXELS, processor, big)[0] == [Fault.EVIDENCE_MISSED]
    assert faults([replace(made, budgets=None)], PIXELS, processor, big)[0] == []


ASIDE, PART, AROUND = Box(0.0, 0.0, 0.25, 0.25), Box(0.5, 0.5, 0.6, 0.75), Box(0.4, 0.4, 0.9, 0.9)


@pytest.mark.parametrize(
    ("trace", "refused", "showing"),
    [
        (looking(EVIDENCE), False, (1, 1)),
        (looking(AROUND), False, (1, 1)),
        (looking(PART), False, (1, 1)),  # a crop inside of the evidence
        (looking(ASIDE), True, None),
        (looking(ASIDE, mistakes=(0,)), False, (0, 0)),
        (looking(ASIDE, EVIDENCE, mistakes=(0,)), False, (1, 1)),
        (looking(ASIDE, EVIDENCE), False, (2, 1)),  # looks elsewhere first, without a flag
        (looking(EVIDENCE, ASIDE), False, (2, 1)),
        (looking(ASIDE, answer="3"), False, (1, 0)),  # teaches the form of an episode, not that the crop shows a 7
        (looking(ASIDE, last=False), False, (1, 0)),
        (looking(ASIDE, task=replace(TASK, needs_looking=False)), False, (1, 0)),
        (looking(ASIDE, task=replace(TASK, evidence=())), False, (0, 0)),
        (looking(task=TASK), False, (0, 0)),
    ],
)
def test_a_right_answer_after_looks_that_all_miss_is_refused_and_other_misses_are_told(
    processor, trace, refused, showing
):
    found, surveyed = faults([trace], GRID, processor)
    assert found == ([Fault.EVIDENCE_MISSED] if refused else [])
    if showing is not None:
        looks = surveyed.looks.get(0)
        assert showing == (0, 0) if looks is None else (looks.count, looks.showing) == showing
        is_missing = showing[0] != showing[1]
        assert surveyed.missing == ((0,) if is_missing else ())
        assert ("not in 'one'" in surveyed.shown([trace])) == is_missing


def test_a_tally_over_several_pieces_of_evidence_shows_evidence_with_each_look(processor):
    boxes = (Box(0.1, 0.1, 0.2, 0.2), Box(0.7, 0.1, 0.8, 0.2), Box(0.4, 0.7, 0.5, 0.8))
    task = replace(TASK, evidence=tuple(Evidence(0, box) for box in boxes))
    found, surveyed = faults([looking(*boxes, task=task)], GRID, processor)
    assert not found and surveyed.looks[0].showing == 3
    assert surveyed.shown([]) == "3 of 3 trained looks at tasks with evidence show it"


def test_no_trace_of_our_own_generators_is_refused(processor, tiny_processor):
    """Planned traces of all kinds, and the warm starts, which teach form with crops that may miss."""
    for dialect in (PIXELS, GRID):
        assert faults(planned_traces(dialect), dialect, processor)[0] == []
    tiny = replace(dialect_named("tiny"), budgets=SMALL)
    rng = np.random.default_rng(0)
    tasks = sample_set("vstar-tiny", count=60).tasks
    styled = [trace_in_style(style, task, tiny, rng) for style in (COMPETENT, CLUMSY) for task in tasks]
    found, surveyed = faults(styled, tiny, tiny_processor)
    assert found == [] and len(surveyed.missing) > 10


def test_a_trace_without_a_trained_turn_is_refused(processor):
    trace = looking(EVIDENCE, last=False, mistakes=(0,))
    found, surveyed = faults([trace, looking(EVIDENCE)], GRID, processor)
    assert found == [Fault.NOTHING_TRAINED] and surveyed.indices == (1,)
    assert "no turn that is trained" in surveyed.summary()
