"""What the README and the docs say is so: their snippets run, their names exist, their tables are complete."""

import json
import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixel_env.actions import parse
from pixel_env.boxes import Box
from pixel_env.cli import COMMANDS
from pixel_env.dialects.table import DIALECTS
from pixel_env.failures import FailureCode
from pixel_env.operations.crop_image import CropImage
from pixel_env.tasks import load_tasks
from pixel_env.tasks.data_sets import DATA_SETS
from pixel_env.types import Stop

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {path.name: path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]}


def section(title, page="README.md"):
    """The text below the heading `title`, up to the next one of the same level."""
    return re.split(r"(?m)^## ", PAGES[page].split(f"\n## {title}\n", 1)[1])[0]


def blocks(text, language):
    """The fenced blocks of `text`, in order."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def table(title, page):
    """The rows of the first table below the heading `title`, header left out, as lists of cells."""
    lines = [line for line in section(title, page).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def run_snippet(code, names):
    exec(compile(code, "README.md", "exec"), names)  # what a reader would paste


# ------------------------------------------------------------------------------------------------------- snippets


def test_the_environment_is_made_and_an_agent_of_ten_lines_plays_it(capsys):
    made, agent = blocks(section("The environment"), "python")
    assert len(made.strip().replace("\n\n", "\n").splitlines()) == 4
    assert len(re.search(r"class Scanner.*?(?=\n\n)", agent, re.DOTALL).group().splitlines()) <= 10
    names = {}
    run_snippet(made, names)
    run_snippet(agent, names)
    assert len(names["env"].unwrapped.trajectory.turns) == 4 and not names["env"].unwrapped.trajectory.failures
    assert capsys.readouterr().out.strip().split()[1] == "answered"


def pictures_of(rows, folder):
    """Draws every picture that the rows name."""
    for row in rows:
        names = [row["image"]] if isinstance(row.get("image"), str) else row.get("image", [])
        for name in [*names, *row.get("frames", [])]:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (256, 256), "white").save(folder / name)


@pytest.mark.parametrize(
    ("page", "title"), [("README.md", "Your own tasks"), ("tasks.md", "Your own: one JSON object a line")]
)
def test_the_example_rows_are_read_as_they_stand(page, title, tmp_path):
    [example] = blocks(section(title, page), "json")
    pictures_of(map(json.loads, example.splitlines()), tmp_path)
    (tmp_path / "my-tasks.jsonl").write_text(example, encoding="utf-8")
    task_set = load_tasks(tmp_path / "my-tasks.jsonl")
    assert len(task_set) == len(example.splitlines())
    assert {"exact", "choice", "number"} == {task.grader for task in task_set.tasks}


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A working folder with what the snippets about training name: the tasks and the own reward."""
    [example] = blocks(section("Your own tasks"), "json")
    pictures_of(map(json.loads, example.splitlines()), tmp_path)
    (tmp_path / "my-tasks.jsonl").write_text(example, encoding="utf-8")
    (tmp_path / "looking.py").write_text(blocks(section("Training"), "python")[0], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("looking", None)


def save_random_checkpoint(folder):
    import torch

    from agents.checkpoints.tiny import make_model, make_processor, save_checkpoint, train_tokenizer

    tokenizer = train_tokenizer(["<crop> <answer> which digit is on the red card", *map(str, range(17))], 300)
    torch.manual_seed(0)
    save_checkpoint(make_model(tokenizer), make_processor(tokenizer), folder, {})


def test_three_rows_train_with_the_rewards_of_the_readme(workplace, monkeypatch):
    pytest.importorskip("trl")
    import agents.grpo.trainer

    small = {"dialect": "tiny", "max_turns": 2, "max_turn_tokens": 4, "max_completion_length": 8, "num_generations": 2}
    small |= {"per_device_train_batch_size": 6, "max_steps": 1, "logging_steps": 1, "save_strategy": "no"}
    small |= {"use_cpu": True, "gradient_checkpointing": False, "disable_tqdm": True}
    config = agents.grpo.trainer.PixelGRPOConfig
    monkeypatch.setattr(agents.grpo, "PixelGRPOConfig", lambda **options: config(**(options | small)))
    save_random_checkpoint(workplace / "my-checkpoint")
    names = {}
    run_snippet(blocks(section("Training"), "python")[1], names)
    [row] = [row for row in names["trainer"].state.log_history if "reward" in row]
    assert row["rewards/brevity/mean"] <= 0.0 and row["rewards/penalty"] == 0.0
    assert row["reward"] == pytest.approx(row["rewards/brevity/mean"] + row["rewards/group_reward/mean"], abs=1e-6)


def test_the_own_group_reward_pays_what_it_says(workplace):
    from pixel_env.testing import tiny_task
    from pixel_env.types import Prompt, Trajectory, Turn
    from rewards.shaping import group_reward_named, reward_parts

    looked = Turn("", CropImage(0, Box(0, 0, 1, 1)), None, "")
    group = [Trajectory(tiny_task(), Prompt("", ""), (), turns=turns, reward=1.0) for turns in [(), (looked,)]]
    parts = reward_parts(group_reward_named("looking:looking_pays"), group)
    assert np.allclose(parts.total_G, [1.0, 1.1])


# ---------------------------------------------------------------------------------------------------------- names


def test_every_path_of_the_tree_exists():
    [tree] = blocks(section("Where things are"), "text")
    folder, missing = "", []
    for line in tree.splitlines():
        names = re.findall(r"\S+\.py|\S+/(?=\s|$)", line[:27] if line[0] == " " else line)
        if not line.startswith(" "):
            folder, names = names[0], names[1:]
        missing += [folder + name for name in names if not (ROOT / folder / name).exists()]
    assert missing == []


def test_the_four_hops_name_what_is_there():
    hops = re.findall(r"(?m)^\d\. `([\w/.]+)`: (.*(?:\n   .*)*)", section("Where things are"))
    assert [path for path, _ in hops] == [
        "pixel_env/cli.py", "agents/grpo/command.py", "agents/grpo/trainer.py", "agents/rollout.py"
    ]  # fmt: skip
    called = ["agents.grpo.command:main", "PixelGRPOTrainer(", " rollout(", ".env.step("]
    for (path, _), call in zip(hops, called, strict=True):
        assert call in (ROOT / path).read_text(encoding="utf-8"), f"{path} has no {call}"
    assert COMMANDS["grpo"].target == called[0]


def commands():
    """Every shell line of the pages that runs our command, with its page."""
    for page, text in PAGES.items():
        for block in blocks(text, "sh"):
            for line in block.splitlines():
                found = re.search(r"(?:pixel-env|pixel_env\.cli) (.*)", line)
                if found:
                    yield pytest.param(found.group(1), id=f"{page}: {line[:60]}")


@pytest.mark.parametrize("line", list(commands()))
def test_every_command_of_the_pages_can_be_given(line, monkeypatch):
    name, *words = shlex.split(line, comments=True)
    assert name in COMMANDS
    flags = [word.removeprefix("--") for word in words if word.startswith("--")]
    if "config" in flags and name in ("sft", "grpo"):
        recipe = words[words.index("--config") + 1]
        assert (ROOT / recipe).is_file() or (ROOT / "agents" / "recipes" / f"{recipe}.yaml").is_file()
    if name == "eval":
        from agents.config.arguments import parse
        from benchmarks.evaluation.config import EvalConfig

        monkeypatch.chdir(ROOT)
        assert parse(words, EvalConfig, "eval") is not None  # a flag that is none ends the test


def test_the_papers_table_evaluates_the_sets_that_are_prepared():
    [commands] = [block for block in blocks(section("Evaluation, and looking at it"), "sh") if "data prepare" in block]
    prepared = re.search(r"for set in (.*);", commands)[1].split()
    evaluated = re.findall(r"--tasks (\S+) --output_dir runs/paper/(\S+)", commands)
    assert evaluated == [(DATA_SETS[name].hub_id, name) for name in prepared] and len(prepared) == 4


def test_every_test_that_the_table_of_trls_options_names_is_there():
    told = re.findall(r"`(test_\w+)`", section("TRL's options", "training.md"))
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("**/test_*.py"))
    assert len(told) > 10 and [name for name in told if f"def {name}(" not in tests] == []


