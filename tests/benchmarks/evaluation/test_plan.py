"""What an evaluation plays and records is settled before the model loads; files that are edited then change nothing."""

import json

import pytest
from PIL import Image

from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine
from benchmarks.evaluation import evaluate as command
from benchmarks.evaluation.config import EvalConfig
from benchmarks.evaluation.plan import planned
from benchmarks.evaluation.policies import LEARNED_ZOOM
from benchmarks.evaluation.records import ROWS, read_evaluation
from pixel_env.actions import tool_schemas
from pixel_env.cli import main
from pixel_env.dialects.prompt_files import prompt_hash
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError

CHAT = PlainChat(dialect_named("tiny"))
PLAYED, EDITED = "\n\nSay it in \\boxed{}.", "\n\nSay it loud in \\boxed{}."


@pytest.fixture
def files(tmp_path):
    """A prompt file and four questions."""
    (tmp_path / "prompt.txt").write_text(PLAYED, encoding="utf-8")
    Image.new("RGB", (448, 448), "red").save(tmp_path / "red.png")
    write_questions(tmp_path, "Which?")
    return tmp_path


def write_questions(folder, question):
    rows = [{"id": f"q{n}", "question": question, "image": "red.png", "answer": "red"} for n in range(4)]
    (folder / "tasks.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


def flags(files, *more):
    shared = [
        "--model",
        "none",
        "--dialect",
        "tiny",
        "--tasks",
        str(files / "tasks.jsonl"),
        "--policies",
        LEARNED_ZOOM,
        "--samples",
        "2",
    ]
    return [*shared, "--output_dir", str(files / "run"), "--prompt_file", str(files / "prompt.txt"), *more]


@pytest.fixture
def evaluated(monkeypatch):
    """Evaluates with a loader that runs `while_loading`; returns the prompts that the engine got."""

    def run(words, while_loading=lambda: None):
        prompts = []

        def load(plan):
            while_loading()
            script = ScriptedEngine(lambda conversation: prompts.append(conversation.text) or "<answer>red", CHAT)
            return script, CHAT

        monkeypatch.setattr(command, "engine_of", load)
        assert main(["eval", *words]) == 0
        return prompts

    return run


def test_a_prompt_file_that_is_edited_while_the_model_loads_is_played_and_recorded_as_it_was(files, evaluated):
    prompts = evaluated(flags(files), lambda: (files / "prompt.txt").write_text(EDITED))
    assert len(prompts) == 12 and all(PLAYED in text for text in prompts)
    kept = json.loads((files / "run" / "configuration.json").read_text())
    assert kept["prompt_sha256"] == prompt_hash(PLAYED) and "Say it in" in kept["prompts"]["question"]
    rows = [json.loads(line) for line in (files / "run" / ROWS).read_text().splitlines()]
    assert all(row["prompt"]["question"].endswith(PLAYED) for row in rows)
    with pytest.raises(ConfigError, match="prompt_sha256"):
        command.main(flags(files))
    (files / "prompt.txt").write_text(PLAYED)
    assert evaluated(flags(files)) == []  # the run resumes with the text that was played


def test_a_prompt_file_that_goes_away_while_the_model_loads_is_not_missed(files, evaluated):
    assert len(evaluated(flags(files), (files / "prompt.txt").unlink)) == 12


def test_questions_that_are_edited_while_the_model_loads_are_played_as_they_were(files, evaluated):
    prompts = evaluated(flags(files, "--lmms_samples"), lambda: write_questions(files, "Why?"))
    assert len(prompts) == 12 and all("Which?" in text for text in prompts)
    samples = (files / "run" / f"samples_{LEARNED_ZOOM}.jsonl").read_text()
    assert samples.count("Which?") > 0 and "Why?" not in samples
    write_questions(files, "Which?")
    assert len(read_evaluation(files / "run").records) == 12


def test_a_shard_merges_under_the_text_that_it_was_played_with(files, evaluated):
    for shard in ("1/2", "2/2"):
        evaluated(flags(files, "--shard", shard))
    (files / "prompt.txt").write_text(EDITED)
    with pytest.raises(ConfigError, match=r"shard-1-of-2.*prompt_sha256"):
        command.main(flags(files))
    (files / "prompt.txt").write_text(PLAYED)
    assert evaluated(flags(files), lambda: (files / "prompt.txt").write_text(EDITED)) == []


def test_what_cannot_be_played_is_refused_before_a_folder_is_made(files, monkeypatch):
    monkeypatch.setattr(command, "engine_of", lambda plan: pytest.fail("a model was loaded"))
    refused = [
        (["--engine", "vllm"], "--max_tokens"),
        (["--engine", "endpoint"], "--base_url"),
        (["--prompt_file", str(files / "none.txt")], "none.txt cannot be read"),
        (["--shard", "9/9"], "9/9 has no questions"),
    ]
    for words, told in refused:
        with pytest.raises(ConfigError, match=told):
            command.main(flags(files, *words))
    assert not (files / "run").exists()


def test_the_plan_holds_the_dialect_as_it_is_played(files):
    config = EvalConfig(prompt_file=str(files / "prompt.txt"), task_count=2, max_turns=3)
    plan = planned(config)
    assert plan.settings.dialect.wording.question == "{question}\n\nSay it in \\boxed{{}}."
    assert (plan.settings.limits.max_turns, len(plan.task_set), plan.whole) == (3, 2, None)
    plain = planned(EvalConfig(task_count=2))
    assert plain.settings.dialect == dialect_named("tiny") and plain.recorded[1].prompt_sha256 is None


def test_native_tools_are_declared_and_recorded_instead_of_described_in_the_prompt(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    asked = {"engine": "endpoint", "base_url": "http://127.0.0.1:9/v1", "policies": (LEARNED_ZOOM,), "task_count": 2}
    text, native = (planned(EvalConfig(dialect="default", tool_calls=way, **asked)) for way in ("text", "native"))
    assert text.settings.dialect.shows_tools and not native.settings.dialect.shows_tools
    (config, provenance), (_, plain) = native.recorded, text.recorded
    assert (config.tool_calls, config.tool_images) == ("native", "auto")
    assert "crop_image" in plain.prompts["system"] and "tools" not in plain.prompts
    assert "crop_image" not in provenance.prompts["system"]
    assert json.loads(provenance.prompts["tools"]) == tool_schemas(native.settings.dialect)
    with pytest.raises(ConfigError, match=r"'tiny' describes none.*--dialect default"):
        planned(EvalConfig(dialect="tiny", tool_calls="native", **asked))


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/v1", "http://127.0.0.1:0/v1", "127.0.0.1:9/v1"])
def test_an_endpoint_that_is_not_there_leaves_no_accuracy(files, monkeypatch, address):
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    with pytest.raises(ConfigError, match=r"running and reachable|must be the URL"):
        command.main(flags(files, "--engine", "endpoint", "--base_url", address))
    assert not (files / "run" / "metrics.json").exists() and not (files / "run" / ROWS).exists()
