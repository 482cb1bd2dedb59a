"""Recipes that follow one another speak one language: what a warm start taught, the next recipe reads.

Which recipes follow which is declared in one table, under "Chains" in docs/training.md.
"""

import itertools
import re

import numpy as np
import pytest
import yaml

from agents.checkpoints.conventions import convention_of, dialect_of_model_type
from agents.checkpoints.names import CHECKPOINTS
from agents.config.recipes import recipes_of
from pixel_env.actions import Operation, parse, sizes_for, write
from pixel_env.budgets import budgets_for
from pixel_env.dialects.prompt import system_text
from pixel_env.dialects.table import dialect_named
from pixel_env.operations.arguments import Drawing
from pixel_env.tasks import load_tasks
from pixel_env.types import Answer
from tests.paths import EXAMPLES, RECIPES, ROOT

FILES = [*RECIPES.glob("*.yaml"), *(EXAMPLES / "configs").glob("*.yaml")]
FIELDS = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(FILES)}
PLAYING = {name: fields for name, fields in FIELDS.items() if "dialect" in fields}
SETS = {"image": "sample:vstar-tiny", "video": "sample:mvbench"}


def chains():
    """The rows of the table: (dialect of `synth` or None, model or warm start, recipes that go on from it)."""
    section = (ROOT / "docs" / "training.md").read_text(encoding="utf-8").partition("\n### Chains\n")[2]
    rows = re.findall(r"(?m)^\| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", section.partition("\n## ")[0])[
        1:
    ]  # without the head
    assert rows
    return [
        (
            re.search(r"synth --dialect ([\w.-]+)", traces),
            re.findall(r"`([^`]+)`", start),
            re.findall(r"`([^`]+)`", after),
        )
        for traces, start, after in rows
    ]


LINKS = [(start, after) for _, starts, afters in chains() for start, after in itertools.product(starts, afters)]
FIRST = [(found[1], start) for found, starts, _ in chains() if found is not None for start in starts]


def dialect_of(name):
    """The dialect of a recipe, or in which a model that it starts from was taught."""
    if name in PLAYING:
        return PLAYING[name]["dialect"]
    known = {"Qwen/Qwen3-VL-8B-Instruct": dialect_of_model_type("qwen3_vl")}
    return convention_of(name).dialect if name in CHECKPOINTS else known[name]


def check_read(taught, read, media):
    """Calls of every operation and answers, as `taught` writes them, are those of `read`, on the same shown images."""
    taught, read = dialect_named(taught), dialect_named(read)
    task_set = load_tasks(SETS[media], split="test", count=3)
    random = np.random.default_rng(0)
    calls = 0
    for task, operation in itertools.product(task_set.tasks, taught.offered):
        views = task.opening_views
        written, shown = (sizes_for(one, views, budgets_for(None, task_set, one)) for one in (taught, read))
        frames = len(task.sources) if task.media == "video" else 0
        for _ in range(20):
            call = operation.draw(Drawing(random, len(task.sources), frames, 8.0))
            said = None if call is None else write(call, taught, *written)
            if said is None:  # the operation has no call on what the task shows
                continue
            calls += 1
            as_taught, as_read = parse(said, taught, *written), parse(said, read, *shown)
            assert isinstance(as_taught, Operation) and as_read == as_taught, said
    assert calls >= 20
    answer = parse(write(Answer("left"), taught), read)
    assert answer == Answer("left") and taught.answer_rule == read.answer_rule


def test_every_recipe_that_trains_or_evaluates_says_its_dialect():
    assert set(FIELDS) - set(PLAYING) == {"fsdp", "zero2", "zero3"}  # machines


def test_every_recipe_is_in_the_table_of_chains_once_in_its_place():
    starts = {start for _, names, _ in chains() for start in names if start in FIELDS}
    followers = [name for _, _, names in chains() for name in names]
    examples = {name for name in PLAYING if (EXAMPLES / "configs" / f"{name}.yaml").is_file()} - {"paper_table"}
    assert starts == {*recipes_of("sft"), *(name for name in examples if "_sft_" in name)}
    assert set(followers) == {*recipes_of("grpo"), *(name for name in examples if "_sft_" not in name)}


@pytest.mark.parametrize(
    ("start", "after", "media"),
    [(*link, media) for link in LINKS for media in SETS if media == "image" or dialect_of(link[0]) != "tiny"],
)
def test_what_a_warm_start_taught_is_read_by_the_recipe_that_follows(start, after, media):
    check_read(dialect_of(start), dialect_of(after), media)


@pytest.mark.parametrize("media", SETS)
@pytest.mark.parametrize(("traces", "start"), FIRST)
def test_what_traces_say_is_read_by_the_warm_start_on_them(traces, start, media):
    check_read(traces, dialect_of(start), media)


@pytest.mark.parametrize(("start", "after"), [link for link in LINKS if link[0] in PLAYING])
def test_the_recipe_that_follows_shows_the_instructions_and_the_sizes_of_the_warm_start(start, after):
    taught, read = dialect_named(dialect_of(start)), dialect_named(dialect_of(after))
    assert (taught.budgets, system_text(taught)) == (read.budgets, system_text(read))
    assert PLAYING[start].get("max_turns") <= PLAYING[after].get("max_turns")


def test_a_language_that_the_next_recipe_does_not_read_is_found():
    for taught, read in (("qwen2.5-vl", "released"), ("released", "qwen2.5-vl"), ("qwen3-vl", "qwen2.5-vl")):
        with pytest.raises(AssertionError):
            check_read(taught, read, "image")


@pytest.mark.parametrize(
    "name", [name for name, one in PLAYING.items() if one.get("model_name_or_path") in CHECKPOINTS]
)
def test_a_recipe_on_an_embedded_model_plays_in_its_dialect(name):
    assert PLAYING[name]["dialect"] == convention_of(PLAYING[name]["model_name_or_path"]).dialect


@pytest.mark.parametrize("name", PLAYING)
def test_the_dialect_of_a_recipe_exists(name):
    assert dialect_named(PLAYING[name]["dialect"])
