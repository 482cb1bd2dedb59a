import json
import math
from dataclasses import replace

import pytest

from agents.metrics.statistics import Estimate
from benchmarks.evaluation.records import ROWS
from benchmarks.pipeline.chain import HARD
from benchmarks.studies.trap.findings import (
    CHANCE,
    WARM_START,
    WITH,
    WITHOUT,
    Outcome,
    Probe,
    Verdict,
    findings_of,
    probe_of,
    summary_of,
    write_summary,
)
from benchmarks.studies.trap.sentences import (
    headline,
    points,
    prediction_was_right,
    probe_sentence,
    with_sentence,
    without_sentence,
)
from pixel_env.tasks import load_tasks
from tests.benchmarks.runs import HABITS, SET, make_run, write_evaluation

PREDICTIONS = [
    (Verdict.TRAP, Outcome.GAVE_UP, True),
    (Verdict.TRAP, Outcome.LEARNED, False),
    (Verdict.LEARNS, Outcome.LEARNED, True),
    (Verdict.LEARNS, Outcome.GAVE_UP, False),
    (Verdict.OPEN, Outcome.LEARNED, None),
    (Verdict.TRAP, Outcome.BETWEEN, None),
]


def a_probe(low, high, *, oracle=0.8, after=0.95):
    estimate = Estimate((low + high) / 2, low, high, 500)
    easy = [Estimate(value, value, value, 100) for value in (after, 0.95)]
    return Probe(4000, estimate, estimate, 0.4, Estimate(oracle, oracle, oracle, 400), *easy)


def test_the_summary_has_exactly_the_keys_that_were_promised(finished_run):
    summary = summary_of(findings_of(finished_run))
    policies = ["no_zoom", "random_zoom", "learned_zoom", "oracle_zoom"]
    assert list(summary) == [
        "n",
        "accuracy",
        "accuracy_interval",
        "warm_start_accuracy",
        "rl_gain",
        "rapr",
        "learned_zoom_without_curiosity",
        "without_curiosity_vs_own_no_zoom",
        "easy",
        "seconds",
        "peak_memory_gb",
    ]
    assert list(summary["accuracy"]) == list(summary["accuracy_interval"]) == policies
    assert list(summary["rapr"]) == ["warm_start", "final", "final_without_curiosity"]
    assert list(summary["rl_gain"]) == list(summary["without_curiosity_vs_own_no_zoom"]) == ["value", "low", "high"]
    assert list(summary["easy"]) == ["n", "accuracy", "rapr"]


def test_the_summary_is_about_the_questions_that_need_a_crop(finished_run):
    summary = summary_of(findings_of(finished_run))
    assert summary["n"] == summary["easy"]["n"] == 20
    assert summary["accuracy"]["learned_zoom"] > 0.5 > summary["warm_start_accuracy"]
    assert summary["rapr"]["final"] > 0.9 and summary["rapr"]["final_without_curiosity"] == 0.0
    assert summary["rl_gain"]["value"] == pytest.approx(
        summary["accuracy"]["learned_zoom"] - summary["warm_start_accuracy"], abs=1e-3
    )


def test_no_zoom_is_at_least_a_guess(finished_run):
    found = findings_of(finished_run)
    highest = max(checkpoint.accuracies["no_zoom"].value for checkpoint in found.checkpoints.values())
    assert summary_of(found)["accuracy"]["no_zoom"] == max(highest, CHANCE.value)


def test_the_summary_is_strict_json_also_where_nothing_was_called(finished_run):
    write_summary(finished_run, findings_of(finished_run))
    text = (finished_run / "summary.json").read_text()
    assert "NaN" not in text and json.loads(text)["peak_memory_gb"] == 2.5


