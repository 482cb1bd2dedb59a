import json
from pathlib import Path

import pytest

from tests.agents.process_groups import launched

SCRIPT = Path(__file__).with_name("sharded_weights.py")


@pytest.fixture
def one(steps_of):
    """The steps of one process."""
    return steps_of(processes=1)


@pytest.fixture
def two(steps_of):
    """The steps of two processes that hold the model each."""
    return steps_of(processes=2)


def assert_same_step(one, two):
    assert two["weights"] == pytest.approx(one["weights"], abs=1e-5)
    assert two["row"]["grad_norm"] == pytest.approx(one["row"]["grad_norm"], rel=1e-4)


def assert_same_figures(one, two):
    same = [name for name in one["row"] if name.startswith(("accuracy", "rapr", "reward", "calls", "filtered"))]
    assert {name: two["row"][name] for name in same} == pytest.approx({name: one["row"][name] for name in same})


def test_two_processes_make_the_step_of_one(one, two):
    assert_same_step(one["all"], two["all"])
    assert_same_figures(one["all"], two["all"])


def test_processes_that_keep_unequally_many_rows_make_the_step_of_one(one, two):
    assert one["unequal"]["row"]["filtered"] == two["unequal"]["row"]["filtered"] == 12 / 16
    assert_same_step(one["unequal"], two["unequal"])


def test_a_process_without_any_picture_makes_the_step_with_the_others(one, two):
    assert one["first"]["row"]["filtered"] < 1
    assert_same_step(one["first"], two["first"])


def test_a_group_that_is_spread_over_two_processes_is_rewarded_as_one(two):
    row = two["spread"]["row"]
    assert row["rapr"] == 1 / 8
    assert row["rewards/curiosity"] == pytest.approx(0.5 * (0.3 - 1 / 8) / 8)


@pytest.mark.parametrize("stage", [2, 3])
@pytest.mark.parametrize("pictures", ["all", "first"])
def test_two_processes_that_shard_the_model_make_the_step_of_one(one, steps_of, stage, pictures):
    """With `first`, one of them has no picture: it runs the vision tower all the same, on a blank row."""
    pytest.importorskip("deepspeed")
    alone, together = one[pictures], steps_of(processes=2, stage=stage)[pictures]
    assert_same_figures(alone, together)
    assert together["row"]["grad_norm"] == pytest.approx(alone["row"]["grad_norm"], rel=1e-4)
    assert together["row"]["loss"] == pytest.approx(alone["row"]["loss"], abs=1e-6)
    # What an engine would be given: every parameter, whole, as one process holds it.
    assert together["as_served"].keys() == alone["as_served"].keys()
    assert together["as_served"] == pytest.approx(alone["as_served"], rel=1e-4)


def test_an_engine_is_given_whole_parameters_of_a_model_that_fsdp_2_has_split(tiny_checkpoint, tmp_path):
    launched([str(SCRIPT), str(tiny_checkpoint), str(tmp_path / "result.json")], processes=2)
    found = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert sorted(found["same"]) == found["names"] and all(found["same"].values())
    assert found["share"] < 0.6  # it was split, indeed
