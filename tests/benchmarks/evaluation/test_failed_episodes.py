"""A run that is dead or failing never looks like a result: no accuracy, a column of failures, exit code 1."""

import json
import re
from dataclasses import replace

import pytest

from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine
from benchmarks.demo import evaluations as demo
from benchmarks.evaluation import evaluate
from pixel_env.cli import main
from pixel_env.dialects.table import dialect_named

CHAT = PlainChat(dialect_named("tiny"))
FLAGS = ["--model", "none", "--dialect", "tiny", "--tasks", "sample:vstar-tiny", "--limit", "6", "--max_turns", "2"]


class Model:
    """Crops and answers "up"; breaks when `breaks` says so of a conversation."""

    def __init__(self):
        self.breaks = lambda conversation: False

    def say(self, conversation):
        if self.breaks(conversation):
            raise ConnectionError("the server is gone")
        return "<answer>up" if conversation.turn else "<crop> 4 4 8 8"


@pytest.fixture
def model(monkeypatch):
    model = Model()
    monkeypatch.setattr(evaluate, "engine_of", lambda plan: (ScriptedEngine(model.say, CHAT), CHAT))
    return model


def evaluated(tmp_path, *flags):
    return main(["eval", *FLAGS, "--output_dir", str(tmp_path / "run"), *flags])


def metrics(tmp_path, policy="learned_zoom"):
    text = (tmp_path / "run" / "metrics.json").read_text(encoding="utf-8")
    return json.loads(text)["policies"][policy]


def on_the_page(tmp_path):
    assert main(["view", str(tmp_path / "run")]) == 0
    page = (tmp_path / "run" / "view.html").read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])


def test_a_run_in_which_everything_failed_has_no_accuracy_and_the_first_error(model, tmp_path, capsys):
    model.breaks = lambda conversation: True
    assert evaluated(tmp_path, "--policies", "learned_zoom", "--samples", "2", "--lmms_samples") == 1
    told = capsys.readouterr()
    assert "All 18 episodes failed, so there is no accuracy. The first error: RuntimeError: " in told.err
    assert "the server is gone" in told.err and "Run the same command again" in told.err
    assert re.search(r"\b0\.000\b", told.out) is None and "failed" in told.out  # 0.000833 are seconds
    for policy in ("learned_zoom", "sampled"):
        figures = metrics(tmp_path, policy)
        for part in (figures["all"], *figures["by_category"].values()):
            assert part["accuracy"]["value"] is None and part["rapr"] is None and part["failed"] == part["rollouts"]
        assert all(part["value"] is None for part in figures["by_position_of_the_right_answer"].values())
    assert metrics(tmp_path, "sampled")["all"]["pass_at_k"] is None
    rows = (tmp_path / "run" / "samples_learned_zoom.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(row)["score"] for row in rows] == [None] * 6
    [run] = on_the_page(tmp_path)["runs"]
    assert "All 18 episodes failed" in run["notice"]
    assert [(row["accuracy"], row["rapr"], row["failed"]) for row in run["figures"]] == [
        (None, None, 6),
        (None, None, 12),
    ]


def test_some_failed_episodes_have_a_column_and_the_exit_code_and_count_as_wrong_until_they_are_repeated(
    model, tmp_path, capsys
):
    broken = set()

    def breaks(conversation):
        broken.add(conversation.text) if len(broken) < 2 else None
        return conversation.text in broken

    model.breaks = breaks
    assert evaluated(tmp_path, "--policies", "learned_zoom") == 1
    told = capsys.readouterr()
    assert "2 of 6 episodes failed and count as wrong. The first error: RuntimeError" in told.err
    heads = [line for line in told.out.splitlines() if "accuracy" in line]
    assert heads[0].split()[-1] == "failed" and heads[1].endswith("failed episodes")
    assert metrics(tmp_path)["all"]["failed"] == 2 and metrics(tmp_path)["all"]["accuracy"]["questions"] == 6
    assert [row["failed"] for row in on_the_page(tmp_path)["runs"][0]["figures"]] == [2]
    capsys.readouterr()
    model.breaks = lambda conversation: False
    assert evaluated(tmp_path, "--policies", "learned_zoom") == 0
    told = capsys.readouterr()
    assert "episodes failed" not in told.err and "failed episodes" not in told.out
    assert metrics(tmp_path)["all"]["failed"] == 0


def test_one_policy_that_is_dead_has_no_accuracy_beside_one_that_has(model, tmp_path, capsys):
    model.breaks = lambda conversation: conversation.turn == 0  # the oracle's first turn is scripted
    assert evaluated(tmp_path, "--policies", "learned_zoom", "oracle_zoom") == 1
    told = capsys.readouterr()
    assert (
        "6 of 12 episodes failed and count as wrong; all of learned zoom did, for which there is no accuracy"
        in told.err
    )
    assert metrics(tmp_path)["all"]["accuracy"]["value"] is None
    assert metrics(tmp_path, "oracle_zoom")["all"]["accuracy"]["value"] is not None


def test_control_crops_of_a_dead_baseline_are_not_concluded_from(model, tmp_path, capsys):
    model.breaks = lambda conversation: conversation.turn == 0
    assert evaluated(tmp_path, "--ablate", "--policies") == 1
    assert "All episodes of learned zoom, the baseline, failed: there is nothing to compare." in capsys.readouterr().out


def test_runs_that_failed_are_not_compared_and_those_with_failures_are_warned_of(model, tmp_path, capsys):
    again = ["--output_dir", str(tmp_path / "other"), "--policies", "learned_zoom"]
    model.breaks = lambda conversation: True
    assert evaluated(tmp_path, "--policies", "learned_zoom") == 1
    seen = []
    model.breaks = lambda conversation: not seen.append(conversation) and len(seen) == 1
    assert main(["eval", *FLAGS, *again]) == 1
    capsys.readouterr()
    assert main(["compare", str(tmp_path / "other"), str(tmp_path / "run")]) == 2
    told = capsys.readouterr().err
    assert "1 of 6 episodes" in told and "All 6 episodes of 'learned_zoom'" in told and "the server is gone" in told
    assert main(["compare", str(tmp_path / "other"), str(tmp_path / "other")]) == 0


def test_the_demo_of_evaluations_has_a_column_of_failures_and_their_exit_code(model, tmp_path, monkeypatch, capsys):
    model.breaks = lambda conversation: True
    monkeypatch.setattr(demo, "evaluations", lambda config: one_evaluation(config, tmp_path))
    assert main(["eval-demo", "--limit", "3", "--output_dir", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    [row] = [line.split() for line in out.splitlines() if " tiny-zoom " in line]
    assert row[3:6] == ["-", "-", "-"] and row[-1] == "3" and "0.000" not in out


def one_evaluation(config, folder):
    first = demo.EvalConfig(task_count=config.limit, policies=("learned_zoom",), max_turns=2)
    return [replace(first, output_dir=str(folder / "vstar-tiny_tiny-zoom"))]
