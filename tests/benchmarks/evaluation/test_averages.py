"""Micro and macro averages, groups of categories, pass@k and mIoU: in the report and in the figures for programs."""

import json

import pytest

from agents.metrics.trajectories import accuracy
from benchmarks.evaluation.averages import average_table, groups_of, macro_accuracy
from benchmarks.evaluation.evidence import evidence_table
from benchmarks.evaluation.pass_at_k import pass_at_k, pass_curve, pass_table
from benchmarks.evaluation.policies import LEARNED_ZOOM
from benchmarks.evaluation.records import Evaluation, Record
from benchmarks.evaluation.result_files import METRICS, write_metrics
from pixel_env.boxes import Box
from pixel_env.dialects.table import dialect_named
from pixel_env.operations.crop_image import CropImage
from pixel_env.task import Evidence, Task, TaskSet
from pixel_env.testing import PixelSource
from pixel_env.types import Answer, Prompt, Stop, Trajectory, Turn
from pixel_env.views import View, ViewKind

CUE = Box(0.5, 0.5, 0.75, 0.75)
LEVELS = {"perception/ocr": (1.0, 1.0, 1.0, 0.0), "perception/colour": (0.0,), "reasoning/order": (1.0, 0.0)}


def played(task_id, grade, category="", *, looks=False, stop=Stop.ANSWERED):
    source = PixelSource()
    task = Task(task_id, "?", ("7",), (source,), evidence=(Evidence(0, CUE),), category=category)
    crop = Turn("crop", CropImage(0, CUE), None, "", (View(source, ViewKind.CROP, CUE),))
    turns = (*([crop] if looks else []), Turn("7", Answer("7"), None, ""))
    return Trajectory(task, Prompt("", "?"), task.opening_views, turns, stop, grade)


def evaluation_of(records):
    tasks = {record.trajectory.task.task_id: record.trajectory.task for record in records}
    return Evaluation(TaskSet("mine", tuple(tasks.values())), dialect_named("default").budgets, records)


def levelled():
    return [
        Record(played(f"{category}{n}", grade, category), LEARNED_ZOOM, None)
        for category, grades in LEVELS.items()
        for n, grade in enumerate(grades)
    ]


def test_a_category_with_levels_is_in_the_group_of_each_level_above_it():
    assert groups_of("perception/ocr/digits") == ["perception", "perception/ocr"]
    assert groups_of("single") == groups_of("") == []


def test_macro_stands_beside_micro_over_all_questions_and_over_each_group(tmp_path):
    lines = average_table(evaluation_of(levelled())).splitlines()[2:]
    rows = {line.split()[0]: line.split() for line in lines}
    assert rows["all"][3:6] == ["7", "3", "0.571"] and rows["all"][8] == "0.417"
    assert rows["perception"][3:6] == ["5", "2", "0.600"] and rows["perception"][8] == "0.375"
    assert "reasoning" not in rows  # of one category there is no macro average
    figures = json.loads(write_metrics(tmp_path, evaluation_of(levelled()), None).read_text(encoding="utf-8"))
    whole = figures["policies"][LEARNED_ZOOM]
    assert whole["all"]["macro_accuracy"]["value"] == pytest.approx(1.25 / 3)
    assert whole["by_group_of_categories"]["perception"]["macro_accuracy"]["value"] == 0.375
    assert whole["by_group_of_categories"]["reasoning"]["accuracy"]["value"] == 0.5
    assert "macro_accuracy" not in whole["by_category"]["perception/ocr"]


def test_one_category_has_no_macro_average():
    records = [Record(played(f"q{n}", 1.0, "a"), LEARNED_ZOOM, None) for n in range(3)]
    assert average_table(evaluation_of(records)) is None
    dead = [played(f"q{n}", 0.0, "ab"[n], stop=Stop.FAILED) for n in range(2)]
    assert macro_accuracy(dead) is None


def sampled(grades):
    return [played(task_id, grade) for task_id, values in grades.items() for grade in values]


def test_pass_at_k_is_unbiased_for_each_k_up_to_the_number_of_samples():
    rollouts = sampled({"a": [1.0, 0.0, 0.0, 0.0, 0.0, 0.0], "b": [1.0] * 6})
    curve = pass_curve(rollouts)
    assert list(curve) == [1, 2, 4, 6]
    assert [one.value for one in curve.values()] == pytest.approx([7 / 12, 4 / 6, 5 / 6, 1.0])
    assert curve[1].value == pytest.approx(accuracy(rollouts).value) and curve[1].n == 2
    assert [line.split()[0] for line in pass_table(rollouts).splitlines()[2:]] == ["pass@k", "95%"]
    assert pass_table(sampled({"a": [1.0], "b": [0.0]})) is None and pass_table([]) is None


def test_a_partial_grade_counts_as_it_is_and_the_best_of_all_samples_is_the_best_grade():
    rollouts = sampled({"a": [0.6, 0.0], "b": [0.0, 0.9]})
    assert pass_at_k(rollouts, 2).value == pytest.approx(0.75)
    assert pass_at_k(rollouts, 1).value == pytest.approx(0.375)


def test_the_figures_for_programs_have_pass_at_each_k_and_the_miou(tmp_path):
    looks = [played("a", 1.0, looks=True), played("a", 0.0), played("b", 0.0), played("b", 0.0)]
    records = [Record(one, LEARNED_ZOOM, number % 2) for number, one in enumerate(looks)]
    write_metrics(tmp_path, evaluation_of(records), None)
    figures = json.loads((tmp_path / METRICS).read_text(encoding="utf-8"))["policies"]["sampled"]["all"]
    assert {k: one["value"] for k, one in figures["pass_at"].items()} == {"1": 0.25, "2": 0.5}
    assert figures["pass_at_k"] == 0.5
    assert figures["evidence_iou"]["best_box"]["value"] == 1.0 and figures["evidence_iou"]["best_box"]["questions"] == 1
    assert figures["evidence_iou"]["mean"]["value"] == 0.25 and figures["evidence_iou"]["mean"]["questions"] == 2


def test_the_table_of_evidence_is_of_policies_that_crop_and_leaves_failed_episodes_out():
    broken = Record(played("c", 0.0, stop=Stop.FAILED), LEARNED_ZOOM, None)
    records = [Record(played("a", 1.0, looks=True), LEARNED_ZOOM, None), broken]
    records += [Record(played("a", 0.0), "no_zoom", None)]
    rows = [line.split() for line in evidence_table(evaluation_of(records)).splitlines()[2:]]
    assert [row[:5] for row in rows] == [["learned", "zoom", "1", "1.000", "[0.207,"]]
    assert rows[0][6:8] == ["1", "1.000"]
    assert evidence_table(evaluation_of(records[2:])) is None
