"""`pixel-env eval --protocol`: every protocol plays, contradictions are refused, and several stand side by side."""

import json
import re
from dataclasses import replace

import pytest

from agents.chat.plain import PlainChat
from agents.engines.protocol import Truncation
from agents.engines.scripted import ScriptedEngine
from agents.rollout import Rollout, Sampling
from benchmarks.evaluation.config import EvalConfig
from benchmarks.evaluation.evaluate import evaluate, main
from benchmarks.evaluation.plan import planned
from benchmarks.evaluation.published import benchmark_of, notes_on
from benchmarks.evaluation.records import ROWS, read_evaluation
from benchmarks.evaluation.retries import play_with_retries
from benchmarks.evaluation.side_by_side import side_by_side
from benchmarks.protocols.protocol import Retries
from benchmarks.protocols.table import PROTOCOLS
from pixel_env.dialects.prompt_files import prompt_hash
from pixel_env.dialects.table import DIALECTS, PEERS
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.samples import SAMPLE_SETS
from pixel_env.store import read
from pixel_env.task import TaskSet
from pixel_env.testing import tiny_task
from pixel_env.types import Prompt, Stop, Trajectory

ORACLE = ["--engine", "scripted", "--model", "oracle"]
SETS = [f"sample:{name}" for name in SAMPLE_SETS]


def played(folder, *flags, limit=2):
    assert main([*ORACLE, "--output_dir", str(folder), "--limit", str(limit), *flags]) == 0


def trajectories(folder):
    return [record.trajectory for record in read_evaluation(folder).records]


def configuration(folder):
    return json.loads((folder / "configuration.json").read_text())


# ------------------------------------------------------------------------------------------------ every protocol plays


@pytest.mark.parametrize("tasks", SETS)
@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_scripted_agent_in_the_language_of_a_protocol_gets_the_oracles_score(name, tasks, tmp_path):
    played(tmp_path, "--protocol", name, "--tasks", tasks)
    episodes = trajectories(tmp_path)
    assert len(episodes) == 2 * PROTOCOLS[name].samples
    assert all(one.reward == 1.0 and one.error is None for one in episodes)
    assert not any(turn.failure for one in episodes for turn in one.turns)


@pytest.mark.parametrize("name", PEERS)
def test_a_scripted_agent_looks_with_what_its_row_offers(name, tmp_path):
    is_of_videos = not {"crop_image", "point_zoom", "resize"} & set(PEERS[name].dialect.operations)
    tasks = "sample:mvbench" if is_of_videos else "sample:vstar"
    played(tmp_path, "--dialect", name, "--tasks", tasks, "--policies", "learned_zoom")
    first = [one.turns[0].action for one in trajectories(tmp_path)]
    assert all(getattr(action, "name", None) in PEERS[name].dialect.operations for action in first)


def test_a_run_records_its_protocol_as_data_and_plays_its_limits_sampling_and_dialect(tmp_path):
    played(tmp_path, "--protocol", "sensenova-mars", "--tasks", "sample:vstar")
    recorded = configuration(tmp_path)
    assert recorded["protocol"] == "sensenova-mars" and recorded["protocol_values"]["limits"]["max_turns"] == 50
    assert (recorded["dialect"], recorded["max_turns"], recorded["temperature"]) == ("sensenova-mars", 50, 0.7)
    plan = planned(EvalConfig(engine="scripted", model="oracle", protocol="sensenova-mars", tasks="sample:vstar"))
    assert plan.sampled == Sampling(0.7, 4096, truncation=Truncation(0.8, 20, 1.5))


def test_the_common_protocol_is_the_models_own_dialect_with_our_pixels_and_notool_offers_nothing(tmp_path):
    tasks = tmp_path / "mine.jsonl"
    tasks.write_text('{"question": "2 + 2?", "answer": "4"}\n')
    flags = {"engine": "scripted", "model": "oracle", "dialect": "mini-o3", "tasks": str(tasks)}
    config = EvalConfig(protocol="common", policies=("learned_zoom",), **flags)
    with pytest.raises(ConfigError, match="no evidence"):
        planned(config)  # the oracle needs evidence, with tools
    tasks = "sample:vstar"
    plans = [planned(EvalConfig(protocol=one, **flags | {"tasks": tasks})) for one in ("common", "notool")]
    assert [plan.settings.dialect.offers_calls for plan in plans] == [True, False]
    own, ours = DIALECTS["qwen3-vl-zoom"].budgets, DIALECTS["default"].budgets
    plan = planned(EvalConfig(protocol="common", **flags | {"tasks": tasks, "dialect": "qwen3-vl-zoom"}))
    budget = plan.settings.dialect.budgets.original
    assert (budget.max_pixels, budget.factor) == (ours.original.max_pixels, own.original.factor)


