"""A judge stands beside the rule: it replaces no grade, is asked once about each answer, and says what it lacks."""

import json
import os
import signal
import subprocess
import sys
import time
from math import isnan

import pytest

from benchmarks.evaluation.judge.verdict import Ruling, verdict_in
from pixel_env.errors import ConfigError
from tests.benchmarks.evaluation.judge.conftest import judged_in, metrics_of, sensible, shown, verdicts_in
from tests.paths import ROOT
from tests.synth.scripted_server import CUT
from tests.waiting import until

OPEN = [
    {"says": "red", "answer": "red"},
    {"says": "it is red, I think", "answer": "red"},
    {"says": "blue", "answer": "red"},
    {"says": "reddish", "answer": "reddish", "grader": "anls"},
]
CLOSED = [
    {"says": "7", "answer": "7", "grader": "number"},
    {"says": "seven of 12", "answer": "7", "grader": "number"},
    {"says": "A", "answer": "cat", "options": ["cat", "dog"]},
    {"says": "the cat, or the dog", "answer": "cat", "options": ["cat", "dog"]},
]


def test_the_judges_score_stands_beside_the_rules_and_replaces_no_grade(evaluated, tmp_path, capsys):
    assert evaluated(OPEN) == 0
    run, out = tmp_path / "run", capsys.readouterr().out
    grades = [json.loads(line)["reward"] for line in (run / "trajectories.jsonl").read_text().splitlines()]
    assert sum(grades) == 2.0
    figures = metrics_of(run)["policies"]["learned_zoom"]["all"]
    assert figures["accuracy"]["value"] == 0.5 and figures["judge"]["value"] == 0.75
    assert "judge 95%" in out and "0.500" in out and "0.750" in out
    assert verdicts_in(run) == ["right", "right", "wrong", "right"]
    assert metrics_of(run)["judge"]["model"] == "m" and len(metrics_of(run)["judge"]["prompt_sha256"]) == 12


def test_the_agreement_with_the_rule_is_told_with_cohens_kappa(evaluated, tmp_path, capsys):
    evaluated(OPEN)
    judged = judged_in(tmp_path / "run")
    # 3 of 4 agree; by chance (2/4 x 3/4 + 2/4 x 1/4) = 1/2: kappa = (3/4 - 1/2) / (1 - 1/2).
    assert (judged["agreement"], judged["kappa"]) == (0.75, 0.5)
    counts = (judged[name] for name in ("both_right", "only_judge", "only_rule", "both_wrong", "unjudged"))
    assert tuple(counts) == (2, 1, 0, 1, 0)
    lines = capsys.readouterr().out.splitlines()
    row = lines[next(place for place, line in enumerate(lines) if line.startswith("judge m")) + 2]
    assert row.split()[2:] == ["4", "0.750", "0.500", "2", "1", "0", "1", "0", "0", "0"]


def test_a_choice_or_a_number_is_judged_only_where_the_rule_could_not_read_it(evaluated, server, tmp_path):
    server.script = lambda body, number: json.dumps({"verdict": "right"})
    evaluated(CLOSED)
    number, choice = sorted(server.asked(), key=lambda one: one["given"])  # asked side by side, in any order
    assert (number["given"], choice["given"]) == ("seven of 12", "the cat, or the dog")
    assert choice["references"] == ["(A) cat"] and choice["options"] == {"A": "cat", "B": "dog"}
    judged = judged_in(tmp_path / "run")
    assert (judged["value"], judged["unread"], judged["unread_right"]) == (1.0, 2, 2)
    assert judged["agreement"] is None and judged["kappa"] is None
    assert metrics_of(tmp_path / "run")["policies"]["learned_zoom"]["all"]["unparsed"] == 2


def test_where_nothing_has_to_be_judged_nothing_is_asked(evaluated, server, tmp_path):
    nothing = [{"says": "...", "answer": "red"}, {"says": "The answer is", "answer": "red"}]
    assert evaluated([CLOSED[0], CLOSED[2], *nothing]) == 0
    assert server.asked() == []
    assert verdicts_in(tmp_path / "run") == ["not asked"] * 4 and judged_in(tmp_path / "run")["value"] == 0.5


