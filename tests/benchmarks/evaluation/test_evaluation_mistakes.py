"""What `pixel-env eval`, `view` and `compare` refuse, each with the way out and before anything is played."""

import json
from dataclasses import replace

import pytest
from PIL import Image

from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine
from agents.run_folder.configuration import FILE_NAME
from benchmarks.evaluation import evaluate as command
from benchmarks.evaluation.config import EvalConfig
from benchmarks.evaluation.evaluate import evaluate
from benchmarks.evaluation.plan import planned
from benchmarks.evaluation.policies import LEARNED_ZOOM, NO_ZOOM
from benchmarks.evaluation.records import ROWS, read_evaluation
from benchmarks.evaluation.tables import accuracy_table
from pixel_env.cli import main
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError, TaskError
from tests.benchmarks.view.runs import HOSTILE

CHAT = PlainChat(dialect_named("tiny"))


def answers_a(conversation):
    return "<answer>A"


@pytest.fixture
def scripted(monkeypatch):
    """The command with the scripted engine."""
    monkeypatch.setattr(command, "engine_of", lambda plan: (ScriptedEngine(answers_a, CHAT), CHAT))


@pytest.fixture
def nothing_plays(monkeypatch):
    monkeypatch.setattr(command, "rollout", lambda *rest, **options: pytest.fail("played"))


def row(question, **more):
    return {"question": question, "image": "red.png", "options": ["red", "green", "blue"], "answer": "red", **more}


def write_tasks(path, rows):
    path.write_text("".join(f"{json.dumps(one)}\n" for one in rows), encoding="utf-8")


@pytest.fixture
def own_tasks(tmp_path):
    """Four questions without ids, so that each is named by its line; one right answer is a letter."""
    Image.new("RGB", (448, 448), "red").save(tmp_path / "red.png")
    rows = [row("Which?"), row("What?", answer="A"), row(HOSTILE, options=["red", HOSTILE]), row("Why?")]
    write_tasks(tmp_path / "tasks.jsonl", rows)
    return tmp_path / "tasks.jsonl"


def evaluation_of(own_tasks, *more):
    shared = [
        "eval",
        "--model",
        "none",
        "--dialect",
        "tiny",
        "--tasks",
        str(own_tasks),
        "--max_turns",
        "2",
        "--policies",
        LEARNED_ZOOM,
    ]
    return main([*shared, "--output_dir", str(own_tasks.parent / "run"), *more])


def insert_a_line(own_tasks):
    rows = [json.loads(line) for line in own_tasks.read_text(encoding="utf-8").splitlines()]
    write_tasks(own_tasks, [row("Since when?"), *rows])


def refused(capsys, code, *told):
    error = capsys.readouterr().err
    assert code == 2 and "Traceback" not in error
    for text in told:
        assert text in error


# ------------------------------------------------------------------------------------------------- the task set


def test_a_set_that_did_not_change_is_gone_on_with_whatever_its_texts_and_options_are(own_tasks, scripted, capsys):
    assert evaluation_of(own_tasks) == 0
    before = (own_tasks.parent / "run" / ROWS).read_bytes()
    assert evaluation_of(own_tasks, "--lmms_samples") == 0
    assert (own_tasks.parent / "run" / ROWS).read_bytes() == before
    assert len(read_evaluation(own_tasks.parent / "run").records) == 4


def test_rows_of_other_questions_stop_an_evaluation_before_it_plays(own_tasks, scripted, monkeypatch, capsys):
    assert evaluation_of(own_tasks) == 0
    insert_a_line(own_tasks)
    before = (own_tasks.parent / "run" / ROWS).read_bytes()
    monkeypatch.setattr(command, "rollout", lambda *rest, **options: pytest.fail("played"))
    code = evaluation_of(own_tasks)
    first = json.loads(before.splitlines()[0])  # rows stand in the order in which their episodes ended
    number = int(first["task_id"].removeprefix("tasks:"))
    now = json.loads(own_tasks.read_text(encoding="utf-8").splitlines()[number - 1])["question"]
    both = [repr(question)[:20] for question in (first["question"], now)]
    refused(capsys, code, repr(first["task_id"]), *both, "Restore the task set", "another output_dir")
    assert (own_tasks.parent / "run" / ROWS).read_bytes() == before


def test_rows_of_another_right_answer_are_not_read(own_tasks, scripted, capsys):
    assert evaluation_of(own_tasks) == 0
    rows = [json.loads(line) for line in own_tasks.read_text(encoding="utf-8").splitlines()]
    write_tasks(own_tasks, [{**rows[0], "answer": "blue"}, *rows[1:]])
    with pytest.raises(TaskError, match=r"'tasks:1'.*\['red'\].*\['blue'\].*Restore the task set"):
        read_evaluation(own_tasks.parent / "run")


