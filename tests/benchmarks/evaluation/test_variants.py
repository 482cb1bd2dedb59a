"""Questions that a set asks several times: what the report, the figures and the stored rows say of them."""

import json
from dataclasses import replace

import pytest

from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine
from agents.metrics.clusters import mean_of_clusters, share
from agents.metrics.statistics import wilson
from benchmarks.evaluation import evaluate as command
from benchmarks.evaluation.compare import main as compare
from benchmarks.evaluation.evaluate import main
from benchmarks.evaluation.operation_ablation import control_report
from benchmarks.evaluation.policies import BLANK_CROP, LEARNED_ZOOM
from benchmarks.evaluation.questions import shuffled, with_options_shuffled
from benchmarks.evaluation.records import ROWS, Evaluation, Record, read_evaluation
from benchmarks.evaluation.result_files import METRICS
from benchmarks.evaluation.variants import cyclic_accuracy, zooming_gap
from pixel_env.dialects.table import dialect_named
from pixel_env.task import TaskSet, cluster_of
from pixel_env.types import Prompt, Stop, Trajectory
from tests.benchmarks.evaluation.variant_sets import rotated, two_views

CHAT = PlainChat(dialect_named("tiny"))
HERE = "tests.benchmarks.evaluation.variant_sets"


@pytest.fixture
def play(tmp_path, monkeypatch):
    """Evaluates an engine that gives this answer on one of the sets; gives the folder of the run."""

    def play(function, answer, *more, folder="run"):
        monkeypatch.setattr(command, "engine_of", lambda plan: (ScriptedEngine(answer, CHAT), CHAT))
        words = ["--model", "none", "--dialect", "tiny", "--tasks", f"{HERE}:{function}", "--policies", LEARNED_ZOOM]
        assert main([*words, "--output_dir", str(tmp_path / folder), *more]) == 0
        return tmp_path / folder

    return play


def records(tasks, grade, *, sample=None):
    return [
        Record(Trajectory(task, Prompt("", ""), (), stop=Stop.ANSWERED, reward=grade(task)), LEARNED_ZOOM, sample)
        for task in tasks
    ]


def rotation(task):
    return int(task.variant.name)


def test_a_question_is_right_in_every_rotation_or_wrong():
    tasks = rotated("test")
    always_a = cyclic_accuracy(records(tasks, lambda task: float(rotation(task) == 0)))
    assert (always_a.value, always_a.n) == (0.0, 6)
    one_slip = cyclic_accuracy(records(tasks, lambda task: float(task.task_id != "3-2")))
    expected = wilson(5, 6)
    assert (one_slip.value, one_slip.low, one_slip.high) == (5 / 6, expected.low, expected.high)


def test_a_question_of_which_a_rotation_was_not_played_does_not_count():
    tasks = rotated("test")
    assert cyclic_accuracy(records(tasks[:6], lambda task: 1.0)).n == 1
    assert cyclic_accuracy(records(tasks[::4], lambda task: 1.0)) is None  # as a shard plays
    assert cyclic_accuracy(records(two_views("test"), lambda task: 1.0)) is None


def test_each_sample_of_a_question_is_right_in_every_rotation_or_wrong():
    tasks = rotated("test")[:4]
    first, second = records(tasks, lambda task: 1.0, sample=0), records(tasks, lambda t: rotation(t) % 2, sample=1)
    assert cyclic_accuracy([*first, *second]).value == 0.5


def test_episodes_that_all_failed_have_no_figure():
    dead = [
        replace(record, trajectory=replace(record.trajectory, stop=Stop.FAILED))
        for tasks in (rotated("test"), two_views("test"))
        for record in records(tasks, lambda task: 0.0)
    ]
    assert cyclic_accuracy(dead) is None and zooming_gap(dead) is None


def test_the_gap_is_that_of_the_same_questions_in_both_views():
    tasks = two_views("test")

    def grade(task):
        return float(task.variant.name == "crop" or task.task_id in ("0-full", "1-full"))

    found = zooming_gap(records(tasks, grade))
    assert (found.full.value, found.crop.value, found.gap.value) == (0.25, 1.0, 0.75)
    expected = mean_of_clusters([0.0, 0.0, *[1.0] * 6], [0, 0, 1, 1, 2, 2, 3, 3])
    assert found.gap == expected and expected.clusters == 4
    unpaired = [record for record in records(tasks, grade) if record.trajectory.task.task_id != "0-crop"]
    assert zooming_gap(unpaired).gap.n == 7
    apart = [replace(task, cluster="") for task in tasks]
    assert zooming_gap(records(apart, grade)).gap.clusters is None


def test_rotated_options_are_not_shuffled_again_and_both_views_have_one_order():
    tasks = TaskSet("mine", rotated("test"), notice="a set")
    kept = shuffled(tasks, 1)
    assert kept.tasks == tuple(tasks.tasks)
    notice = "the options of 24 tasks keep their order: the set asks each question in every rotation"
    assert kept.notice == f"a set; {notice}"
    views = [with_options_shuffled(task, 1) for task in two_views("test")]
    assert all(full.options == crop.options for full, crop in zip(views[::2], views[1::2], strict=True))
    assert len({task.options for task in views}) > 1


