"""One convention for the flags of every command; mistakes in them get one line and a short usage."""

import contextlib
import dataclasses
import io
import subprocess
import sys
import time
import typing

import pytest

from agents.checkpoints.command import _parser as merge_parser
from agents.config.arguments import field_kinds, parse
from agents.config.training_command import checked
from agents.engines.served.command import _parser as serve_parser
from agents.grpo.options import GRPO
from agents.sft.options import SFT
from benchmarks.ask.command import AskConfig
from benchmarks.audit.command import AuditConfig
from benchmarks.demo.command import DemoConfig
from benchmarks.demo.evaluations import EvalDemoConfig
from benchmarks.evaluation.compare import _parser as compare_parser
from benchmarks.evaluation.config import EvalConfig
from benchmarks.report.command import ReportConfig
from benchmarks.studies.replay.study import ReplayStudyConfig
from benchmarks.studies.self_correction.study import SftStudyConfig
from benchmarks.studies.trap.study import TrapConfig
from benchmarks.view.command import ViewConfig
from pixel_env.cli import COMMANDS, main
from pixel_env.command_line.names import OTHER_NAMES
from pixel_env.command_line.values import Bounds, bare, without_none
from pixel_env.play import _parser as play_parser
from synth.conversion.command import _parser as convert_parser
from synth.generation.config import GenerationOptions, SynthConfig
from tests.cpu_time import seconds_of_importing_gymnasium
from tests.paths import ROOT

CONFIGURED = {
    "ask": (AskConfig,),
    "demo": (DemoConfig,),
    "trap": (TrapConfig,),
    "replay-study": (ReplayStudyConfig,),
    "sft-study": (SftStudyConfig,),
    "eval": (EvalConfig,),
    "eval-demo": (EvalDemoConfig,),
    "report": (ReportConfig,),
    "audit": (AuditConfig,),
    "view": (ViewConfig,),
    "synth": (SynthConfig, GenerationOptions),
}
"""The commands that fill dataclasses."""
PARSERS = {
    "play": play_parser,
    "compare": compare_parser,
    "convert": convert_parser,
    "merge": merge_parser,
    "serve": serve_parser,
}
"""The commands with a parser of their own."""
WITH_SUBCOMMANDS = {"data", "dialect", "protocol"}
TRAINING = {"sft": SFT, "grpo": GRPO}
NEEDED = {
    "convert": ["SOURCE", "--to", "trl", "--output", "rows.json"],
    "merge": ["ADAPTER", "--output_dir", "FOLDER"],
    "serve": ["--model", "m", "--max_model_len", "8"],
    "compare": ["A", "B"],
}
"""The words without which a command line is refused."""

CONVENTIONS = {
    "play": {"output_dir", "seed", "max_turns"},
    "ask": {"output", "seed", "images", "max_images", "model", "config"},
    "demo": {"output_dir", "seed", "model", "config"},
    "trap": {"output_dir", "model", "config"},
    "replay-study": {"output_dir", "model", "config"},
    "sft-study": {"output_dir", "model", "config"},
    "eval": {"output_dir", "limit", "seed", "model", "max_images", "config"},
    "eval-demo": {"output_dir", "limit", "seed", "config"},
    "compare": {"seed"},
    "report": {"config"},
    "audit": {"output", "config"},
    "view": {"output", "limit", "config"},
    "synth": {"output_dir", "limit", "seed", "seed_data", "max_images", "config"},
    "convert": {"output"},
    "sft": {"output_dir", "limit", "seed", "model_name_or_path", "max_images", "config"},
    "merge": {"output_dir"},
    "serve": {"model", "max_images"},
    "grpo": {"output_dir", "limit", "eval_limit", "seed", "model_name_or_path", "max_images", "config"},
}
"""Command -> flags that its help shows under the names that they have everywhere."""
FORMER = {"out", "task_count", "eval_task_count", "seed_count", "seeds_folder", "base", "pictures", "questions"}
"""Names that no help shows any more."""


