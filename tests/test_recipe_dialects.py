"""A recipe goes on in the dialect of the recipe or of the model that it starts from: the shipped and the examples."""

import pytest
import yaml

from agents.checkpoints.conventions import convention_of, dialect_of_model_type
from agents.checkpoints.names import CHECKPOINTS
from pixel_env.dialects.table import dialect_named, parts_of_name
from tests.paths import EXAMPLES, RECIPES

FILES = [*RECIPES.glob("*.yaml"), *(EXAMPLES / "configs").glob("*.yaml")]
FIELDS = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(FILES)}
PLAYING = {name: fields for name, fields in FIELDS.items() if "dialect" in fields}
FAMILIES = {
    "tiny": "tiny_",
    "paper": "paper",
    "the authors' code": "released_code",
    "the paper's evaluation": "paper_table",
    "Qwen2.5-VL-7B": "qwen2.5-vl-7b",
    "Qwen3-VL-8B": "qwen3-vl-8b",
}
"""Recipes that start from one another, by the beginning of their names; the longest that fits."""
MODEL_TYPES = {"Qwen/Qwen3-VL-8B-Instruct": "qwen3_vl"}
"""Models of the hub from which reinforcement learning starts without a warm start of ours."""


def starting_from(models):
    return [name for name, fields in PLAYING.items() if fields.get("model_name_or_path") in models]


def family_of(name):
    return max((family for family, first in FAMILIES.items() if name.startswith(first)), key=lambda f: len(FAMILIES[f]))


def played(name):
    """The row and the variants of a recipe's dialect, but for how videos are shown to an engine."""
    row, variants, operations = parts_of_name(PLAYING[name]["dialect"])
    return row, tuple(variant for variant in variants if variant != "frames"), operations


def test_every_recipe_that_trains_or_evaluates_says_its_dialect():
    assert set(FIELDS) - set(PLAYING) == {"fsdp", "zero2", "zero3"}  # machines


@pytest.mark.parametrize("family", FAMILIES)
def test_recipes_that_follow_one_another_share_their_dialect(family):
    names = [name for name in PLAYING if family_of(name) == family]
    assert names and len({played(name) for name in names}) == 1, {name: PLAYING[name]["dialect"] for name in names}


@pytest.mark.parametrize(
    "name", [name for name, one in PLAYING.items() if one.get("model_name_or_path") in CHECKPOINTS]
)
def test_a_recipe_on_an_embedded_model_plays_in_its_dialect(name):
    assert PLAYING[name]["dialect"] == convention_of(PLAYING[name]["model_name_or_path"]).dialect


@pytest.mark.parametrize(
    "name", [name for name, one in PLAYING.items() if one.get("model_name_or_path") in MODEL_TYPES]
)
def test_a_recipe_without_a_warm_start_plays_in_the_dialect_of_the_models_family(name):
    model_type = MODEL_TYPES[PLAYING[name]["model_name_or_path"]]
    assert played(name)[0] == dialect_of_model_type(model_type)


@pytest.mark.parametrize("name", PLAYING)
def test_the_dialect_of_a_recipe_exists(name):
    assert dialect_named(PLAYING[name]["dialect"])