def test_a_question_that_has_left_the_set_stops_an_evaluation_before_it_plays(own_tasks, scripted, monkeypatch, capsys):
    assert evaluation_of(own_tasks) == 0
    rows = [json.loads(line) for line in own_tasks.read_text(encoding="utf-8").splitlines()]
    write_tasks(own_tasks, rows[:3])
    monkeypatch.setattr(command, "rollout", lambda *rest, **options: pytest.fail("played"))
    refused(capsys, evaluation_of(own_tasks), "no longer has", "'tasks:4'")


def test_shards_of_a_set_that_was_changed_are_not_taken_over(own_tasks, scripted, monkeypatch, capsys):
    assert evaluation_of(own_tasks, "--shard", "1/2") == 0
    insert_a_line(own_tasks)
    monkeypatch.setattr(command, "rollout", lambda *rest, **options: pytest.fail("played"))
    refused(capsys, evaluation_of(own_tasks), "shard-1-of-2", "Restore the task set")
    assert not (own_tasks.parent / "run" / ROWS).exists()


# ----------------------------------------------------------------------------------------------------- shards


@pytest.mark.parametrize("flag", ["--strict", "--lmms_samples", "--ablate"])
def test_what_a_run_may_change_the_command_that_merges_may_too(own_tasks, scripted, flag, capsys):
    for number in (1, 2):
        assert evaluation_of(own_tasks, "--shard", f"{number}/2") == 0
    assert evaluation_of(own_tasks, flag) == 0


def test_a_wrong_try_to_merge_leaves_the_folder_to_the_right_one(own_tasks, scripted, capsys):
    for number in (1, 2):
        assert evaluation_of(own_tasks, "--shard", f"{number}/2") == 0
    refused(
        capsys,
        evaluation_of(own_tasks, "--max_batch", "8"),
        "shard-1-of-2",
        "max_batch",
        "flags that the shards were made",
    )
    assert evaluation_of(own_tasks) == 0


def test_a_model_that_cannot_be_had_leaves_the_folder_to_one_that_can(own_tasks, monkeypatch, capsys):
    def unknown(plan):
        raise ConfigError("no such model")

    monkeypatch.setattr(command, "engine_of", unknown)
    refused(capsys, evaluation_of(own_tasks, "--model", "mistyped"), "no such model")
    monkeypatch.setattr(command, "engine_of", lambda plan: (ScriptedEngine(answers_a, CHAT), CHAT))
    assert evaluation_of(own_tasks) == 0


# ------------------------------------------------------------------------------------------------------ flags


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--policies"], "--samples"),
        (["--max_turns", "0"], "--max_turns: got '0'; wanted: a whole number, at least 1"),
        (["--max_images", "0"], "--max_images: got '0'; wanted: a whole number, at least 1"),
        (["--max_tokens", "0"], "--max_tokens: got '0'; wanted: a whole number, at least 1"),
        (["--samples", "-1"], "--samples: got '-1'; wanted: a whole number, at least 0"),
        (["--temperature", "-1"], "--temperature: got '-1'; wanted: a number, at least 0"),
        (["--temperature", "nan"], "--temperature: got 'nan'; wanted: a number, at least 0"),
        (["--max_turn_tokens", "0"], "--max_turn_tokens: got '0'; wanted: a whole number, at least 1"),
        (["--max_batch", "0"], "--max_batch: got '0'; wanted: a whole number, at least 1"),
        (["--seed", "-1"], "--seed: got '-1'; wanted: a whole number, at least 0"),
    ],
)
def test_a_flag_that_makes_no_sense_is_refused_before_anything_is_written(
    own_tasks, scripted, nothing_plays, words, told, capsys
):
    refused(capsys, evaluation_of(own_tasks, *words), told)
    assert not (own_tasks.parent / "run").exists()


def test_an_unknown_dtype_is_refused_with_the_known_ones(own_tasks, scripted, nothing_plays, capsys):
    refused(capsys, evaluation_of(own_tasks, "--dtype", "float33"), "float33", "bfloat16")


def test_a_player_that_needs_evidence_is_refused_a_set_that_has_none(own_tasks, capsys):
    code = evaluation_of(own_tasks, "--engine", "scripted", "--model", "oracle", "--ablate")
    refused(capsys, code, "none of the 4 questions", "evidence", "another --engine and --model")


