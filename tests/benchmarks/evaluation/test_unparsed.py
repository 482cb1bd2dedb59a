"""Answers that the grader could not read are wrong, in n, and counted in every table; ANLS of raw texts beside ours."""

import json
import re
import sys

import pytest

from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine
from benchmarks.evaluation import evaluate as command
from benchmarks.evaluation.compare import main as compare
from benchmarks.evaluation.evaluate import main
from benchmarks.evaluation.records import ROWS, read_evaluation
from benchmarks.view.command import main as view
from pixel_env.actions import write
from pixel_env.errors import ConfigError, TaskError
from pixel_env.types import Answer

ROWS_OF_ALL_KINDS = [
    {"says": "A", "answer": "cat", "options": ["cat", "dog"]},
    {"says": "a bird", "answer": "cat", "options": ["cat", "dog"]},
    {"says": "A or B", "answer": "cat", "options": ["cat", "dog"]},
    {"says": "seven", "answer": "7", "grader": "number"},
    {"says": "many", "answer": "7", "grader": "number"},
    {"says": "blue", "answer": "red"},
    {"says": "...", "answer": "red"},
    {"says": None, "answer": "red"},
    {"says": "The answer is 12%", "answer": "12", "grader": "anls", "category": "info"},
]
UNPARSED = ["q1", "q2", "q4", "q6", "q7"]


@pytest.fixture
def play(tmp_path, monkeypatch):
    """Evaluates rows, each of which has what the model answers; None: it gives no answer at all."""

    def engine_of(plan):
        chat = PlainChat(plan.settings.dialect)

        def says(conversation):
            said = re.findall(r"\[\[(.*?)\]\]", conversation.text, re.DOTALL)[-1]
            return "I think." if said == "None" else write(Answer(said), plan.settings.dialect)

        return ScriptedEngine(says, chat), chat

    def run(rows, *flags, folder="run"):
        monkeypatch.setattr(command, "engine_of", engine_of)
        written = [
            {"id": f"q{place}", "question": f"What? [[{row['says']}]]"}
            | {key: value for key, value in row.items() if key != "says"}
            for place, row in enumerate(rows)
        ]
        (tmp_path / "tasks.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in written), encoding="utf-8")
        words = ["--model", "none", "--dialect", "tiny", "--tasks", str(tmp_path / "tasks.jsonl")]
        words += ["--output_dir", str(tmp_path / folder), "--no-shuffle_options"]
        words += [] if "--protocol" in flags else ["--policies", "learned_zoom"]
        assert main([*words, *flags]) == 0
        return tmp_path / folder

    return run


def figures_of(run, category="all"):
    policy = json.loads((run / "metrics.json").read_text())["policies"]["learned_zoom"]
    return policy["all"] if category == "all" else policy["by_category"][category]


def columns(out, first):
    """The rows below the head that begins with `first`, each as a mapping by the head's cells."""
    lines = out.splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith(first) and "---" in lines[place + 1])
    ends = [match.span() for match in re.finditer("-+", lines[start + 1])]
    cut = [[line[low:high].strip() for low, high in ends] for line in (lines[start], *lines[start + 2 :])]
    body = cut[1 : next((place for place, line in enumerate(lines[start + 2 :], 1) if not line.strip()), len(cut))]
    return [dict(zip(cut[0], row, strict=True)) for row in body]


def test_they_are_counted_wrong_and_in_n_in_each_table_and_in_the_figures_for_programs(play, capsys):
    run = play(ROWS_OF_ALL_KINDS)
    out = capsys.readouterr().out
    [others, info] = columns(out, "questions")
    assert (others["n"], others["unparsed"]) == ("8", "5") and (info["n"], info["unparsed"]) == ("1", "0")
    assert columns(out, "policy")[0]["unparsed"] == "5"
    figures = figures_of(run)
    assert (figures["unparsed"], figures["accuracy"]["questions"], figures["rollouts"]) == (5, 9, 9)
    assert figures["accuracy"]["value"] == pytest.approx((2 + 2 / 3) / 9)
    rows = [json.loads(line) for line in (run / ROWS).read_text().splitlines()]
    assert sorted(row["task_id"] for row in rows if row["unparsed"]) == UNPARSED
    assert {row["task_id"]: row["grader"] for row in rows}["q4"] == "number"