@pytest.mark.parametrize(
    ("probe", "verdict", "form"),
    [
        (a_probe(0.02, 0.08), Verdict.LEARNS, "likely to learn"),
        (a_probe(-0.08, -0.02), Verdict.TRAP, "likely to fall into the learning trap"),
        (a_probe(-0.03, 0.02), Verdict.OPEN, "is undecided"),
        (a_probe(0.02, 0.08, oracle=0.3), Verdict.OPEN, "not ripe"),
        (a_probe(0.02, 0.08, after=0.7), Verdict.OPEN, "not ripe"),
        (a_probe(math.nan, math.nan), Verdict.OPEN, "missing"),
    ],
)
def test_the_prediction_has_one_of_three_forms(probe, verdict, form):
    assert probe.verdict is verdict
    assert form in probe_sentence(probe)


def test_a_difference_of_nothing_is_no_figure():
    assert points(NO_ROLLOUT) == "no figure"
    assert points(Estimate(0.1, -0.02, 0.2, 50)) == "+10 points (95% interval -2 to +20, which contains zero)"


NO_ROLLOUT = Estimate(math.nan, math.nan, math.nan, 0)


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        ({"easy_after_call": NO_ROLLOUT}, "right in 95%, always without a call"),
        ({"easy_without_call": NO_ROLLOUT}, "right in 95%, always after a call"),
        ({"easy_after_call": NO_ROLLOUT, "easy_without_call": NO_ROLLOUT}, "there are no easy questions"),
    ],
)
def test_easy_questions_that_are_never_or_always_called_on_are_no_objection(missing, told):
    probe = replace(a_probe(0.02, 0.08), **missing)
    assert probe.verdict is Verdict.LEARNS
    assert told in probe_sentence(probe) and "no figure" not in probe_sentence(probe)


def test_a_probe_without_easy_questions_gives_a_prediction(tmp_path):
    for name, policies, samples in (("evaluation", ("oracle_zoom",), 0), ("look", (), 4)):
        folder = tmp_path / f"{WARM_START}_{name}"
        write_evaluation(folder, HABITS[WARM_START], policies, count=24, samples=samples)
        rows = (folder / ROWS).read_text().splitlines(keepends=True)
        hard = {task.task_id for task in load_tasks(SET, split="test", count=24).tasks if task.category == HARD}
        (folder / ROWS).write_text("".join(row for row in rows if json.loads(row)["task_id"] in hard))
    probe = probe_of(tmp_path)
    assert probe.hard.n == 12 and probe.easy.n == 0 and "there are no easy questions" in probe_sentence(probe)


def test_a_probe_counts_calls_by_kind_of_question(finished_run):
    probe = probe_of(finished_run)
    assert probe.rollouts == 160 and 0.1 < probe.hard_rapr < 0.6
    assert probe.hard.n == probe.easy.n == 20
    assert "too few rollouts" in probe_sentence(probe)


@pytest.mark.parametrize(("verdict", "outcome", "was_right"), PREDICTIONS)
def test_a_prediction_is_right_wrong_or_open(verdict, outcome, was_right):
    assert prediction_was_right(verdict, outcome) is was_right


def test_the_story_follows_the_figures(finished_run, tmp_path):
    found = findings_of(finished_run)
    assert headline(found) == "With curiosity the model learned to zoom; without it, it stopped zooming."
    assert "contains zero" in without_sentence(found) and "contains zero" not in with_sentence(found)
    swapped = {WARM_START: HABITS[WARM_START], WITH: HABITS[WITHOUT], WITHOUT: HABITS[WITH]}
    reverse = findings_of(make_run(tmp_path / "reverse", swapped))
    assert "opposite" in headline(reverse)
    assert reverse.with_curiosity.outcome is Outcome.GAVE_UP
    both = dict.fromkeys(swapped, HABITS[WITH]) | {WARM_START: HABITS[WARM_START]}
    assert "trap did not appear" in headline(findings_of(make_run(tmp_path / "both", both)))
    never = dict.fromkeys(swapped, HABITS[WITHOUT])
    assert "never began to zoom" in headline(findings_of(make_run(tmp_path / "never", never)))
    none = dict.fromkeys(swapped, HABITS[WARM_START])
    assert "neither trap nor cure" in headline(findings_of(make_run(tmp_path / "none", none)))