@pytest.mark.parametrize(
    "words", [["--policies", NO_ZOOM, LEARNED_ZOOM], ["--policies", NO_ZOOM, "--samples", "1"], []]
)
def test_questions_without_evidence_are_refused_to_the_oracle_before_anything_is_written(
    own_tasks, nothing_plays, words, capsys
):
    rows = [json.loads(line) for line in own_tasks.read_text(encoding="utf-8").splitlines()]
    rows[0]["evidence"] = [{"image": 0, "box": [0.4, 0.4, 0.6, 0.6]}]
    write_tasks(own_tasks, rows)
    code = evaluation_of(own_tasks, "--engine", "scripted", "--model", "oracle", *words)
    told = "The oracle needs tasks with evidence: add 'evidence' to the rows, or use another --engine and --model."
    refused(capsys, code, "3 of 4 questions have no evidence (the first: 'tasks:2'). " + told)
    assert not (own_tasks.parent / "run").exists()


def test_the_oracle_needs_no_evidence_where_it_only_answers(own_tasks):
    assert evaluation_of(own_tasks, "--engine", "scripted", "--model", "oracle", "--policies", NO_ZOOM) == 0
    assert all(record.trajectory.reward == 1.0 for record in read_evaluation(own_tasks.parent / "run").records)


def test_policies_that_need_evidence_are_named_with_those_that_do_not(own_tasks, scripted, nothing_plays, capsys):
    refused(capsys, evaluation_of(own_tasks, "--policies", "wrong_zoom"), "wrong_zoom", "give --policies learned_zoom.")
    code = evaluation_of(own_tasks, "--policies", "oracle_zoom", "blank_crop")
    refused(capsys, code, "4 of 4 questions have no evidence", "oracle_zoom", "give --policies blank_crop.")


# ----------------------------------------------------------------------------------------------------- folders


def test_a_folder_that_cannot_be_written_is_said(own_tasks, scripted, capsys):
    (own_tasks.parent / "file").write_text("")
    code = evaluation_of(own_tasks, "--output_dir", str(own_tasks.parent / "file" / "run"))
    refused(capsys, code, "cannot be written", "Give another folder")


@pytest.mark.parametrize("text", ['{"tasks"', "[]", '"text"'])
@pytest.mark.parametrize("words", [["eval", "--output_dir"], ["view"], ["compare", "{run}"]])
def test_a_broken_configuration_is_named(own_tasks, scripted, nothing_plays, text, words, tmp_path, capsys):
    run = tmp_path / "run"
    run.mkdir()
    (run / FILE_NAME).write_text(text)
    line = {"version": 1, "policy": LEARNED_ZOOM, "task_id": "a", "sample": None, "reward": 1.0, "stop": "answered"}
    line |= {"question": "Which?", "answers": ["red"], "category": ""}
    (run / ROWS).write_text(f"{json.dumps(line)}\n")
    code = main([*(word.format(run=run) for word in words), str(run)])
    refused(capsys, code, f"{run / FILE_NAME} cannot be read", "another folder")


def test_a_run_of_another_kind_is_no_evaluation(tmp_path, capsys):
    (tmp_path / FILE_NAME).write_text('{"learning_rate": 0.1}')
    (tmp_path / ROWS).write_text("")
    refused(capsys, main(["view", str(tmp_path)]), str(tmp_path), "of another kind", "tasks")


def test_a_set_that_is_not_found_from_here_is_one_from_where_the_run_was_made(
    own_tasks, scripted, monkeypatch, tmp_path, capsys
):
    monkeypatch.chdir(tmp_path)
    assert evaluation_of(own_tasks, "--tasks", "tasks.jsonl") == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    code = main(["view", "../run"])
    refused(capsys, code, "no file or folder 'tasks.jsonl'", "in which pixel-env eval ran", str(tmp_path / "elsewhere"))


# ---------------------------------------------------------------------------------------------------- the table


def test_questions_without_a_category_are_not_all_where_others_have_one(own_tasks, tmp_path):
    config = EvalConfig(tasks=str(own_tasks), policies=(LEARNED_ZOOM,), output_dir=str(tmp_path))
    (tmp_path / FILE_NAME).write_text(json.dumps(config.__dict__))
    evaluation = evaluate(planned(config), ScriptedEngine(answers_a, CHAT), CHAT)
    assert [line.split()[0] for line in accuracy_table(evaluation).splitlines()[2:]] == ["all"]
    first, *others = evaluation.records
    named = replace(first, trajectory=replace(first.trajectory, task=replace(first.trajectory.task, category="colour")))
    table = accuracy_table(replace(evaluation, records=[named, *others]))
    assert [line.split()[0] for line in table.splitlines()[2:]] == ["colour", "-"]
