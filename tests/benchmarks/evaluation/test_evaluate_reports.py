"""What an evaluation prints, keeps and writes beside its trajectories."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine
from agents.run_folder.configuration import FILE_NAME
from benchmarks.evaluation import evaluate as command
from benchmarks.evaluation.config import EvalConfig
from benchmarks.evaluation.evaluate import evaluate, main
from benchmarks.evaluation.pass_at_k import pass_at_k
from benchmarks.evaluation.plan import planned
from benchmarks.evaluation.policies import LEARNED_ZOOM
from benchmarks.evaluation.provenance import provenance_of, revision_of
from benchmarks.evaluation.records import ROWS, read_evaluation, seconds_per_answer, timed
from benchmarks.evaluation.result_files import METRICS
from benchmarks.evaluation.tables import position_table, summary_table
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError, TaskError
from pixel_env.tasks import BadRowsWarning

CHAT = PlainChat(dialect_named("tiny"))


def an_answer(conversation):
    """Calls once, wrongly every other time, and answers (A)."""
    if conversation.turn == 0:
        return "<crop> 6 6 10 10" if conversation.request.seed % 2 else "<crop> 9 9"
    return "<answer>A" if conversation.request.temperature == 0 or conversation.request.seed % 3 else "<answer>B"


@pytest.fixture
def own_tasks(tmp_path):
    """Eight questions with three options, the right one always first."""
    Image.new("RGB", (448, 448), "red").save(tmp_path / "red.png")
    rows = [
        {"id": f"q{n}", "question": "Which?", "image": "red.png", "options": ["red", "green", "blue"], "answer": "red"}
        for n in range(8)
    ]
    path = tmp_path / "tasks.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


@pytest.fixture
def scripted(monkeypatch):
    """The command with the scripted engine."""
    monkeypatch.setattr(command, "engine_of", lambda plan: (ScriptedEngine(an_answer, CHAT), CHAT))


def arguments(own_tasks, *more):
    folder = own_tasks.parent / "run"
    shared = [
        "--model",
        "none",
        "--dialect",
        "tiny",
        "--tasks",
        str(own_tasks),
        "--max_turns",
        "2",
        "--output_dir",
        str(folder),
    ]
    return [*shared, "--policies", LEARNED_ZOOM, "--samples", "2", *more]


def rows_in(folder):
    return (folder / ROWS).read_text(encoding="utf-8").splitlines()


def cells(out, head):
    """The cells of the rows below the line that starts with `head`."""
    lines = out.splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith(head) and "---" in lines[place + 1])
    below = lines[start + 2 :]
    return [line.split() for line in below[: below.index("") if "" in below else 2]], lines[start]


def test_the_summary_has_both_averages_and_what_answers_cost(own_tasks, scripted, capsys):
    assert main(arguments(own_tasks)) == 0
    out = capsys.readouterr().out
    rows, head = cells(out, "policy")
    for name in ("accuracy 95%", "pass@k", "RaPR", "turns", "visual tokens", "s/answer", "failed calls"):
        assert name in head
    assert rows[0][:2] == ["learned", "zoom"] and rows[1][:2] == ["sampled,", "avg@2"]
    assert "2.00" in rows[0] and "(box_length" in rows[0]


def test_accuracy_is_told_by_the_position_of_the_right_answer(own_tasks, scripted, capsys):
    main(arguments(own_tasks))
    rows, head = cells(capsys.readouterr().out, "right answer at")
    assert head.split()[3:] == ["(A)", "(B)", "(C)"]
    first = rows[0][2:]
    assert first[0] == "1.000" and first[3] == "0.000"  # it always says A
    assert sum(int(cell) for cell in first[2::3]) == 8


def test_without_shuffling_the_right_answer_stays_where_the_file_has_it(own_tasks, scripted, capsys):
    main(arguments(own_tasks, "--no-shuffle_options"))
    out = capsys.readouterr().out
    assert "right answer at" in out and "(B)" not in out.split("right answer at")[1]


def test_questions_without_options_have_no_table_of_positions(tmp_path):
    config = EvalConfig(task_count=2, policies=(LEARNED_ZOOM,), max_turns=2, output_dir=str(tmp_path))
    (tmp_path / FILE_NAME).write_text(json.dumps(config.__dict__))
    evaluation = evaluate(planned(config), ScriptedEngine(an_answer, CHAT), CHAT)
    assert position_table(evaluation) is None
    assert "pass@k" not in summary_table(evaluation, {}) and " - " in summary_table(evaluation, {})


def test_pass_at_k_takes_the_best_of_each_question(own_tasks, scripted):
    main(arguments(own_tasks, "--samples", "4", "--no-shuffle_options"))
    sampled = read_evaluation(own_tasks.parent / "run").of(LEARNED_ZOOM, sampled=True)
    average = sum(t.reward for t in sampled) / len(sampled)
    assert pass_at_k(sampled, 1).value == pytest.approx(average)
    assert average < pass_at_k(sampled, 2).value < pass_at_k(sampled, 4).value <= 1.0


def test_both_scores_stand_side_by_side_and_a_finished_run_may_be_judged_again(
    own_tasks, scripted, capsys, monkeypatch
):
    monkeypatch.setattr(command, "load_math_verify", lambda: "math-verify")
    monkeypatch.setattr(command, "released_score", lambda trajectory, judge: float(judge == "math-verify"))
    main(arguments(own_tasks))
    before = rows_in(own_tasks.parent / "run")
    capsys.readouterr()
    main(arguments(own_tasks, "--scorer", "released"))
    rows, head = cells(capsys.readouterr().out, "policy")
    assert head.index("accuracy") < head.index("released judge")
    assert "1.000" in rows[0] and rows_in(own_tasks.parent / "run") == before


def test_the_run_keeps_what_its_results_rest_on_and_refuses_to_go_on_with_another(own_tasks, scripted, monkeypatch):
    main(arguments(own_tasks))
    kept = json.loads((own_tasks.parent / "run" / FILE_NAME).read_text())
    assert {"model", "revision", "weights", "dialect", "prompts", "pixel_budgets", "versions", "seed"} <= kept.keys()
    assert kept["versions"].keys() >= {"python", "pixel-env", "numpy"} and kept["prompts"]["question"]
    assert kept["pixel_budgets"]["crop"]["max_pixels"] > 0
    monkeypatch.setattr("benchmarks.evaluation.provenance.version", lambda name: "0")
    with pytest.raises(ConfigError, match="versions"):
        main(arguments(own_tasks))


def test_a_model_of_the_hub_is_kept_with_its_commit(tmp_path, monkeypatch):
    import huggingface_hub

    place = tmp_path / "models--o--m" / "snapshots" / "abc123" / "config.json"
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda model, name: str(place))
    assert revision_of("o/m") == "abc123"
    assert revision_of("tiny-zoom") is None
    dialect = dialect_named("tiny")
    assert provenance_of("o/m", "endpoint", dialect, dialect.budgets).revision is None


def test_the_shards_together_are_the_whole_run_and_nothing_is_played_again(own_tasks, scripted, tmp_path, monkeypatch):
    whole = replace_folder(arguments(own_tasks), tmp_path / "whole")
    main(whole)
    for number in (1, 2, 3):
        main(arguments(own_tasks, "--shard", f"{number}/3"))
    run = own_tasks.parent / "run"
    assert sorted(path.name for path in run.iterdir()) == [f"shard-{n}-of-3" for n in (1, 2, 3)]
    monkeypatch.setattr(command, "rollout", lambda tasks, *rest, **options: pytest.fail("played") if tasks else [])
    main(arguments(own_tasks))
    assert sorted(rows_in(run)) == sorted(rows_in(tmp_path / "whole"))


def replace_folder(words, folder):
    return [
        str(folder) if before == "--output_dir" else word for before, word in zip(["", *words], words, strict=False)
    ]


def test_a_shard_of_another_configuration_is_not_taken_over(own_tasks, scripted):
    main(arguments(own_tasks, "--shard", "1/2", "--seed", "1"))
    with pytest.raises(ConfigError, match=r"shard-1-of-2.*seed"):
        main(arguments(own_tasks))


def test_a_shard_without_questions_is_refused(own_tasks):
    with pytest.raises(ConfigError, match="9/9 has no questions: the set has 8"):
        main(arguments(own_tasks, "--shard", "9/9"))


def test_strict_stops_at_a_row_that_cannot_be_used(own_tasks):
    own_tasks.write_text(own_tasks.read_text() + "{}\n")
    config = EvalConfig(tasks=str(own_tasks), policies=("learned_zoom",))
    with pytest.warns(BadRowsWarning, match="line 9"):
        assert len(planned(config).task_set) == 8
    with pytest.raises(TaskError, match="line 9"):
        planned(replace(config, strict=True))


def test_the_samples_have_the_keys_of_lmms_eval(own_tasks, scripted, capsys):
    main(arguments(own_tasks, "--lmms_samples"))
    run = own_tasks.parent / "run"
    assert "samples_learned_zoom.jsonl" in capsys.readouterr().out
    greedy = [json.loads(line) for line in (run / "samples_learned_zoom.jsonl").read_text().splitlines()]
    sampled = [json.loads(line) for line in (run / "samples_sampled.jsonl").read_text().splitlines()]
    assert len(greedy) == len(sampled) == 8 and [row["doc_id"] for row in greedy] == list(range(8))
    expected = {"doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "score"}
    assert greedy[0].keys() == expected | {"doc_hash", "prompt_hash", "target_hash"}
    assert greedy[0]["filtered_resps"] == ["A"] and "<answer>A" in greedy[0]["resps"][0][0]
    assert len(sampled[0]["filtered_resps"]) == len(sampled[0]["resps"][0]) == 2
    assert greedy[0]["target"] == "red" and "red" in greedy[0]["arguments"][0]


def test_seconds_are_shared_by_the_answers_that_were_played_in_them(tmp_path):
    def clock_of(*ticks):
        left = list(ticks)
        return lambda: left.pop(0)

    with timed(tmp_path, "a", 4, clock=clock_of(10.0, 12.0)):
        pass
    with timed(tmp_path, "a", 1, clock=clock_of(0.0, 3.0)):
        pass
    with timed(tmp_path, "b", 0, clock=clock_of(0.0, 3.0)):
        pass
    with pytest.raises(KeyError), timed(tmp_path, "a", 9, clock=clock_of(0.0)):
        raise KeyError
    shard = tmp_path / "shard-1-of-2"
    shard.mkdir()
    with timed(shard, "a", 5, clock=clock_of(0.0, 5.0)):
        pass
    assert seconds_per_answer(tmp_path) == {"a": 1.0}
    assert seconds_per_answer(Path(tmp_path / "nowhere")) == {}


def test_the_same_samples_are_written_again(own_tasks, scripted):
    main(arguments(own_tasks, "--lmms_samples"))
    run = own_tasks.parent / "run"
    before = (run / "samples_learned_zoom.jsonl").read_bytes()
    main(arguments(own_tasks, "--lmms_samples"))
    assert (run / "samples_learned_zoom.jsonl").read_bytes() == before


def test_a_run_whose_questions_have_left_their_set_names_one(own_tasks, scripted):
    main(arguments(own_tasks))
    rows = own_tasks.read_text().splitlines()
    own_tasks.write_text("".join(f"{row}\n" for row in rows[:-1]))
    with pytest.raises(ConfigError, match=r"1 questions that .*tasks\.jsonl no longer has, the first: 'q7'"):
        read_evaluation(own_tasks.parent / "run")


def test_the_figures_for_programs_are_the_same_bytes_for_the_same_run_cut_or_not(own_tasks, scripted):
    main(arguments(own_tasks, "--ablate"))
    folder = own_tasks.parent / "run"
    whole = (folder / METRICS).read_bytes()
    sampled = json.loads(whole)["policies"]["sampled"]
    assert sampled["all"]["rollouts"] == 16 and sampled["all"]["accuracy"]["questions"] == 8
    assert 0 < sampled["all"]["accuracy"]["value"] < sampled["all"]["pass_at_k"]
    assert set(sampled["by_position_of_the_right_answer"]) <= {"1", "2", "3"}
    lines = rows_in(folder)
    (folder / ROWS).write_text("".join(f"{line}\n" for line in reversed(lines[3:])), encoding="utf-8")
    (folder / METRICS).unlink()
    main(arguments(own_tasks, "--ablate"))
    assert (folder / METRICS).read_bytes() == whole