# --------------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--max_turns", "3"], "--max_turns is 3, but the protocol 'mini-o3' has 12"),
        (["--dialect", "released"], "--dialect is released, but the protocol 'mini-o3' has mini-o3"),
        (["--samples", "4"], "--samples is 4, but the protocol 'mini-o3' has 32"),
        (["--temperature", "0.5"], "--temperature is 0.5, but the protocol 'mini-o3' has 1.0"),
        (["--ablate"], "--ablate adds crops"),
    ],
)
def test_a_flag_that_contradicts_the_protocol_is_refused_and_names_both(flags, message, tmp_path):
    with pytest.raises(ConfigError, match=re.escape(message)):
        played(tmp_path, "--protocol", "mini-o3", *flags)


def test_an_unknown_protocol_and_a_wrong_text_are_refused_by_name(tmp_path):
    with pytest.raises((ConfigError, UnknownNameError), match="mini-o3"):
        played(tmp_path, "--protocol", "mini-o4")
    (tmp_path / "wrong.txt").write_text("You are a helpful assistant.")
    with pytest.raises(ConfigError, match=r"mini-o3's system text has sha256 1f02.*TOOL_CROP_SYSTEM_PROMPT"):
        played(tmp_path, "--protocol", "mini-o3", "--system_file", str(tmp_path / "wrong.txt"))


# ------------------------------------------------------------------------------------------------------- given texts


def test_a_system_text_of_a_file_stands_alone_and_its_hash_is_recorded(tmp_path):
    (tmp_path / "system.txt").write_text("You {zoom}.")
    played(tmp_path / "run", "--dialect", "default", "--tasks", "sample:vstar", "--system_file",
           str(tmp_path / "system.txt"), "--policies", "learned_zoom")  # fmt: skip
    assert {one.prompt.system for one in trajectories(tmp_path / "run")} == {"You {zoom}."}
    assert configuration(tmp_path / "run")["system_sha256"] == prompt_hash("You {zoom}.")


def test_a_question_text_is_put_where_the_project_puts_it(tmp_path):
    text = "<image>\nLook {closely}.\n"
    text_file, protocol = tmp_path / "question.txt", tmp_path / "mine.yaml"
    text_file.write_text(text)
    protocol.write_text(
        f"base: visionthink\ntexts: {{question: {{sha256: {prompt_hash(text)}, file: a, extract: b, "
        "placed: '{text}{question}', slots: {<image>: '{images}'}}}\n"
    )
    flags = {"engine": "scripted", "model": "oracle", "tasks": "sample:vstar", "task_count": 1}
    plan = planned(EvalConfig(protocol=str(protocol), prompt_file=str(text_file), **flags))
    assert plan.settings.dialect.wording.question == "{images}\nLook {{closely}}.\n{question}"
    assert not any("question text" in note for note in notes_on(plan, None))


def test_a_projects_question_text_is_put_in_its_place_by_other_protocols_too(tmp_path, monkeypatch):
    text, file = "\nThink {first}.", tmp_path / "question.txt"
    file.write_text(text + "\n")
    known = replace(PROTOCOLS["adaptive-cof"].texts["question"], sha256=prompt_hash(text))
    monkeypatch.setitem(PROTOCOLS, "adaptive-cof", replace(PROTOCOLS["adaptive-cof"], texts={"question": known}))
    flags = {"engine": "scripted", "model": "oracle", "tasks": "sample:vstar", "prompt_file": str(file)}
    for name in ("adaptive-cof", "common"):
        plan = planned(EvalConfig(protocol=name, dialect="adaptive-cof", **flags))
        assert plan.settings.dialect.wording.question == "Question: {question}\nThink {{first}}."


def test_a_given_text_is_played_by_the_common_protocol_too_and_not_without_tools(tmp_path):
    (tmp_path / "system.txt").write_text("Zoom with the tool.")
    flags = {
        "engine": "scripted",
        "model": "oracle",
        "tasks": "sample:vstar",
        "system_file": str(tmp_path / "system.txt"),
    }
    plans = [planned(EvalConfig(protocol=one, dialect="mini-o3", **flags)) for one in ("common", "notool")]
    assert [plan.settings.dialect.system for plan in plans] == ["Zoom with the tool.", DIALECTS["mini-o3"].system]
    assert not plans[1].settings.dialect.shows_tools


# ------------------------------------------------------------------------------------------- retries, and the report


def test_an_episode_without_an_answer_is_repeated_and_the_last_attempt_counts(tmp_path):
    protocol = tmp_path / "mine.yaml"
    protocol.write_text("base: common\nlimits: {max_turns: 1}\nretries: {count: 2, temperature: 1.0}\n")
    config = EvalConfig(
        engine="scripted", model="oracle", dialect="default", tasks="sample:vstar", task_count=2,
        protocol=str(protocol), output_dir=str(tmp_path / "run"),
    )  # fmt: skip
    plan = planned(config)
    plan = replace(plan, engine=replace(plan.engine, engine="transformers"))
    chat, seen = PlainChat(plan.settings.dialect), []

    def answers_at_the_third_time(conversation):
        seen.append(conversation.request.temperature)
        return r"\boxed{A}" if len(seen) > 4 else "I cannot tell."

    records = evaluate(plan, ScriptedEngine(answers_at_the_third_time, chat), chat).records
    assert seen == [0.0, 0.0, 1.0, 1.0, 1.0, 1.0]
    assert [record.repeated for record in records] == [2, 2] and all(r.trajectory.answer == "A" for r in records)
    assert [row["repeated"] for row in read(tmp_path / "run" / ROWS)] == [2, 2]


