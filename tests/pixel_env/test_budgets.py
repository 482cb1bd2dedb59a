"""What an episode may use."""

import dataclasses
import json

import pytest

from pixel_env.budgets import budgets_for, limits_from, token_estimate
from pixel_env.dialects import DIALECTS
from pixel_env.dialects.files import dialect_from_row
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError
from pixel_env.task import TaskSet
from pixel_env.types import Limits, PixelBudget, ViewBudgets


@pytest.mark.parametrize(
    ("text", "sizes", "tokens"),
    [
        ("", [], 0),
        ("a", [], 1),
        ("abcd", [], 1),
        ("abcde", [], 2),
        ("你好", [], 2),
        ("", [(56, 84)], 6),
        ("a", [(28, 28)] * 2, 3),
    ],
)
def test_the_estimate_is_four_bytes_of_text_or_one_unit_of_image_a_token(text, sizes, tokens):
    assert token_estimate(28)(text, sizes) == tokens


def test_the_default_leaves_room_for_three_operations_and_an_answer():
    assert Limits().max_turns == 4


def test_limits_may_be_a_mapping():
    assert limits_from({"max_turns": 2, "max_tokens": None}) == Limits(max_turns=2)


@pytest.mark.parametrize("resized", [None, PixelBudget(1, 5, 1)])
def test_budgets_are_written_as_json_and_read_back_and_those_without_a_resized_one_name_none(resized):
    budgets = dataclasses.replace(DIALECTS["default"].budgets, resized=resized)
    row = json.loads(json.dumps(budgets.to_row()))
    assert ViewBudgets.from_row(row) == budgets and ("resized" in row) == (resized is not None)


def test_colors_are_written_where_they_are_not_srgb_and_unknown_ones_are_refused():
    srgb, stored = DIALECTS["default"].budgets, DIALECTS["released"].budgets
    assert "colors" not in srgb.to_row() and stored.to_row()["colors"] == "stored"
    assert ViewBudgets.from_row(json.loads(json.dumps(stored.to_row()))) == stored
    with pytest.raises(ConfigError, match="colors is one of srgb, stored, got 'cmyk'"):
        budgets_for(srgb.to_row() | {"colors": "cmyk"}, TaskSet("mine", ()), DIALECTS["default"])


def test_a_dialect_that_ignores_profiles_ignores_them_with_any_budgets_and_a_variant_of_it_need_not():
    srgb, released = DIALECTS["default"].budgets, DIALECTS["released"]
    for given, task_set in [
        (srgb, TaskSet("mine", ())),
        (srgb.to_row(), TaskSet("mine", ())),
        (None, TaskSet("mine", (), budgets=srgb)),
        (None, TaskSet("mine", ())),
    ]:
        assert budgets_for(given, task_set, released).colors == "stored"
        assert budgets_for(given, task_set, DIALECTS["default"]).colors == "srgb"
    row = {"base": "released", "budgets": {"crop": {"max_pixels": 5_000_000}}}
    assert dialect_from_row(row, "mine.yaml", dialect_named).budgets.colors == "stored"
    row["budgets"]["colors"] = "srgb"
    assert dialect_from_row(row, "mine.yaml", dialect_named).budgets.colors == "srgb"