def test_equal_answers_to_equal_questions_are_asked_about_once_and_a_rerun_asks_nothing(evaluated, server, tmp_path):
    evaluated(OPEN, "--samples", "3")
    assert len(server.asked()) == len(OPEN)
    before, asked = (tmp_path / "run" / "metrics.json").read_bytes(), len(server.bodies)
    evaluated(OPEN, "--samples", "3")
    assert len(server.bodies) == asked and (tmp_path / "run" / "metrics.json").read_bytes() == before


def test_a_finished_run_may_be_judged_later_and_by_another_model(evaluated, server, tmp_path):
    evaluated(OPEN, url=None)
    assert "judge" not in metrics_of(tmp_path / "run") and server.bodies == []
    evaluated(OPEN)
    first = len(server.asked())
    evaluated(OPEN, "--judge_model", "n")
    assert first == 4 and len(server.asked()) == 8 and metrics_of(tmp_path / "run")["judge"]["model"] == "n"


def test_the_verdicts_of_shards_are_taken_over(evaluated, server, tmp_path):
    evaluated(OPEN, "--shard", "1/2")
    evaluated(OPEN, "--shard", "2/2")
    asked = len(server.asked())
    evaluated(OPEN)
    assert asked == len(server.asked()) == 4 and judged_in(tmp_path / "run")["value"] == 0.75


# ------------------------------------------------------------------------------------------ an endpoint that fails


def test_a_dead_judge_is_told_of_before_anything_is_played(evaluated, tmp_path):
    with pytest.raises(ConfigError, match="no usable replies") as refused:
        evaluated(OPEN, url="http://127.0.0.1:9/v1")
    assert "127.0.0.1:9" in str(refused.value) and not (tmp_path / "run" / "trajectories.jsonl").exists()


@pytest.mark.parametrize(
    ("status", "told"), [(401, "Set JUDGE_API_KEY"), (404, "Check --judge_model and the URL in --judge")]
)
def test_a_judge_that_serves_nobody_is_told_of_with_the_flag_to_change(evaluated, server, status, told):
    server.script = lambda body, number: (status, "no")
    with pytest.raises(ConfigError, match=told):
        evaluated(OPEN)


def test_a_judge_that_fails_on_everything_is_told_of_before_anything_is_played(
    evaluated, server, tmp_path, monkeypatch
):
    monkeypatch.setattr("agents.engines.endpoint.connection.backoff_s", lambda attempt: 0.0)
    server.script = lambda body, number: 500
    with pytest.raises(ConfigError, match="gives no usable replies: the endpoint failed 7 times: Error code: 500"):
        evaluated(OPEN)
    assert len(server.bodies) == 7 and not (tmp_path / "run" / "trajectories.jsonl").exists()


def test_a_judge_that_serves_nothing_any_more_stops_and_the_tables_of_the_rule_can_be_had_without_it(
    evaluated, server, tmp_path
):
    rows = [{"says": f"red {place}", "answer": "red"} for place in range(20)]
    server.script = lambda body, number: sensible(body, number) if number == 1 else (400, "no more")
    with pytest.raises(ConfigError, match=r"no more\. Without --judge the same command prints the tables of the rule"):
        evaluated(rows)
    assert len(server.asked()) < 20 * 3
    assert evaluated(rows, url=None) == 0 and "judge" not in metrics_of(tmp_path / "run")
    server.script = sensible
    evaluated(rows)
    assert judged_in(tmp_path / "run")["value"] == 1.0


def test_a_judge_that_goes_away_stops_and_what_it_said_is_kept(evaluated, server, tmp_path, monkeypatch):
    monkeypatch.setattr("agents.engines.endpoint.connection.backoff_s", lambda attempt: 0.0)
    server.script = lambda body, number: 404 if number > 3 else sensible(body, number)
    with pytest.raises(ConfigError, match=r"Check --judge_model.*All replies so far are stored in .*replies.sqlite3"):
        evaluated(OPEN)
    server.script, before = sensible, len(server.bodies)
    evaluated(OPEN)
    assert len(server.bodies) == before + 2 and judged_in(tmp_path / "run")["value"] == 0.75