def test_anls_of_the_raw_texts_stands_beside_ours_where_tasks_are_graded_by_it(play, capsys):
    run = play(ROWS_OF_ALL_KINDS)
    [others, info] = columns(capsys.readouterr().out, "questions")
    # "12%" without the lead-in is close to "12", the raw text is not.
    assert (info["accuracy"], info["ANLS raw"], others["ANLS raw"]) == ("0.667", "0.000", "-")
    assert figures_of(run, "info")["anls_of_raw_text"]["value"] == 0.0
    assert "anls_of_raw_text" not in figures_of(run, "")
    play([row for row in ROWS_OF_ALL_KINDS if row.get("grader") != "anls"], folder="other")
    assert "ANLS raw" not in capsys.readouterr().out


def test_a_comparison_of_two_runs_tells_how_many_there_are_in_each(play, tmp_path, capsys):
    play(ROWS_OF_ALL_KINDS)
    other = play(ROWS_OF_ALL_KINDS, folder="other")
    rows = [json.loads(line) for line in (other / ROWS).read_text().splitlines()]
    for row in rows:
        del row["unparsed"]  # as an earlier release wrote them
    (other / ROWS).write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    capsys.readouterr()
    compare([str(tmp_path / "run"), str(other)])
    assert "Unparsed answers: A 5, B -" in capsys.readouterr().out


def test_protocols_side_by_side_tell_how_many_there_are(play, capsys):
    play(ROWS_OF_ALL_KINDS[:5], "--protocol", "common,notool", "--dialect", "default")
    rows = columns(capsys.readouterr().out, "protocol")
    assert [row["unparsed"] for row in rows] == ["3", "3"]


def test_the_viewer_marks_them(play, capsys):
    run = play(ROWS_OF_ALL_KINDS)
    view([str(run)])
    page = (run / "view.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'<script[^>]*id="data"[^>]*>(.*?)</script>', page, re.DOTALL)[1])
    marked = {data["tasks"][row["task"]]["id"] for row in data["trajectories"] if row["unparsed"]}
    assert marked == set(UNPARSED) and data["runs"][0]["figures"][0]["unparsed"] == 5


# --------------------------------------------------------------------------------------- a grader for the whole run

MODULE = """
from pixel_env.grading import grader


@grader(reads=lambda answer, task: answer.isdigit())
def within_one(answer, task):
    return float(answer.isdigit() and abs(int(answer) - int(task.answers[0])) <= 1)
"""
COUNTS = [{"says": "8", "answer": "7"}, {"says": "9", "answer": "7"}, {"says": "nine", "answer": "7"}]


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "my_graders.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield "my_graders:within_one"
    sys.modules.pop("my_graders", None)


def test_a_flag_gives_all_questions_another_grader_which_is_kept_with_the_run(play, own):
    run = play(COUNTS, "--grader", own)
    assert figures_of(run)["accuracy"]["value"] == pytest.approx(1 / 3) and figures_of(run)["unparsed"] == 1
    assert json.loads((run / "configuration.json").read_text())["grader"] == own
    assert {json.loads(line)["grader"] for line in (run / ROWS).read_text().splitlines()} == {own}
    assert {record.trajectory.task.grader for record in read_evaluation(run).records} == {own}
    view([str(run)])
    with pytest.raises(ConfigError, match="grader"):
        play(COUNTS)


def test_a_run_whose_rows_name_another_grader_by_now_is_not_continued_with_it(play, own):
    play(COUNTS)
    with pytest.raises(TaskError, match=f"'q0' was graded by 'exact', and is graded by '{own}' now. Restore the task"):
        play([{**row, "grader": own} for row in COUNTS])


def test_a_later_command_that_does_not_find_the_grader_says_the_way_out(play, own, tmp_path, monkeypatch):
    run = play(COUNTS, "--grader", own)
    sys.modules.pop("my_graders")
    sys.path[:] = [place for place in sys.path if place != str(tmp_path)]
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match=r"'my_graders:within_one' cannot be loaded.*run from the folder that holds"):
        read_evaluation(run)


@pytest.mark.parametrize(
    ("grader", "error", "told"),
    [
        ("my_graders:near", ConfigError, "cannot be loaded"),
        ("number", TaskError, "the task 'q1' cannot be graded by 'number'.*'a bird'"),
    ],
)
def test_a_grader_that_cannot_grade_the_questions_is_refused_before_they_are_played(play, own, grader, error, told):
    rows = [{"says": "8", "answer": "7"}, {"says": "8", "answer": "a bird"}]
    with pytest.raises(error, match=told):
        play(rows, "--grader", grader)