def test_every_recipe_is_told_of():
    told = {row[0].strip("`") for row in table("Recipes", "training.md")}
    assert told == {path.stem for path in (ROOT / "agents" / "recipes").glob("*.yaml")}


def test_every_make_target_of_the_readme_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"(?:`|\n)make ([\w-]+)", README)
    assert {"demo", "test", "install"} <= set(targets)
    assert all(f"\n{target}:" in makefile for target in targets)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    folder = ROOT if page == "README.md" else ROOT / "docs"
    links = re.findall(r"\]\(([^)#]+)", PAGES[page])
    assert [link for link in links if "://" not in link and not (folder / link).exists()] == []


# --------------------------------------------------------------------------------------------------------- tables


def test_the_table_of_failure_codes_is_complete():
    codes = [row[0].strip("`") for row in table("Failure codes", "environment.md")]
    assert codes == [code.value for code in FailureCode]


def test_the_table_of_stop_reasons_is_complete():
    reasons = [row[0].strip("`") for row in table("Budgets and stop reasons", "environment.md")]
    assert reasons == [stop.value for stop in Stop]


def test_the_table_of_dialects_is_complete_and_its_calls_say_the_lower_right_quarter():
    rows = {row[0].strip("`"): row[2].strip("`") for row in table("Dialects", "environment.md")}
    assert list(rows) == list(DIALECTS)
    for name, call in rows.items():
        assert parse(call, DIALECTS[name], [(560, 560)]) == CropImage(0, Box(0.5, 0.5, 1.0, 1.0))