def test_a_judge_that_gives_no_verdict_on_a_plain_example_is_refused_before_anything_is_played(
    evaluated, server, tmp_path
):
    server.script = lambda body, number: "I would say that it is right."
    with pytest.raises(ConfigError, match=r"on a plain example: it wrote 'I would say that it is right\.'"):
        evaluated(OPEN)
    assert not (tmp_path / "run" / "trajectories.jsonl").exists()


def test_a_reply_that_is_no_verdict_is_unjudged_counted_and_not_asked_for_again(evaluated, server, tmp_path, capsys):
    def script(body, number):
        return "Both look fine." if "blue" in shown(body)["given"] else sensible(body, number)

    server.script = script
    evaluated(OPEN)
    judged = judged_in(tmp_path / "run")
    assert (judged["unjudged"], judged["value"]) == (1, 0.75) and verdicts_in(tmp_path / "run")[2] == "unjudged"
    assert judged["agreement"] == pytest.approx(2 / 3)
    asked = len(server.bodies)
    evaluated(OPEN)
    assert len(server.bodies) == asked


def test_what_may_pass_is_asked_for_again(evaluated, server, tmp_path):
    faults = {2: 429, 3: CUT, 4: 503, 5: b"<html>busy</html>"}
    server.script = lambda body, number: faults.get(number) or sensible(body, number)
    evaluated(OPEN)
    assert judged_in(tmp_path / "run")["unjudged"] == 0 and judged_in(tmp_path / "run")["value"] == 0.75


def test_a_quota_that_is_used_up_stops_and_names_the_flag_and_the_same_command_asks_for_the_rest(
    evaluated, server, tmp_path, monkeypatch
):
    monkeypatch.setattr("agents.engines.endpoint.connection.backoff_s", lambda attempt: 0.0)
    server.script = lambda body, number: 429 if number > 3 else sensible(body, number)
    with pytest.raises(ConfigError, match=r"Lower --judge_concurrency.*resumes from there"):
        evaluated(OPEN)
    server.script, asked = sensible, len(server.bodies)
    evaluated(OPEN)
    assert len(server.bodies) == asked + 2 and judged_in(tmp_path / "run")["value"] == 0.75


def test_an_answer_that_the_endpoint_refuses_is_unjudged_and_asked_about_by_the_next_command(
    evaluated, server, tmp_path
):
    def script(body, number):
        return (400, "this text is not allowed") if "blue" in shown(body)["given"] else sensible(body, number)

    server.script = script
    evaluated(OPEN)
    assert verdicts_in(tmp_path / "run") == ["right", "right", "unjudged", "right"]
    server.script = sensible
    evaluated(OPEN)
    assert verdicts_in(tmp_path / "run") == ["right", "right", "wrong", "right"]


@pytest.mark.parametrize("taken", ["json_schema", "json_object", None])
def test_an_endpoint_is_asked_in_the_format_that_it_takes(evaluated, server, tmp_path, taken):
    def script(body, number):
        given = body.get("response_format", {}).get("type")
        return sensible(body, number) if given == taken else (400, f"{given} is not supported")

    server.script = script
    evaluated(OPEN)
    assert judged_in(tmp_path / "run")["value"] == 0.75
    if taken == "json_schema":
        assert server.bodies[0]["response_format"]["json_schema"]["schema"]["required"] == ["verdict"]


def test_a_model_that_takes_no_temperature_is_asked_without_it(evaluated, server, tmp_path):
    server.script = lambda body, number: (
        (400, "Unsupported value: 'temperature'") if "temperature" in body else sensible(body, number)
    )
    evaluated(OPEN)
    assert judged_in(tmp_path / "run")["value"] == 0.75 and "response_format" in server.bodies[-1]


# ---------------------------------------------------------------------------------------------------- keys and flags


