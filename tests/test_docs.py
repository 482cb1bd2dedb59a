"""The pages of docs/ say what is so: their Python runs, their tables are complete, what the README asks for works.

Beside `test_readme.py`, which checks the snippets, commands, names and links of every page, and `test_extending.py`,
which follows the recipes of docs/extending.md.
"""

import re
import shlex
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from pixel_env.actions import write
from pixel_env.cli import COMMANDS
from pixel_env.dialects.table import DIALECTS, with_operations
from pixel_env.env import PixelEnv
from pixel_env.grading import GRADERS
from pixel_env.operations import OPERATIONS
from pixel_env.tasks.data_sets import DATA_SETS
from pixel_env.tasks.formats.recognition import FORMATS
from pixel_env.testing import tiny_task
from pixel_env.types import Answer, Prompt, Trajectory, Turn
from rewards.shaping import group_reward_named, paper, reward_parts
from tests.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("docs/*.md"))}

SHIPPED = {name: one for name, one in OPERATIONS.items() if one.__module__.startswith("pixel_env.")}
"""Other tests of the same process may have registered operations of their own."""


def blocks(text, language):
    """The fenced blocks of `text`, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def names_in(page, header):
    """The code in the first column of the table of `page` whose header begins with the cell `header`."""
    lines = PAGES[page].split(f"\n| {header} |", 1)[1].splitlines()[2:]
    rows = lines[: next((number for number, line in enumerate(lines) if not line.startswith("|")), len(lines))]
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row.split(" | ")[0])]


@pytest.fixture
def working_folder(tmp_path, monkeypatch):
    """An empty working folder; what is imported from it is forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("my_"):
            del sys.modules[name]


# ------------------------------------------------------------------------------------------------- what runs


@pytest.mark.parametrize(
    "page", [page for page, text in PAGES.items() if "```python\n" in text and page != "extending.md"]
)
def test_the_python_of_a_page_runs_from_top_to_bottom_and_prints_what_stands_below_it(page, working_folder, capsys):
    names = {}
    for code, printed in re.findall(r"^```python\n(.*?)^```(?:\s+```text\n(.*?)^```)?", PAGES[page], re.S | re.M):
        capsys.readouterr()
        exec(compile(code, page, "exec"), names)  # what a reader would paste
        assert not printed or capsys.readouterr().out == printed


@pytest.mark.parametrize("page", [page for page, text in PAGES.items() if "\npython -c " in text])
def test_the_one_line_programs_of_a_page_run(page, working_folder):
    for line in re.findall(r"(?m)^python -c .*", "".join(blocks(PAGES[page], "sh"))):
        exec(compile(shlex.split(line)[2], page, "exec"), {})


# ------------------------------------------------------------------------------------------ the README's own files


@pytest.fixture
def readme_files(working_folder):
    """The files that the README asks its reader to write."""
    files = re.findall(r"`(\w+\.py)`:\n\n```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert len(files) == 2
    for name, code in files:
        Path(name).write_text(code, encoding="utf-8")


def test_the_operation_of_the_readme_is_offered_and_shows_the_negative(readme_files):
    [name] = re.findall(r"--operations (my_\w+:\w+)", README)
    dialect = with_operations(DIALECTS["default"], [name])
    [operation] = [operation for operation in dialect.offered if operation.name not in DIALECTS["default"].operations]
    env = PixelEnv([tiny_task()], dialect=dialect)
    observation, _ = env.reset(seed=0)
    assert f'"name": "{operation.name}"' in observation["text"]
    shown = env.step(write(operation(image=0), dialect))[0]["images"][0]
    assert np.abs(255 - observation["images"][0].astype(int) - shown).mean() < 2.0


def test_the_reward_of_the_readme_is_the_papers_with_a_cost_for_each_turn(readme_files):
    [name] = re.findall(r"--group_reward (my_\w+:\w+)", README)
    turn = Turn("7", Answer("7"), None, "")
    group = [Trajectory(tiny_task(), Prompt("", ""), (), turns=(turn,) * count, reward=1.0) for count in (1, 3)]
    rewards = reward_parts(group_reward_named(name), group)
    assert np.allclose(rewards.total_G, reward_parts(paper, group).total_G - [0.01, 0.03])


# ------------------------------------------------------------------------------------------------- what is complete


@pytest.mark.parametrize(
    ("page", "header", "names"),
    [
        ("environment.md", "operation", SHIPPED),
        ("tasks.md", "format", FORMATS),
        ("tasks.md", "grader", GRADERS),
    ],
)
def test_a_table_lists_what_ships(page, header, names):
    shipped = [name for name, value in names.items() if "pixel_env" in str(getattr(value, "__module__", "pixel_env"))]
    assert names_in(page, header) == shipped


def test_every_extra_and_every_package_of_the_light_installation_is_named():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(names_in("install.md", "extra")) == set(project["optional-dependencies"])
    light = ", ".join(re.match(r"[\w-]+", one)[0] for one in project["dependencies"])
    assert f"`pip install .` ({light})" in PAGES["install.md"] and f"the rewards: {light}\n" in README


def test_the_papers_table_evaluates_the_sets_that_are_prepared():
    [given] = [block for block in blocks(PAGES["evaluation.md"], "sh") if "data prepare" in block]
    prepared = re.search(r"for set in (.*);", given)[1].split()
    evaluated = re.findall(r"--tasks (\S+) --output_dir runs/paper/(\S+)", given)
    assert evaluated == [(DATA_SETS[name].hub_id, name) for name in prepared] and len(prepared) == 4


def test_four_hops_lead_from_the_table_of_commands_to_the_core_loop():
    hops = re.findall(r"(?m)^\d\. `([\w/]+\.py)`: ", PAGES["architecture.md"])
    starts = ["agents.grpo.command:main", "agents.grpo.training", "PixelGRPOTrainer(", " rollout(", ".env.step("]
    files = ["pixel_env/cli.py", *hops]
    assert len(files) == len(starts) == 5 and COMMANDS["grpo"].target == starts[0]
    for path, name in zip(files, starts, strict=True):
        assert name in (ROOT / path).read_text(encoding="utf-8"), f"{path} has no {name}"
