"""`pixel-env synth` with a teacher behind an endpoint: a small server of our own that fails on purpose."""

import json

import pytest

from agents.traces.folder import read_trace_folder
from pixel_env.cli import main
from tests.synth.scripted_server import completion, thought

pytest.importorskip("openai")
DATA_SET = ("traces.jsonl", "tasks.jsonl", "task_set.json", "README.md")
FLAGS = ("--count", "10", "--workers", "1", "--model", "stub", "--seeds", "sample:vstar-tiny")
MIX = ("--media", "image=4", "text=1", "--dialect", "default")


def well(body, number):
    return thought(body["messages"])


def badly(body, number):
    """Of every five requests one is answered badly in each of four ways."""
    trouble = {1: 429, 2: 500, 3: "Sure! Here is it.", 4: '{"text": 5}'}
    return trouble.get(number % 5) or thought(body["messages"])


def synth(server, out, *flags):
    return main(["synth", "--teacher", server.url, "--out", str(out), *FLAGS, *MIX, *flags])


def content(folder):
    return {name: (folder / name).read_bytes() for name in DATA_SET}


def test_a_teacher_that_fails_on_purpose_loses_no_trace(server, tmp_path, capsys):
    server.script = badly
    assert synth(server, tmp_path / "out", "--price_in", "1", "--price_out", "2") == 0
    _, traces = read_trace_folder(tmp_path / "out")
    assert len(traces) == 10 and all("field of colours" in trace.turns[0].text for trace in traces)
    printed = capsys.readouterr().out
    assert "teacher stub: " in printed and "price" in printed
    assert "what `stub` said: its provider's terms decide" in (tmp_path / "out" / "README.md").read_text()


def test_a_rerun_asks_for_nothing_and_gives_the_same_bytes(server, tmp_path):
    server.script = badly
    assert synth(server, tmp_path / "out") == 0
    before, asked = content(tmp_path / "out"), len(server.bodies)
    (tmp_path / "out" / "journal.jsonl").unlink()  # the replies are kept beside it
    assert synth(server, tmp_path / "out") == 0
    assert content(tmp_path / "out") == before and len(server.bodies) == asked


def test_another_model_in_the_same_folder_is_refused_but_the_server_may_move(server, tmp_path, capsys):
    assert synth(server, tmp_path / "out") == 0
    assert synth(server, tmp_path / "out", "--model", "other") == 2
    assert "model (was 'stub', is 'other')" in capsys.readouterr().err
    assert main(["synth", "--teacher", "http://127.0.0.1:9/v1", "--out", str(tmp_path / "out"), *FLAGS, *MIX]) == 0


def test_the_teachers_flags_reach_the_endpoint_and_what_changes_its_words_belongs_to_the_data_set(
    server, tmp_path, capsys
):
    pace = ("--tokens_per_minute", "1e9", "--teacher_timeout_s", "9", "--teacher_retries", "1")
    assert synth(server, tmp_path / "out", "--teacher_max_tokens", "77", *pace) == 0
    assert {body["max_tokens"] for body in server.bodies} == {77}
    assert synth(server, tmp_path / "out", "--teacher_max_tokens", "77") == 0
    for name, other in (("max_tokens", "99"), ("max_pixels", "99999"), ("max_attempts", "1")):
        flags = ("--teacher_max_tokens", "77", f"--teacher_{name}", other)
        assert synth(server, tmp_path / "out", *flags) == 2 and f"teacher_{name} (was" in capsys.readouterr().err


@pytest.mark.parametrize("reason", ["length", "error"])
def test_few_traces_of_an_endpoint_that_says_nothing_cost_no_seeds_and_the_same_command_makes_them_later(
    server, tmp_path, capsys, reason
):
    broken = json.dumps(completion("", finish_reason=reason)).encode()
    server.script = lambda body, number: broken
    assert synth(server, tmp_path / "out", "--count", "5", "--teacher_retries", "0") == 2
    assert "the same command goes on" in capsys.readouterr().err and len(server.bodies) <= 60
    assert not (tmp_path / "out" / "journal.jsonl").exists()
    server.script = well
    assert synth(server, tmp_path / "out", "--count", "5", "--teacher_retries", "0") == 0
    assert synth(server, tmp_path / "never broken", "--count", "5") == 0
    assert content(tmp_path / "out") == content(tmp_path / "never broken")


@pytest.mark.parametrize("words", ["So the answer is clearly 3141.", "So the answer is clearly Zanzibar."])
def test_no_trace_is_made_of_texts_that_contradict_its_answer(server, tmp_path, capsys, words):
    server.script = lambda body, number: thought(body["messages"], words)
    assert synth(server, tmp_path / "out", "--count", "2", "--seed_count", "6") == 2
    assert "another_answer" in capsys.readouterr().err


def test_a_run_that_stops_tells_what_was_paid_and_the_next_one_the_total(server, tmp_path, capsys):
    server.script = lambda body, number: thought(body["messages"]) if number <= 6 else 401
    assert synth(server, tmp_path / "out", "--concurrency", "1") == 2
    assert "teacher stub: 600 + 60 tokens in 6 requests" in capsys.readouterr().out
    server.script = well
    assert synth(server, tmp_path / "out") == 0
    paid = len(server.bodies) - 1
    assert f"with what earlier processes paid, {100 * paid:,} + {10 * paid} tokens in {paid} requests" in (
        capsys.readouterr().out
    )
