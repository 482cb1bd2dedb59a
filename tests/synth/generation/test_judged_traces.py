"""`pixel-env synth --judge`: a small server in place of a model that reads each verified trace."""

import json

import pytest

from agents.traces.folder import read_trace_folder
from pixel_env.cli import main
from synth.judge.verdict import TraceVerdict, verdict_in
from tests.synth.scripted_server import asked, pictures

pytest.importorskip("httpx")
FLAGS = ("--seeds", "sample:vstar-tiny", "--media", "image=1", "--workers", "1", "--dialect", "default")
TRUE, FALSE = (json.dumps({"verdict": verdict, "reason": "Turn 1."}) for verdict in ("true", "false"))


def synth(server, out, *flags, model="j", count=6):
    given = ("--judge", server.url, "--judge_model", model) if model else ()
    return main(["synth", "--count", str(count), "--out", str(out), *FLAGS, *given, *flags])


def test_a_judge_is_shown_every_image_and_text_and_what_it_calls_false_is_replaced(server, tmp_path, capsys):
    server.script = lambda body, number: FALSE if number <= 2 else TRUE
    assert synth(server, tmp_path / "out", "--judge_concurrency", "1") == 0
    _, traces = read_trace_folder(tmp_path / "out")
    assert len(traces) == 6 and len(server.bodies) == 8
    for body in server.bodies:
        given = json.loads(asked(body["messages"]))
        shown = [number for turn in given["turns"] for number in turn["then_shown"]]
        assert shown == list(range(2, 2 + len(shown)))
        assert len(pictures(body["messages"])) == 1 + len(shown) and given["answers"] and given["question"]
        assert given["turns"][0]["thought"] and "tool_call" not in given["turns"][0]["thought"]
    assert (
        "judged_false: 2" in (tmp_path / "out" / "README.md").read_text() or "judged_false" in capsys.readouterr().out
    )


def test_the_same_command_again_asks_nothing_and_another_judge_is_refused(server, tmp_path, capsys):
    server.script = lambda body, number: TRUE
    assert synth(server, tmp_path / "out") == 0
    before, asked_before = (tmp_path / "out" / "traces.jsonl").read_bytes(), len(server.bodies)
    assert synth(server, tmp_path / "out") == 0 and len(server.bodies) == asked_before
    assert (tmp_path / "out" / "traces.jsonl").read_bytes() == before
    capsys.readouterr()
    for other in ("k", ""):
        assert synth(server, tmp_path / "out", model=other) == 2
        assert "verified_by" in capsys.readouterr().err


def test_a_trace_without_a_verdict_is_not_kept_and_may_be_judged_later(server, tmp_path):
    server.script = lambda body, number: "I think so." if number == 1 else TRUE
    assert synth(server, tmp_path / "out", "--judge_concurrency", "1") == 0
    rows = [json.loads(line) for line in (tmp_path / "out" / "journal.jsonl").read_text().splitlines()]
    assert not any(row.get("dropped") == "not_judged" for row in rows)


def test_a_judge_that_gives_no_verdicts_stops_the_run_with_what_to_do(server, tmp_path, capsys):
    server.script = lambda body, number: "I think so."
    assert synth(server, tmp_path / "out", count=20) == 2
    told = capsys.readouterr().err
    assert "no verdict in its reply" in told and "Without --judge" in told


@pytest.mark.parametrize("flags", [("--judge", "http://127.0.0.1:9/v1"), ("--judge_model", "j")])
def test_half_a_judge_is_refused(tmp_path, capsys, flags):
    assert main(["synth", "--count", "1", "--out", str(tmp_path / "out"), *FLAGS, *flags]) == 2
    assert "give --judge URL and --judge_model NAME" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (TRUE, TraceVerdict(True, "Turn 1.")),
        (f"<think>false?</think>```json\n{FALSE}\n```", TraceVerdict(False, "Turn 1.")),
        ('{"verdict": false, "reason": "No\\ncard."}', TraceVerdict(False, "No card.")),
        ('{"verdict": "maybe", "reason": ""}', None),
        ("true", None),
        ("[" * 100_000, None),
    ],
)
def test_a_verdict_is_read_strictly(reply, verdict):
    assert verdict_in(reply) == verdict
