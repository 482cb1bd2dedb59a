"""The registry: what engines declare is what is asked, for a shipped one and for one of a user's own."""

import ast
import dataclasses
import importlib
import subprocess
import sys

import pytest

from agents.engines.choice import EngineArguments, EngineChoice, check_has_model, check_videos, engine_chosen
from agents.engines.protocol import Request
from agents.engines.registry import ENGINES, EngineSpec, engines_that
from pixel_env.dialects.table import dialect_named
from pixel_env.episode import Limits
from pixel_env.errors import ConfigError, MissingExtraError, UnknownNameError
from pixel_env.tasks import load_tasks
from tests.paths import ROOT

TINY = dialect_named("tiny")


# ------------------------------------------------------------------------------------------------- shipped engines


def test_every_shipped_engine_names_what_it_can_import_and_describes_itself_in_one_line():
    for name, spec in ENGINES.items():
        assert spec.name == name and 0 < len(spec.summary) <= 110 and "\n" not in spec.summary
        assert callable(spec.import_loader())
        if spec.trainer is not None:
            module, _, variable = spec.trainer.partition(":")
            made = getattr(importlib.import_module(module), variable)
            assert all(hasattr(made, verb) for verb in ("check", "generating", "outdate"))
    assert engines_that(lambda spec: spec.has_model) == "transformers, vllm, server, endpoint"


