"""`pixel-env eval --ablate`: the model compared with itself under control crops."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine
from agents.run_folder.configuration import FILE_NAME
from benchmarks.evaluation import evaluate as command
from benchmarks.evaluation.config import EvalConfig
from benchmarks.evaluation.evaluate import engine_of, evaluate, main
from benchmarks.evaluation.operation_ablation import CONTROLS, TITLE, control_report, with_controls
from benchmarks.evaluation.plan import planned
from benchmarks.evaluation.policies import (
    BLANK_CROP,
    FALSIFIED,
    LEARNED_ZOOM,
    NO_ZOOM,
    ORACLE_ZOOM,
    POLICIES,
    RANDOM_CROP,
    RANDOM_ZOOM,
    WITHHELD_CROP,
)
from benchmarks.evaluation.records import ROWS, read_evaluation
from benchmarks.view.command import main as view
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError
from pixel_env.samples import DIGIT_ON_CARD, sample_set
from tests.benchmarks.evaluation.mortal_engine import Killed, MortalEngine

TINY = PlainChat(dialect_named("tiny"))
DEFAULT = PlainChat(dialect_named("default"))


def a_reader(chat):
    """Looks once where it may, and reads the answer off the crop: whether that shows the middle of `PixelSource`s."""

    def script(conversation):
        pictures = conversation.request.images
        if conversation.turn == 0 and not conversation.request.banned_ids & chat.call_opening_ids():
            return "<crop> 4 4 8 8"
        return "<answer>red" if len(pictures) == 2 and pictures[1].mean(axis=(0, 1))[0] > 200 else "<answer>blue"

    return script


@pytest.fixture
def own_tasks(tmp_path):
    """Twelve grey pictures, each with a red card where the reader looks; the first eight tell where it is."""
    picture = Image.new("RGB", (448, 448), (90, 90, 90))
    picture.paste((255, 0, 0), (112, 112, 224, 224))
    picture.save(tmp_path / "card.png")
    evidence = [{"image": 0, "box": [0.3, 0.3, 0.45, 0.45]}]
    rows = [
        {"id": f"q{n}", "question": "Which colour?", "image": "card.png", "answer": "red", "category": "ab"[n % 2]}
        | ({"evidence": evidence} if n < 8 else {})
        for n in range(12)
    ]
    path = tmp_path / "tasks.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


@pytest.fixture
def scripted(monkeypatch):
    """The command with the scripted engine."""
    monkeypatch.setattr(command, "engine_of", lambda plan: (ScriptedEngine(a_reader(TINY), TINY), TINY))


def arguments(own_tasks, *more):
    folder = own_tasks.parent / "run"
    return [
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
        *more,
    ]


def test_the_ablations_that_take_the_look_away_lose_and_the_oracle_does_not(own_tasks, scripted, capsys):
    assert main(arguments(own_tasks, "--ablate")) == 0
    out = capsys.readouterr().out
    report = out[out.index(TITLE) :]
    first = {}
    for line in report.splitlines()[3:]:
        cells = line.split()
        first.setdefault(" ".join(cells[:2]), cells[2:])
    for name in ("no zoom", "blank crop", "withheld crop"):
        assert first[name][:5] == ["all", "12", "1.000", "0.000", "-1.000"]
        assert first[name][-3:] == ["12", "0", "0.000488"]
    assert first["random crop"][4].startswith("-")
    assert first["oracle zoom"][:5] == ["all", "8", "1.000", "1.000", "+0.000"]
    assert "4 of 12 questions have no evidence" in report
    assert "executes operations in 12 of 12 episodes. They help: " in report and "-1.000 with blank crop" in report
    assert report.count("blank crop  ") == 3  # all, and each category
    evaluation = read_evaluation(own_tasks.parent / "run")
    assert evaluation.policies == [*POLICIES, *FALSIFIED]
    assert len(evaluation.of(ORACLE_ZOOM)) == len(evaluation.of(RANDOM_ZOOM)) == 8


def test_without_ablate_a_task_without_evidence_is_an_error_as_ever(own_tasks, scripted):
    told = (
        r"4 of 12 questions have no evidence \(the first: 'q8'\).*random_zoom and oracle_zoom.*no_zoom learned_zoom\."
    )
    with pytest.raises(ConfigError, match=told):
        main(arguments(own_tasks))
    assert not (own_tasks.parent / "run").exists()


def test_a_set_without_any_evidence_has_no_oracle(own_tasks, scripted, capsys):
    rows = [json.loads(line) for line in own_tasks.read_text().splitlines()][8:]
    own_tasks.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    main(arguments(own_tasks, "--ablate"))
    out = capsys.readouterr().out
    assert "oracle zoom" not in out and "4 of 4 questions have no evidence" in out and "nan" not in out


@pytest.mark.parametrize("name", FALSIFIED)
def test_an_ablation_may_be_played_alone(own_tasks, scripted, capsys, name):
    main(arguments(own_tasks, "--policies", name))
    out = capsys.readouterr().out
    assert TITLE not in out and name.replace("_", " ") in out
    evaluation = read_evaluation(own_tasks.parent / "run")
    assert evaluation.policies == [name] and len(evaluation.of(name)) == 12


@pytest.mark.parametrize("polls", [20, 45, 90])
def test_a_cut_run_goes_on_and_ends_as_the_uncut_one(own_tasks, tmp_path, polls):
    def play(folder, engine=None):
        config = EvalConfig(tasks=str(own_tasks), max_turns=2, ablate=True, output_dir=str(folder))
        folder.mkdir(exist_ok=True)
        (folder / FILE_NAME).write_text(json.dumps(config.__dict__))
        evaluation = evaluate(planned(config), engine or ScriptedEngine(a_reader(TINY), TINY), TINY)
        return evaluation, (folder / ROWS).read_text().splitlines()

    with pytest.raises(Killed):
        play(tmp_path / "cut", MortalEngine(a_reader(TINY), TINY, polls))
    before = (tmp_path / "cut" / ROWS).read_text().splitlines()
    (resumed, rows), (whole, uncut) = play(tmp_path / "cut"), play(tmp_path / "whole")
    assert rows[: len(before)] == before and sorted(rows) == sorted(uncut)
    assert resumed.records == whole.records and resumed.policies == whole.policies
    assert control_report(resumed, seed=0) == control_report(whole, seed=0)


def test_the_shards_together_are_the_whole_run(own_tasks, scripted, monkeypatch, capsys):
    for number in (1, 2):
        main(arguments(own_tasks, "--ablate", "--shard", f"{number}/2"))
    monkeypatch.setattr(command, "rollout", lambda tasks, *rest, **options: pytest.fail("played") if tasks else [])
    capsys.readouterr()
    main(arguments(own_tasks, "--ablate"))
    out = capsys.readouterr().out
    assert "executes operations in 12 of 12" in out
    policies = [*POLICIES, *FALSIFIED]
    assert read_evaluation(own_tasks.parent / "run").policies == policies


def test_where_nobody_can_ban_calls_the_ablation_is_left_out_with_a_word(own_tasks, scripted, monkeypatch, capsys):
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    config = arguments(own_tasks, "--ablate", "--engine", "endpoint", "--base_url", "http://localhost:1/v1")
    main(config)
    out = capsys.readouterr().out
    assert "no zoom is left out" in out and ":notool" in out
    assert NO_ZOOM not in read_evaluation(own_tasks.parent / "run").policies


def test_an_endpoint_is_refused_no_zoom_by_name_and_not_for_ablate(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    config = EvalConfig(dialect="tiny", engine="endpoint", base_url="http://localhost:1/v1", ablate=True)
    assert engine_of(planned(config))
    with pytest.raises(ConfigError, match="cannot ban tokens"):
        planned(replace(config, ablate=False))


def test_a_tokenizer_that_opens_calls_with_several_tokens_has_no_such_ablation():
    class Wordy(PlainChat):
        def call_opening_ids(self):
            raise ConfigError("3 tokens")

    wordy = Wordy(dialect_named("tiny"))
    assert with_controls((), TINY, can_ban=True) == (LEARNED_ZOOM, *CONTROLS)
    assert NO_ZOOM not in with_controls((NO_ZOOM,), wordy, can_ban=True)
    assert with_controls((ORACLE_ZOOM, BLANK_CROP), TINY, can_ban=False) == (
        ORACLE_ZOOM,
        BLANK_CROP,
        LEARNED_ZOOM,
        RANDOM_CROP,
        WITHHELD_CROP,
    )


def test_a_model_that_never_looks_is_not_said_to_see_without_looking(own_tasks, monkeypatch, capsys):
    blind = ScriptedEngine(lambda conversation: "<answer>red", TINY)
    monkeypatch.setattr(command, "engine_of", lambda plan: (blind, TINY))
    main(arguments(own_tasks, "--ablate"))
    assert "The model executed no operation" in capsys.readouterr().out


def test_a_model_that_looks_in_vain_is_told_so(own_tasks, monkeypatch, capsys):
    def in_vain(conversation):
        may_call = not conversation.request.banned_ids & TINY.call_opening_ids()
        return "<crop> 4 4 8 8" if conversation.turn == 0 and may_call else "<answer>red"

    monkeypatch.setattr(command, "engine_of", lambda plan: (ScriptedEngine(in_vain, TINY), TINY))
    main(arguments(own_tasks, "--ablate"))
    assert "executes operations in 12 of 12 episodes. There is no evidence that they help" in capsys.readouterr().out


def test_a_fall_that_may_be_chance_is_not_said_to_show_anything(own_tasks, monkeypatch, capsys):
    """Of twelve questions one is lost to a blank: the interval of the difference ends at 0."""
    greys = []

    def forgets_once(conversation):
        pictures = conversation.request.images
        if conversation.turn == 0 and not conversation.request.banned_ids & TINY.call_opening_ids():
            return "<crop> 4 4 8 8"
        if len(pictures) == 2 and set(np.unique(pictures[1])) == {128}:
            greys.append(conversation)
        return "<answer>blue" if len(greys) == 1 and greys[0] is conversation else "<answer>red"

    monkeypatch.setattr(command, "engine_of", lambda plan: (ScriptedEngine(forgets_once, TINY), TINY))
    main(arguments(own_tasks, "--ablate"))
    out = capsys.readouterr().out
    [blank] = [line for line in out.splitlines() if line.startswith("blank crop") and " all " in line]
    assert "-0.083" in blank and len(greys) == 12
    assert "executes operations in 12 of 12 episodes. There is no evidence that they help" in out


def test_videos_are_ablated_by_frames(monkeypatch, capsys, tmp_path):
    def selects(conversation):
        call = '<tool_call>{"name": "select_frames", "arguments": {"target_frames": [3, 9]}}</tool_call>'
        may_call = not conversation.request.banned_ids & DEFAULT.call_opening_ids()
        return call if conversation.turn == 0 and may_call else "\\boxed{A}"

    monkeypatch.setattr(command, "engine_of", lambda plan: (ScriptedEngine(selects, DEFAULT), DEFAULT))
    words = ["--model", "none", "--tasks", "sample:mvbench", "--task_count", "5", "--dialect", "default", "--ablate"]
    assert main([*words, "--output_dir", str(tmp_path / "run")]) == 0
    assert "executes operations in 5 of 5 episodes" in capsys.readouterr().out
    evaluation = read_evaluation(tmp_path / "run")
    for name, count in ((BLANK_CROP, 2), (RANDOM_CROP, 2), (WITHHELD_CROP, 0), (NO_ZOOM, 0)):
        for trajectory in evaluation.of(name):
            views = [view for turn in trajectory.turns for view in turn.views]
            assert len(views) == count
            assert all(view.source.key.startswith("blank:") == (name == BLANK_CROP) for view in views)
    for trajectory in evaluation.of(ORACLE_ZOOM):
        wanted = {trajectory.task.sources[evidence.image].key for evidence in trajectory.task.evidence}
        assert wanted == {view.source.key for view in trajectory.turns[0].views}
    assert view([str(tmp_path / "run")]) == 0
    page = (tmp_path / "run" / "view.html").read_text()
    data = json.loads(page.partition('id="data">')[2].partition("</script>")[0])
    shown = {
        (row["policy"], look["source"]) for row in data["trajectories"] for t in row["turns"] for look in t["looks"]
    }
    assert {source for policy, source in shown if policy == BLANK_CROP} == {2, 8}  # where it looked
    assert {source for policy, source in shown if policy == RANDOM_CROP} - {2, 8}  # what it was shown


def test_the_tiny_model_loses_without_its_looks_and_not_with_an_oracles(tmp_path):
    config = EvalConfig(policies=(LEARNED_ZOOM,), ablate=True, max_turns=2, max_turn_tokens=8, output_dir=str(tmp_path))
    (tmp_path / FILE_NAME).write_text(json.dumps(config.__dict__))
    questions = sample_set("vstar-tiny", count=24, kinds=[DIGIT_ON_CARD])
    plan = replace(planned(config), task_set=questions)
    evaluation = evaluate(plan, *engine_of(plan))
    right = {name: sum(trajectory.reward for trajectory in evaluation.of(name)) for name in evaluation.policies}
    assert max(right[name] for name in (NO_ZOOM, *FALSIFIED)) <= right[LEARNED_ZOOM] - 8
    assert right[ORACLE_ZOOM] >= right[LEARNED_ZOOM] - 1
    assert "executes operations in 24 of 24 episodes. They help: " in control_report(evaluation, seed=0)