def run(*words):
    """Exit code and everything that `pixel-env WORDS` prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            code = main(list(words))
        except SystemExit as ended:
            code = ended.code
    return code, printed.getvalue()


def values(command, argv):
    """What the words set, by field."""
    if command in CONFIGURED:
        parts = parse(argv, CONFIGURED[command], command)
        return {name: value for part in parts for name, value in vars(part).items()}
    if command in PARSERS:
        return vars(PARSERS[command]().parse_args(argv))
    given = checked(argv, TRAINING[command])
    return {**given.own, "words": " ".join(given.words).replace("=", " ")}


OTHERS = [(command, name, other) for command, names in OTHER_NAMES.items() for name in names for other in names[name]]


def test_every_command_without_subcommands_is_in_the_tables_of_this_test():
    assert set(CONVENTIONS) == {*CONFIGURED, *PARSERS, *TRAINING} == set(COMMANDS) - WITH_SUBCOMMANDS
    assert set(OTHER_NAMES) <= set(CONVENTIONS)


@pytest.mark.parametrize("command", CONVENTIONS)
def test_the_help_of_a_command_shows_the_names_of_the_convention_and_none_of_the_former_ones(command):
    code, text = run(command, "--help")
    shown = {word.strip(",[]")[2:] for word in text.split() if word.startswith("--")}
    assert code == 0 and shown >= CONVENTIONS[command]
    others = {other for names in OTHER_NAMES.get(command, {}).values() for other in names}
    assert not shown & (others | FORMER) and not any("-" in name for name in shown)


@pytest.mark.parametrize(("command", "name", "other"), OTHERS)
@pytest.mark.parametrize("spelled", [str, lambda name: name.replace("_", "-")])
def test_every_other_name_of_a_flag_sets_what_its_own_name_sets(command, name, other, spelled):
    needed = NEEDED.get(command, [])
    given = values(command, [*needed, f"--{spelled(other)}", "7"])
    assert given == values(command, [*needed, f"--{name}", "7"]) == values(command, [*needed, f"--{other}=7"])
    assert given != values(command, needed)


@pytest.mark.parametrize("command", CONFIGURED)
def test_a_file_takes_the_names_of_the_flags_and_the_other_names_too(command, tmp_path):
    for name, others in OTHER_NAMES.get(command, {}).items():
        for spelled in (name, *others, name.replace("_", "-")):
            value = "[7]" if name == "images" else "7"
            (tmp_path / "settings.yaml").write_text(f"{spelled}: {value}\n")
            assert values(command, ["--config", str(tmp_path / "settings.yaml")]) == values(command, [f"--{name}", "7"])


@pytest.mark.parametrize("command", CONVENTIONS)
def test_the_beginning_of_a_flag_is_no_flag_and_the_closest_one_is_suggested_in_few_lines(command):
    name = max(CONVENTIONS[command] - {"config"}, key=len, default="config")
    code, text = run(command, *NEEDED.get(command, []), f"--{name[:-1]}", "7")
    assert code == 2 and f"Did you mean --{name}?" in text and f"pixel-env {command}: " in text
    assert "usage: pixel-env " in text and "--help" in text and len(text.splitlines()) <= 6


@pytest.mark.parametrize("command", [*CONVENTIONS, *sorted(WITH_SUBCOMMANDS)])
def test_a_flag_like_no_other_is_refused_in_few_lines(command):
    code, text = run(command, *NEEDED.get(command, []), "--zzzz", "7")
    assert code == 2 and "there is no flag --zzzz" in text and len(text.splitlines()) <= 6


def test_subcommands_are_read_in_the_same_way():
    code, text = run("data", "prepar", "vstar")
    assert code == 2 and "Did you mean prepare?" in text and len(text.splitlines()) <= 6
    code, text = run("data", "check", "folder", "--spilt", "train")
    assert code == 2 and "Did you mean --split?" in text and "usage: pixel-env data check PATH" in text
    code, text = run("data", "check", "folder", "--split", "tset")
    assert code == 2 and "Did you mean test?" in text
    code, text = run("dialect", "shwo", "tiny")
    assert code == 2 and "Did you mean show?" in text and len(text.splitlines()) <= 6
    code, text = run("dialect", "check", "tiny", "--modl", "tiny-zoom")
    assert code == 2 and "Did you mean --model?" in text and "usage: pixel-env dialect check NAME" in text


# ------------------------------------------------------------------------------------------------------------- numbers


def numeric_fields():
    for command, classes in {**CONFIGURED, **{name: one.classes for name, one in TRAINING.items()}}.items():
        for name, (kind, _) in field_kinds(classes).items():
            if bare(kind) in (int, float):
                yield command, name, without_none(kind)[0]


@pytest.mark.parametrize(("command", "name", "kind"), list(numeric_fields()))
def test_a_number_that_a_field_cannot_mean_is_refused_by_name(command, name, kind):
    bounds = [one for one in typing.get_args(kind) if isinstance(one, Bounds)]
    assert bounds, f"{name} of {command} declares no bounds"
    for bad in ("nan", "inf", "-inf", "-5", "1e400", "many", "", "0x10"):
        code, text = run(command, f"--{name}={bad}")
        assert code == 2 and "wanted: a" in text and len(text.splitlines()) <= 6, (bad, text)


@pytest.mark.parametrize("command", ["demo", "trap"])
def test_a_setting_of_a_preset_that_cannot_be_used_is_refused_with_its_place(command, tmp_path):
    elsewhere = ["--results", str(tmp_path / "results")] if command == "trap" else []
    for line in ("rl_steps: 0", "look_questions: .nan", "test_questions: many", "rl_step: 4"):
        (tmp_path / "preset.yaml").write_text(f"# sizes\n{line}\n")
        code, text = run(command, "--preset", str(tmp_path / "preset.yaml"), *elsewhere)
        assert code == 2 and "preset.yaml, line 2, column " in text, text


@pytest.mark.parametrize(
    "words",
    [
        ("play", "--episodes", "0"),
        ("play", "--max-turns", "-1"),
        ("play", "--seed", "-1"),
        ("compare", "a", "b", "--seed", "-1e3"),
        ("serve", "--model", "m", "--max_model_len", "0"),
        ("serve", "--model", "m", "--max_model_len", "8", "--port", "70000"),
        ("serve", "--model", "m", "--max_model_len", "8", "--replicas", "nan"),
        ("view", "run", "--port", "-1"),
        ("synth", "--max_turns", "0"),
        ("grpo", "--max_tokens", "-5"),
    ],
)
def test_a_number_of_a_command_with_a_parser_of_its_own_is_refused_too(words):
    code, text = run(*words)
    assert code == 2 and "wanted: a whole number" in text and len(text.splitlines()) <= 6


# ------------------------------------------------------------------------------------------------------------ dialects

DIALECT_COMMANDS = {
    **{command: [] for command in ("eval", "play", "synth", "sft", "grpo")},
    "ask": ["--images", "missing.png", "--question", "What?"],
    "convert": NEEDED["convert"],
    "audit": [],
}
"""Every command with `--dialect`, and the words that it needs."""


def test_every_command_with_the_flag_dialect_is_in_the_table_of_this_test():
    with_flag = {command for command in CONVENTIONS if "--dialect " in run(command, "--help")[1]}
    assert with_flag == set(DIALECT_COMMANDS)


@pytest.mark.parametrize("command", DIALECT_COMMANDS)
def test_a_broken_dialect_is_one_line_before_anything_is_read(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.yaml").write_text("base: default\nedgs: {}\n")
    for name, message in (
        ("my.yaml", "No key of a dialect named 'edgs'. Did you mean 'edges'? It stands in my.yaml."),
        ("missing.yaml", "cannot read the dialect missing.yaml: No such file"),
        ("my_missing:ROW", "The dialect 'my_missing:ROW' cannot be loaded"),
    ):
        code, text = run(command, *DIALECT_COMMANDS[command], "--dialect", name)
        assert code == 2 and message in text and len(text.splitlines()) == 1, text
    assert [path.name for path in tmp_path.iterdir()] == ["my.yaml"]


@pytest.mark.parametrize("command", DIALECT_COMMANDS)
def test_a_file_and_a_row_of_ones_own_are_taken_as_a_dialect(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "my.yaml").write_text("base: default\nstop: [</tool_call>]\n")
    (tmp_path / "my_rows.py").write_text("from pixel_env.dialects import DIALECTS\nROW = DIALECTS['default']\n")
    for name in ("my.yaml", "my.yaml:notool", str(tmp_path / "my.yaml+rotate"), "my_rows:ROW"):
        given = values(command, [*DIALECT_COMMANDS[command], "--dialect", name])
        assert given["dialect"] == name
    sys.modules.pop("my_rows")


# ---------------------------------------------------------------------------------------------------------------- YAML

BROKEN = {
    "syntax": (b"seed: 1\nlimit: [1, 2\n", r"line 3, column 1"),
    "a tab": (b"a:\n\t- 1\n", "line 2, column 1"),
    "a list": (b"- seed\n", "line 1, column 1"),
    "a text": (b"seed\n", "line 1, column 1"),
    "empty": (b"# nothing\n", "line 1, column 1"),
    "binary": (b"seed: 1\n\xff\xfe\n", "line 2, column 1"),
    "control sign": (b"seed: \x00\n", "line 1, column 7"),
    "a key twice": (b"seed: 1\nseed: 2\n", "line 2, column 1"),
    "an unknown key": (b"# one\nzzzz: 1\n", "line 2, column 7"),
    "a date that is none": (b"model: 2024-99-99\n", "line 1, column 8"),
    "a tag": (b"model: !!python/object:os.system x\n", "line 1, column 8"),
    "a list as a key": (b"? [a]\n: 1\n", "line 1, column 3"),
    "nested deeply": (b"a: " + b"[" * 1200, "line 1"),
}
READERS = [command for command, names in CONVENTIONS.items() if "config" in names]


@pytest.mark.parametrize("command", READERS)
def test_a_broken_file_is_named_with_line_and_column_by_every_command_that_reads_one(command, tmp_path):
    file = tmp_path / "settings.yaml"
    for content, position in BROKEN.values():
        file.write_bytes(content)
        code, text = run(command, "--config", str(file))
        assert code == 2 and str(file) in text and position in text and len(text.splitlines()) <= 6, text


@pytest.mark.parametrize("command", READERS)
def test_a_folder_or_a_missing_file_is_named(command, tmp_path):
    for path in (tmp_path, tmp_path / "missing.yaml"):
        code, text = run(command, "--config", str(path))
        assert code == 2 and str(path) in text and len(text.splitlines()) == 1


@pytest.mark.parametrize("command", [name for name in READERS if name != "report"])  # which has no number
def test_a_value_of_another_type_is_named_with_its_place(command, tmp_path):
    classes = CONFIGURED[command] if command in CONFIGURED else TRAINING[command].classes
    counts = [name for name, (kind, _) in field_kinds(classes).items() if typing.get_args(kind)[:1] == (int,)]
    file = tmp_path / "settings.yaml"
    for value in ("{a: 1}", "[1.5]", "true", "many", "-5", ".nan", "2.5"):
        file.write_text(f"# a comment\n{counts[0]}: {value}\n")
        code, text = run(command, "--config", str(file))
        assert code == 2 and f"line 2, column {len(counts[0]) + 3}" in text and "wanted: a whole number" in text, text


# ---------------------------------------------------------------------------------------------------------------- help


@pytest.mark.parametrize("command", TRAINING)
def test_the_help_of_a_training_comes_soon_without_torch_and_leads_with_our_groups(command):
    code = (
        "import sys, time\nfrom pixel_env.cli import main\n"
        f"try:\n    main([{command!r}, '--help'])\nexcept SystemExit: pass\n"
        "print(time.process_time(), sorted({'torch', 'transformers', 'trl'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    *text, last = done.stdout.splitlines()
    assert float(last.split()[0]) < 8 * seconds_of_importing_gymnasium() and last.endswith("[]")
    groups = [line[:-1] for line in text if line.endswith(":") and not line.startswith(" ")]
    wanted = ["what is trained", "episode", "reward", "generation", "replay", "output"]
    assert groups == ["options", *(title for title in wanted if command == "grpo" or title in (groups))]
    assert not [name for name in TRAINING[command].refused if f"--{name}" in done.stdout]
    recipe = {"sft": "paper_sft", "grpo": "tiny_grpo_paper"}[command]
    assert recipe in done.stdout and "--help_all" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("grpo", "--learning_rat", "1"),
        ("grpo", "--config", "papr"),
        ("sft", "--task_cuont", "3"),
        ("sft", "--dialect", "qwen"),
        ("grpo", "--group_reward", "papr"),
        ("grpo", "--max_turns", "0"),
        ("grpo", "--no_such", "0"),
    ],
)
def test_a_mistake_in_a_name_is_answered_soon_without_torch(words):
    code = (
        "import sys, time\nfrom pixel_env.cli import main\n"
        f"code = main({list(words)!r})\nprint(code, time.process_time(), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    exit_code, seconds, loaded = done.stdout.split()
    assert (exit_code, loaded) == ("2", "False") and float(seconds) < 8 * seconds_of_importing_gymnasium()
    assert len(done.stderr.splitlines()) <= 6


def test_the_help_of_an_evaluation_lists_what_its_flags_take():
    _, text = run("eval", "--help")
    for name in ("wrong_zoom", "qwen3-vl", "tiny-warm", "sample:tallyqa", "transformers"):
        assert name in text


def test_a_command_that_is_unknown_gets_a_suggestion():
    code, text = run("evla")
    assert code == 2 and "Did you mean 'eval'" in text and len(text.splitlines()) == 1


def test_no_help_takes_long_and_none_speaks_of_pictures():
    for command in CONVENTIONS:
        start = time.process_time()
        _, text = run(command, "--help")
        assert time.process_time() - start < 8 * seconds_of_importing_gymnasium()
        assert not {"picture", "pictures", "looking", "told"} & set(text.lower().split()), command


def test_every_field_of_a_configuration_has_a_help_line():
    for classes in (*CONFIGURED.values(), *(one.classes for one in TRAINING.values())):
        for cls in classes:
            for one in dataclasses.fields(cls):
                assert not one.init or one.metadata["help"].strip(), one.name