def test_the_report_of_a_rotated_set_is_clustered_and_cyclic(play, capsys):
    folder = play("rotated", lambda conversation: "<answer>A")
    out = capsys.readouterr().out
    assert "options of 24 tasks keep their order" in out
    assert "24 questions in 6 clusters, which share a question or an image: intervals are clustered." in out
    rows = {line.split("  ")[0]: line.split() for line in out.splitlines()}
    head = next(line.split() for line in out.splitlines() if line.startswith("questions"))
    assert head[2:4] == ["n", "clusters"] and rows["single"][3:6] == ["12", "3", "0.250"]
    cyclic = out.split("right in every rotation")[1].splitlines()[2].split()
    assert cyclic[:4] == ["learned", "zoom", "6", "0.000"]
    metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    figures = metrics["policies"]["learned_zoom"]["all"]
    assert metrics["intervals"] == "95 %, Wilson, clustered (6 clusters)"
    assert figures["accuracy"]["clusters"] == 6 and figures["accuracy"]["questions"] == 24
    assert figures["cyclic_accuracy"]["value"] == 0.0 and figures["cyclic_accuracy"]["questions"] == 6
    assert figures["macro_accuracy"]["value"] == 0.25
    assert "zooming_gap" not in figures


def test_the_report_of_a_set_with_two_views_has_the_gap(play, capsys):
    folder = play("two_views", lambda conversation: "<answer>A", "--no-shuffle_options")
    row = capsys.readouterr().out.split("views  ")[1].splitlines()[2].split()
    assert row[:4] == ["learned", "zoom", "8", "1.000"] and "+0.000" in row
    figures = json.loads((folder / METRICS).read_text(encoding="utf-8"))["policies"]["learned_zoom"]["all"]
    assert figures["zooming_gap"]["crop_minus_full"]["value"] == 0.0
    assert figures["zooming_gap"]["full"]["clusters"] == 4 and "cyclic_accuracy" not in figures


def test_stored_rows_hold_the_cluster_and_reports_made_of_them_know_it(play, capsys):
    def answer(conversation):
        return f"<answer>{'AB'[conversation.request.seed % 2]}"

    first = play("rotated", answer, "--samples", "1", "--temperature", "1", "--policies", LEARNED_ZOOM, folder="a")
    second = play("rotated", lambda conversation: "<answer>A", folder="b")
    row = json.loads((first / ROWS).read_text(encoding="utf-8").splitlines()[0])
    assert row["cluster"] == row["variant"]["question_id"] and row["variant"]["kind"] == "rotation"
    again = read_evaluation(first)
    assert {cluster_of(record.trajectory.task) for record in again.records} == {f"q{n}" for n in range(6)}
    capsys.readouterr()
    assert compare([str(first), str(second)]) == 0
    out = capsys.readouterr().out
    assert "24 questions in 6 clusters" in out and "p is that of flipping the signs of whole clusters" in out


def test_a_shard_keeps_the_clusters_of_its_rows(play, capsys):
    for number in (1, 2):
        play("rotated", lambda conversation: "<answer>A", "--shard", f"{number}/2")
    capsys.readouterr()
    folder = play("rotated", lambda conversation: "<answer>A")
    assert "24 questions in 6 clusters" in capsys.readouterr().out
    rows = [json.loads(line) for line in (folder / ROWS).read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 24 and all(row["cluster"] for row in rows)


def test_protocols_side_by_side_have_clustered_intervals(play, capsys):
    words = ("--protocol", "common,notool", "--dialect", "default")
    folder = play("rotated", lambda conversation: "<answer>\\boxed{A}</answer>", *words)
    out = capsys.readouterr().out
    table = out[out.index("protocol  ") :]
    assert "24 questions in 6 clusters, which share a question or an image: intervals are clustered." in table
    grades = [record.trajectory.reward for record in read_evaluation(folder / "common").records]
    expected = share(grades, [row // 4 for row in range(24)])
    assert f"[{expected.low:.3f}, {expected.high:.3f}]" in table.splitlines()[2]


def test_control_crops_are_compared_by_clusters():
    tasks = rotated("test")
    learned = records(tasks, lambda task: 1.0)
    blank = [
        Record(replace(record.trajectory, reward=float(record.trajectory.task.task_id[0] in "01")), BLANK_CROP, None)
        for record in learned
    ]
    evaluation = Evaluation(TaskSet("mine", tasks), dialect_named("tiny").budgets, [*learned, *blank])
    report = control_report(evaluation, seed=0)
    assert "24 questions in 6 clusters" in report
    row = next(line.split() for line in report.splitlines() if line.startswith("blank crop  ") and " all " in line)
    assert row[-3:] == ["16", "0", "0.125"]  # four clusters, all worse: 2 / 2^4
