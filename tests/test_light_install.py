"""The installation without extras: every help is answered, what needs no model runs, and what is missing is named."""

import ast
import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib

import pytest

from pixel_env.cli import COMMANDS
from pixel_env.installation import extra_with
from tests.paths import ROOT

PACKAGES = ("pixel_env", "agents", "rewards", "synth", "benchmarks")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

LIGHT = """
import importlib.abc, importlib.metadata, json, sys
sys.path.insert(0, {root!r})
allowed = {allowed!r}
installed = set(importlib.metadata.packages_distributions()) - allowed

class OnlyTheBase(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in installed:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, OnlyTheBase())
from pixel_env.cli import main
codes = []
for words in json.loads(sys.argv[1]):
    try:
        codes.append(main(words))
    except SystemExit as ended:
        codes.append(ended.code)
print(json.dumps(codes))
"""


def distributions(requirements):
    return {re.match(r"[A-Za-z0-9_.-]+", one)[0].lower().replace("_", "-") for one in requirements}


def with_what_it_needs(names):
    """The distributions and those that they need, without extras."""
    found, todo = set(), set(names)
    while todo:
        name = todo.pop()
        found.add(name)
        needed = [one for one in importlib.metadata.requires(name) or () if "extra ==" not in one]
        todo |= {one for one in distributions(needed) - found if _is_installed(one)}
    return found


def _is_installed(name):
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


@pytest.fixture(scope="module")
def light():
    """Runs command lines one after the other with nothing but the base importable: exit codes, stdout, stderr."""
    base = with_what_it_needs(distributions(PROJECT["dependencies"]))
    modules = importlib.metadata.packages_distributions()
    allowed = {name for name, owners in modules.items() if {one.lower().replace("_", "-") for one in owners} & base}
    code = LIGHT.format(root=str(ROOT), allowed=allowed | set(PACKAGES))

    def run(folder, *lines):
        command = [sys.executable, "-c", code, json.dumps(lines)]
        done = subprocess.run(command, cwd=folder, input="quit\n", capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1]), done.stdout, done.stderr

    return run


def test_the_help_of_every_command_needs_nothing_but_the_base(light, tmp_path):
    subcommands = [["data", name, "--help"] for name in ("prepare", "check", "list")]
    subcommands += [["dialect", name, "--help"] for name in ("list", "show", "check")]
    lines = [["--help"], *([name, "--help"] for name in COMMANDS), *subcommands]
    codes, text, _ = light(tmp_path, *lines)
    assert codes == [0] * len(lines)
    assert all(f"usage: pixel-env {name} " in text for name in COMMANDS)


def test_what_needs_no_model_runs_on_the_base(light, tmp_path):
    row = {"id": "a", "question": "What is 1 + 1?", "answer": "2"}
    (tmp_path / "tasks.jsonl").write_text(json.dumps(row) + "\n")
    scripted = ["--engine", "scripted", "--model", "oracle", "--dialect", "default", "--limit", "2"]
    codes, _, errors = light(
        tmp_path,
        ["eval", *scripted, "--output_dir", "a"],
        ["eval", *scripted, "--output_dir", "b", "--seed", "1"],
        ["view", "a", "--other", "b"],
        ["compare", "a", "b"],
        ["audit", "a", "--page", "a/audit.html"],
        ["data", "list"],
        ["data", "check", "tasks.jsonl"],
        ["dialect", "list"],
        ["dialect", "show", "released"],
        ["play", "--tasks", "sample:vstar-tiny"],
        ["synth", "--count", "4", "--workers", "1", "--output_dir", "traces"],
        ["convert", "traces", "--to", "trl", "--output", "rows.json"],
        ["eval-demo", "--no_model", "--limit", "1", "--output_dir", "demo"],
    )
    assert codes == [0] * 13, errors
    assert (tmp_path / "a" / "view.html").is_file() and (tmp_path / "demo" / "index.html").is_file()


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (["sft", "--model", "tiny-base"], "train"),
        (["grpo", "--config", "tiny_grpo_paper"], "train"),
        (["eval", "--limit", "1"], "train"),
        (["serve", "--model", "tiny-base", "--max_model_len", "64"], "vllm"),
        (["dialect", "check", "tiny", "--model", "tiny-zoom"], "train"),
        (["data", "prepare", "vstar"], "data"),
        (["data", "check", "tasks.parquet"], "data"),
        (["synth", "--teacher", "http://127.0.0.1:1/v1", "--model", "m"], "endpoint"),
    ],
)
def test_what_is_missing_is_named_with_the_extra_that_brings_it(light, tmp_path, words, extra):
    (tmp_path / "tasks.parquet").write_bytes(b"PAR1")
    [code], _, errors = light(tmp_path, words)
    assert code == 2 and f"pip install 'pixel-env[{extra}]'" in errors and "Traceback" not in errors


def extras():
    """The extras, each with the distributions that it asks for, those of the extras that it includes among them."""
    asked = PROJECT["optional-dependencies"]

    def of(name):
        own = [one for one in asked[name] if not one.startswith("pixel-env[")]
        others = [re.match(r"pixel-env\[(.+)\]", one)[1] for one in asked[name] if one.startswith("pixel-env[")]
        return distributions(own).union(*map(of, others))

    return {name: of(name) for name in asked if name != "dev"}


def imported_packages():
    """The packages of others that our code imports, at the top of a file or in a function."""
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and node.level == 0:
                    names = [node.module or ""]
                yield from (name.partition(".")[0] for name in names)


def test_a_missing_package_names_the_smallest_extra_that_asks_for_it():
    owners = {"yaml": "pyyaml", "PIL": "pillow", "flash_attn": "flash-attn", "math_verify": "math-verify"}
    others = set(imported_packages()) - set(sys.stdlib_module_names) - set(PACKAGES)
    base, sizes = distributions(PROJECT["dependencies"]), extras()
    for module in others:
        distribution = owners.get(module, module.replace("_", "-").lower())
        bringing = [name for name, asked in sizes.items() if distribution in asked or module in asked]
        found = extra_with(module)
        if distribution in base:
            assert found == "", module
        elif bringing:
            assert found in bringing and len(sizes[found]) == min(len(sizes[name]) for name in bringing), module
        else:
            assert found is not None, f"no extra is named for {module}"
    assert {"torch", "yaml", "httpx", "av", "pyarrow"} <= others