def test_the_list_of_engines_needs_no_library_that_an_engine_needs():
    code = """
    import sys
    blocked = ("torch", "transformers", "trl", "vllm", "openai", "httpx", "tqdm", "datasets")
    sys.modules.update(dict.fromkeys(blocked))
    from agents.engines.choice import EngineArguments, EngineChoice
    from agents.engines.registry import ENGINES
    print(*(f"{spec.name}: {spec.summary}" for spec in ENGINES.values()), sep="\\n")
    """
    done = subprocess.run([sys.executable, "-c", "\n".join(map(str.strip, code.splitlines()))], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    lines = done.stdout.decode().splitlines()
    assert [line.partition(":")[0] for line in lines] == list(ENGINES)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"engine": "vlm"}, "No engine named 'vlm'. Did you mean 'vllm'?.*'module:NAME'"),
        ({"engine": "vllm"}, "--engine vllm plans its memory.*--max_tokens"),
        ({"engine": "server"}, "--engine server .*--base_url"),
        ({"engine": "endpoint"}, "--engine endpoint .*--base_url"),
        ({"engine": "endpoint", "base_url": "http://localhost:1/v1"}, "OPENAI_API_KEY=none"),
        ({"engine": "transformers", "base_url": "http://localhost:1"}, "generates without a server.*server, endpoint"),
        ({"engine": "scripted", "base_url": "http://localhost:1"}, "Leave --base_url out"),
    ],
)
def test_a_choice_that_lacks_what_its_engine_needs_is_refused(fields, told, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises((ConfigError, UnknownNameError), match=told):
        EngineChoice(model="m", **fields)


def test_a_missing_package_is_refused_with_the_extra_that_brings_it(monkeypatch):
    without = dataclasses.replace(ENGINES["endpoint"], packages=("openai_of_tomorrow",))
    monkeypatch.setattr("agents.engines.registry.ENGINES", {**ENGINES, "endpoint": without})
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    with pytest.raises(MissingExtraError, match=r"pip install 'pixel-env\[endpoint\]'"):
        EngineChoice("endpoint", "http://localhost:1/v1", model="m")


def test_nobody_compares_with_the_name_of_an_engine():
    """What depends on an engine is asked of what it declares, so that an engine of a user's own is treated alike."""
    files = [path for layer in ("agents", "benchmarks", "synth") for path in (ROOT / layer).rglob("*.py")]
    found = {str(path.relative_to(ROOT)) for path in files if compares_with_an_engine(path.read_text("utf-8"))}
    assert len(files) > 150 and found == {"agents/grpo/engine_options.py"}  # TRL's own name for a mode


def compares_with_an_engine(source):
    """Whether an operand of a comparison, or a `case`, is an engine's name or a collection with one."""
    nodes = list(ast.walk(ast.parse(source)))
    operands = [one for node in nodes if isinstance(node, ast.Compare) for one in (node.left, *node.comparators)]
    operands += [node.value for node in nodes if isinstance(node, ast.MatchValue)]
    operands += [leaf for one in operands if isinstance(one, ast.Tuple | ast.List | ast.Set) for leaf in one.elts]
    return any(isinstance(one, ast.Constant) and one.value in ENGINES for one in operands)


def test_a_comparison_with_the_name_of_an_engine_would_be_noticed():
    assert compares_with_an_engine('if config.engine != "endpoint": pass')
    assert compares_with_an_engine('match engine:\n    case "vllm": pass')
    assert compares_with_an_engine('x = engine in ("vllm", "server")')
    assert not compares_with_an_engine('spec = engine_named("endpoint")')
    assert not compares_with_an_engine('if find_spec("vllm") is None: pass')


# -------------------------------------------------------------------------------------------- one of a user's own


def test_an_engine_of_ones_own_is_chosen_loaded_and_answers(folder_of_engine):
    choice = EngineChoice("my_engine:ENGINE", model="any-name")
    assert isinstance(choice.spec, EngineSpec) and choice.spec.name == "guesser"
    engine, chat = engine_chosen(choice, TINY)
    engine.submit(Request(3, (chat.end_id,), (), 16, 0.0, 0, chat.banned_ids))
    assert engine.in_flight == 1 and engine.static
    [response] = engine.poll()
    assert (response.request_id, chat.decode(response.token_ids)) == (3, "<crop> 4 4 8 8")
    engine.submit(Request(4, (chat.end_id,), (), 16, 0.0, 0, chat.banned_ids | chat.call_opening_ids()))
    engine.cancel()
    assert (engine.in_flight, engine.poll()) == (0, [])


@pytest.mark.parametrize(
    ("engine", "told"),
    [
        ("nowhere:ENGINE", "'nowhere:ENGINE' cannot be loaded: No module named 'nowhere'"),
        ("my_engine:ENGIN", "'my_engine:ENGIN' cannot be loaded: .*no attribute 'ENGIN'"),
        ("my_engine:", "'my_engine:' cannot be loaded"),
        (":ENGINE", "':ENGINE' cannot be loaded"),
        ("my_engine:NUMBER", r"of the type int; wanted: an EngineSpec .*Write NUMBER = EngineSpec\("),
        ("my_engine:load", "of the type function; wanted: an EngineSpec"),
        ("my_engine:FAR", "--engine my_engine:FAR .*--base_url"),
        ("my_engine:LOCKED", "MY_ENGINE_KEY, which is not set.*MY_ENGINE_KEY=none"),
        ("my_engine:ABSENT", "no_such_package.*pip install no_such_package"),
        ("my_engine:PLANNER", "--max_tokens"),
    ],
)
def test_one_that_cannot_be_used_is_refused_before_it_is_loaded(folder_of_engine, engine, told):
    with pytest.raises((ConfigError, MissingExtraError), match=told):
        EngineChoice(engine, model="m")


@pytest.mark.parametrize(
    ("engine", "told"),
    [
        ("my_engine:SINGLE", "returned a Guesser; wanted: the pair of the engine and its chat format"),
        ("my_engine:MUTE", "has no static, in_flight, submit, poll, cancel.*QueuedEngine"),
        ("my_engine:GONE", "loader of the engine 'gone', 'my_engine:nowhere' cannot be loaded"),
    ],
)
def test_a_loader_that_does_not_keep_its_contract_is_named(folder_of_engine, engine, told):
    with pytest.raises(ConfigError, match=told):
        engine_chosen(EngineChoice(engine, model="tiny-zoom"), TINY)


@pytest.mark.parametrize("text", ["my_engine", "my_engine:", ":load", ""])
@pytest.mark.parametrize("field", ["loader", "trainer"])
def test_a_declaration_without_module_and_name_is_refused_where_it_is_written(field, text):
    fields = {"loader": "my_engine:load", field: text}
    with pytest.raises(ConfigError, match=f"'folder_of_engine' has the {field} '{text}'; wanted: 'module:name'"):
        EngineSpec(name="folder_of_engine", summary="folder_of_engine", **fields)


# --------------------------------------------------------------------------------------------------- capabilities


def test_videos_are_refused_only_where_dialect_engine_and_tasks_are_of_such_a_kind(folder_of_engine):
    released = dialect_named("released")
    videos = load_tasks("sample:mvbench", count=1).tasks
    images = load_tasks("sample:vstar-tiny", count=1).tasks
    for engine in ("server", "my_engine:WEAK"):
        with pytest.raises(
            ConfigError, match=f"--engine {engine} does not support a video.*--dialect released:frames.*endpoint"
        ):
            check_videos(engine, released, [*images, *videos])
        check_videos(engine, dialect_named("released:frames"), videos)
        check_videos(engine, dialect_named("default"), videos)
        check_videos(engine, released, images)
    for engine in ("transformers", "vllm", "endpoint", "scripted", "my_engine:ENGINE"):
        check_videos(engine, released, videos)


def test_an_engine_without_a_model_is_refused_where_a_model_is_asked(folder_of_engine):
    for engine in ("scripted", "my_engine:PLAYER"):
        with pytest.raises(ConfigError, match=f"--engine {engine} has no model.*pixel-env ask.*transformers, vllm"):
            check_has_model(EngineChoice(engine, model="oracle"), "ask")
    check_has_model(EngineChoice("my_engine:ENGINE", model="m"), "ask")


def test_a_field_of_the_shared_flags_reaches_the_loader_by_its_name(folder_of_engine):
    arguments = EngineArguments(engine="my_engine:FAR", base_url="http://localhost:1")
    choice = arguments.chosen("m", Limits(max_images=5, max_tokens=77), dtype="bfloat16", max_batch=3)
    shared = [field.name for field in dataclasses.fields(EngineArguments)]
    assert [getattr(choice, name) for name in shared] == [getattr(arguments, name) for name in shared]
    assert (choice.max_images, choice.max_tokens, choice.dtype, choice.max_batch) == (5, 77, "bfloat16", 3)
    with pytest.raises(UnknownNameError, match="Did you mean 'endpoint'"):
        EngineArguments(engine="endpiont")
