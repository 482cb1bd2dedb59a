import json
from dataclasses import replace

import pytest

from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine
from agents.metrics.statistics import wilson
from agents.metrics.trajectories import accuracy
from benchmarks.evaluation.config import EvalConfig
from benchmarks.evaluation.evaluate import evaluate, main
from benchmarks.evaluation.plan import planned
from benchmarks.evaluation.policies import LEARNED_ZOOM, NO_ZOOM, ORACLE_ZOOM, POLICIES
from benchmarks.evaluation.records import ROWS, keys_of, read_evaluation
from benchmarks.evaluation.tables import accuracy_of_questions, accuracy_table
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError, UnknownNameError
from tests.benchmarks.evaluation.mortal_engine import Killed, MortalEngine

CHAT = PlainChat(dialect_named("tiny"))


def an_answer(conversation):
    """Looks at the middle, and answers by the seed of its request, so that another sample is another answer."""
    if conversation.turn == 0 and not conversation.request.banned_ids & CHAT.call_opening_ids():
        return "<crop> 6 6 10 10"
    return f"<answer>{conversation.request.seed % 10}"


@pytest.fixture
def config(tmp_path):
    config = EvalConfig(task_count=6, samples=3, max_turns=2, output_dir=str(tmp_path / "eval"))
    folder = tmp_path / "eval"
    folder.mkdir()
    (folder / "configuration.json").write_text(json.dumps(config.__dict__))
    return config


def run(config, engine=None):
    return evaluate(planned(config), engine or ScriptedEngine(an_answer, CHAT), CHAT)


def rows_of(config):
    from pathlib import Path

    rows = [json.loads(line) for line in (Path(config.output_dir) / ROWS).read_text().splitlines()]
    return {(row["policy"], row["task_id"], row["sample"]): row for row in rows}, len(rows)


def test_every_policy_and_sample_of_every_question_is_one_row(config):
    evaluation = run(config)
    rows, count = rows_of(config)
    assert count == len(rows) == 6 * (len(POLICIES) + 3)
    assert all(not t.operations for t in evaluation.of(NO_ZOOM))
    assert all(t.valid_operations for t in evaluation.of(ORACLE_ZOOM))
    assert len(evaluation.of(LEARNED_ZOOM, sampled=True)) == 18
    assert [t.task.task_id for t in evaluation.of(NO_ZOOM)] == [t.task.task_id for t in evaluation.of(LEARNED_ZOOM)]


def test_samples_of_a_question_differ(config):
    answers = {}
    for trajectory in run(config).of(LEARNED_ZOOM, sampled=True):
        answers.setdefault(trajectory.task.task_id, []).append(trajectory.answer)
    assert any(len(set(given)) > 1 for given in answers.values())


@pytest.mark.parametrize("polls", [1, 5, 9, 14])
def test_a_killed_evaluation_goes_on_without_losing_or_repeating_a_row(config, tmp_path, polls):
    whole = replace(config, output_dir=str(tmp_path / "whole"))
    (tmp_path / "whole").mkdir()
    (tmp_path / "whole" / "configuration.json").write_text(json.dumps(whole.__dict__))
    run(whole)
    with pytest.raises(Killed):
        run(config, MortalEngine(an_answer, CHAT, polls))
    path = tmp_path / "eval" / ROWS
    with path.open("ab") as file:  # it is missing if no episode had ended
        file.write(b'{"version": 1, "policy": "learned_zoom", "task_id"')
    before = len(keys_of(path))
    run(config)
    (resumed, count), (uncut, _) = rows_of(config), rows_of(whole)
    assert count == len(resumed) > before
    assert resumed == uncut  # the same answers too: a rollout's seed does not depend on the kill


def test_the_table_has_a_row_for_each_kind_of_question_and_policy(config):
    lines = accuracy_table(run(config)).splitlines()
    assert len(lines) == 2 + 2 * (len(POLICIES) + 1)
    assert any(line.startswith("digit-on-card  oracle zoom") and "[" in line for line in lines)


def test_samples_of_a_question_do_not_narrow_the_interval(config):
    evaluation = run(config)
    sampled = evaluation.of(LEARNED_ZOOM, sampled=True)
    estimate = accuracy_of_questions(sampled)
    once = wilson(6 * accuracy(sampled).value, 6)
    assert (estimate.n, estimate.value, estimate.low) == pytest.approx((6, once.value, once.low))
    lines = [line.split("  ") for line in accuracy_table(evaluation).splitlines()]
    counts = {[cell.strip() for cell in line if cell.strip()][2] for line in lines[2:]}
    assert counts == {"3"}  # of each kind, whatever the number of samples


def test_going_on_with_another_configuration_is_refused_naming_the_keys(tiny_checkpoint, tmp_path, capsys):
    arguments = ["--model", str(tiny_checkpoint), "--task_count", "2", "--max_turns", "2", "--max_turn_tokens", "8"]
    arguments += ["--output_dir", str(tmp_path / "eval")]
    assert main(arguments) == 0
    assert "A score on it is no V* score" in capsys.readouterr().out
    with pytest.raises(ConfigError, match=r"max_turns.*seed"):
        main([*arguments, "--max_turns", "3", "--seed", "1"])
    assert len(read_evaluation(tmp_path / "eval").records) == 8


def test_an_unknown_policy_is_refused_before_a_model_is_loaded():
    with pytest.raises(UnknownNameError, match="oracle_zoom"):
        main(["--model", "nowhere", "--policies", "oracle"])