def test_repeated_attempts_are_sampled_with_other_seeds_that_depend_on_the_first():
    seeds = []

    def play(tasks, sampling, seed, on_finish):
        seeds.append(seed)
        for index, task in enumerate(tasks):
            on_finish(unanswered(task, index))

    for _ in range(2):
        play_with_retries(play, [tiny_task()], Sampling(0.5), 7, Retries(2), lambda *kept: None)
    assert seeds[:3] == seeds[3:] and len(set(seeds[:3])) == 3


def unanswered(task, index):
    return Rollout(Trajectory(task, Prompt("", ""), (), stop=Stop.TURNS), (), (), (), (), index)


def test_an_interrupted_run_of_a_protocol_resumes_and_another_protocol_in_its_folder_is_refused(tmp_path, capsys):
    played(tmp_path, "--protocol", "vigorl", "--tasks", "sample:vstar")
    rows = (tmp_path / ROWS).read_bytes()
    (tmp_path / ROWS).write_bytes(rows[: rows.index(b"\n") + 1])
    played(tmp_path, "--protocol", "vigorl", "--tasks", "sample:vstar")
    assert sorted((tmp_path / ROWS).read_bytes().splitlines()) == sorted(rows.splitlines())
    with pytest.raises(ConfigError, match=r"protocol \(was 'vigorl', is 'mini-o3'\)"):
        played(tmp_path, "--protocol", "mini-o3", "--tasks", "sample:vstar")


def test_several_protocols_are_played_in_folders_of_their_own_and_paired(tmp_path, capsys):
    names = ["adaptive-cof", "common", "notool"]
    played(tmp_path, "--protocol", ",".join(names), "--dialect", "adaptive-cof", "--tasks", "sample:vstar")
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == sorted(names)
    out = capsys.readouterr().out
    report = out[out.index("protocol  ") :]
    rows = [line.split() for line in report.splitlines()[2:5]]
    assert [row[0] for row in rows] == names and rows[2][1] == "adaptive-cof:notool"
    assert all(row[-2:] == ["[+0.000,", "+0.000]"] for row in rows[1:])
    assert rows[0][7:9] == ["0", "-"] and "benchmark itself alone" in report and "avg@1" not in report


def test_a_protocol_that_is_named_twice_is_played_once(tmp_path):
    played(tmp_path, "--protocol", "common,common", "--tasks", "sample:vstar")
    assert configuration(tmp_path)["protocol"] == "common"


def test_two_protocols_that_would_share_a_folder_are_refused_before_one_is_played(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my").mkdir()
    for name in ("my/own.yaml", "my_own.yaml"):
        (tmp_path / name).write_text("base: common\n")
    message = "--protocol has 'my/own.yaml' and 'my_own.yaml', which would share the folder run/my_own.yaml"
    with pytest.raises(ConfigError, match=re.escape(message)):
        played("run", "--protocol", "my/own.yaml,my_own.yaml")
    assert not (tmp_path / "run").exists()
    played("run", "--protocol", "my_own.yaml,./my_own.yaml", "--tasks", "sample:vstar")
    assert configuration(tmp_path / "run")["protocol"] == "my_own.yaml"


def test_a_published_number_stands_beside_ours_on_the_whole_benchmark_alone(tmp_path):
    config = EvalConfig(engine="scripted", model="oracle", protocol="adaptive-cof", tasks="sample:vstar", task_count=2,
                        output_dir=str(tmp_path))  # fmt: skip
    plan = planned(config)
    chat = PlainChat(plan.settings.dialect)
    evaluate(plan, ScriptedEngine(lambda _: "", chat), chat)
    whole = TaskSet("vstar", [tiny_task(task_id=str(number)) for number in range(191)])
    assert benchmark_of("data/vstar", whole) == "V*"
    assert benchmark_of("data/vstar", replace(whole, tasks=whole.tasks[:100])) is None
    assert benchmark_of("sample:vstar", replace(whole, name="sample:vstar")) is None
    assert benchmark_of("data/mine", replace(whole, name="mine")) is None
    report = side_by_side([plan, plan], "sample:vstar")
    assert "benchmark itself alone" in report and "avg@1" not in report
    notes = "\n".join(notes_on(plan, "V*"))
    assert "V*: 88 % avg@1" in notes and "Mini-o3/Mini-o3@8654dbf README.md:209" in notes
    assert "the system text is in our words (theirs: sha256 7741881df5c8" in notes
    assert "graded by our graders; theirs: the judge Qwen2.5-VL-72B" in notes
    plan = replace(plan, task_set=replace(whole, name="vstar"))
    assert "the pixel budgets are those of the task set" not in "\n".join(notes_on(plan, "V*"))