def test_the_judge_has_a_key_of_its_own_which_no_file_holds(evaluated, server, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-the-model")
    evaluated(OPEN[:1])
    monkeypatch.setenv("JUDGE_API_KEY", "key-of-the-judge")
    evaluated(OPEN)
    assert server.keys[0] == "Bearer key-of-the-model" and server.keys[-1] == "Bearer key-of-the-judge"
    files = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert files and not any(b"key-of-the" in path.read_bytes() for path in files)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--judge", "http://127.0.0.1:1/v1"], "Give --judge_model"),
        (["--judge_model", "m"], "Give --judge"),
        (["--judge", "gpt", "--judge_model", "m"], "--judge must be the URL of a server"),
        (["--judge", "http://me:secret@host/v1", "--judge_model", "m"], "--judge holds a user name or a password"),
    ],
)
def test_flags_of_a_judge_that_do_not_fit_are_refused_with_the_way_out(evaluated, flags, told):
    with pytest.raises(ConfigError, match=told):
        evaluated(OPEN, *flags, url=None)


# ------------------------------------------------------------------------------------------------- reading a verdict


@pytest.mark.parametrize(
    ("text", "ruling"),
    [
        ('{"verdict": "right"}', "right"),
        ('{"verdict": "wrong"}', "wrong"),
        ('<think>It says "right".</think>\n{"verdict": "wrong"}', "wrong"),
        ('```json\n{"verdict": "right"}\n```', "right"),
        ("right", "right"),
        ('{"verdict": "right", "verdict": "right"}', "right"),
        ('{"verdict": "Right"}', "unjudged"),
        ('{"verdict": "right or wrong"}', "unjudged"),
        ('{"verdict": ["right"]}', "unjudged"),
        ('{"verdict": true}', "unjudged"),
        ('{"verdict": "right", "but": "wrong"}', "unjudged"),
        ('{"verdict": "right"} {"verdict": "wrong"}', "unjudged"),
        ('I say {"verdict": "right"}', "unjudged"),
        ('[{"verdict": "right"}]', "unjudged"),
        ("not right", "unjudged"),
        ("", "unjudged"),
        ("[" * 100_000, "unjudged"),
    ],
)
def test_a_reply_is_one_verdict_or_none(text, ruling):
    assert verdict_in(text, "stop") == Ruling(ruling)
    assert verdict_in(text, "length") is Ruling.UNJUDGED


# ------------------------------------------------------------------------------------------------------------ killed

PLAYED = """
import sys
from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine, in_turn
from benchmarks.evaluation import evaluate
from pixel_env.dialects.table import dialect_named
chat = PlainChat(dialect_named("tiny"))
evaluate.engine_of = lambda plan: (ScriptedEngine(in_turn("<answer>red"), chat), chat)
sys.exit(evaluate.main(sys.argv[1:]))
"""


def test_a_killed_process_loses_no_verdict_that_it_got(server, tmp_path):
    pytest.importorskip("httpx")
    rows = [{"id": f"q{n}", "question": f"What is {n}?", "answer": "red"} for n in range(12)]
    (tmp_path / "tasks.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    words = ["--model", "none", "--dialect", "tiny", "--policies", "learned_zoom", "--tasks", "tasks.jsonl"]
    words += ["--output_dir", "run", "--judge", server.url, "--judge_model", "m", "--judge_concurrency", "1"]
    command = [sys.executable, "-c", PLAYED, *words]
    server.script = lambda body, number: time.sleep(60) or "" if number > 6 else sensible(body, number)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL)
    try:
        until(lambda: len(server.bodies) >= 7)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    server.script, before = sensible, len(server.asked())
    assert subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True).returncode == 0
    again = [one["question"] for one in server.asked()[before:]]
    assert before == 6 and len(again) == 7 and judged_in(tmp_path / "run")["both_right"] == 12


def test_kappa_without_two_kinds_of_verdicts_is_no_number():
    from agents.metrics.statistics import cohens_kappa

    assert isnan(cohens_kappa(0, 0, 0, 0)) and isnan(cohens_kappa(5, 0, 0, 0)) and isnan(cohens_kappa(0, 0, 0, 3))
    assert cohens_kappa(20, 5, 10, 15) == pytest.approx(0.4)  # p_o 0.7, p_e 0.5
    assert cohens_kappa(5, 0, 0, 5) == 1.0 and cohens_kappa(0, 5, 5, 0) == -1.0
