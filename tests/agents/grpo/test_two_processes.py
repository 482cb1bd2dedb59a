import json
from functools import cache
from pathlib import Path

import pytest

from tests.agents.process_groups import launched

SCRIPT = Path(__file__).with_name("two_processes.py")


def run(checkpoint, folder, *, processes, rows, group, learn=8, pictures="all", stage=0):
    folder.mkdir()
    arguments = [str(SCRIPT), str(checkpoint), str(folder), str(rows), str(group), str(learn), pictures, str(stage)]
    launched(arguments, processes=processes)
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def step_of_one(tiny_checkpoint, tmp_path_factory):
    """The step of one process on 8 rows in groups of 4, by which rows have images: each is made once."""

    @cache
    def step(pictures):
        folder = tmp_path_factory.mktemp("two-processes") / "one"
        return run(tiny_checkpoint, folder, processes=1, rows=8, group=4, pictures=pictures)

    return step


def test_two_processes_make_the_step_of_one(tiny_checkpoint, step_of_one, tmp_path):
    one = step_of_one("all")
    two = run(tiny_checkpoint, tmp_path / "two", processes=2, rows=4, group=4)
    assert two["weights"] == pytest.approx(one["weights"], abs=1e-5)
    same = [name for name in one["row"] if name.startswith(("accuracy", "rapr", "reward", "calls", "filtered"))]
    assert {name: two["row"][name] for name in same} == pytest.approx({name: one["row"][name] for name in same})
    assert two["row"]["grad_norm"] == pytest.approx(one["row"]["grad_norm"], rel=1e-4)


def test_processes_that_keep_unequally_many_rows_make_the_step_of_one(tiny_checkpoint, tmp_path):
    one = run(tiny_checkpoint, tmp_path / "one", processes=1, rows=16, group=4, learn=4)
    two = run(tiny_checkpoint, tmp_path / "two", processes=2, rows=8, group=4, learn=4)
    assert one["row"]["filtered"] == two["row"]["filtered"] == 12 / 16
    assert two["weights"] == pytest.approx(one["weights"], abs=1e-5)
    assert two["row"]["grad_norm"] == pytest.approx(one["row"]["grad_norm"], rel=1e-4)


def test_a_process_without_any_picture_makes_the_step_with_the_others(tiny_checkpoint, step_of_one, tmp_path):
    one = step_of_one("first")
    two = run(tiny_checkpoint, tmp_path / "two", processes=2, rows=4, group=4, pictures="first")
    assert one["row"]["filtered"] < 1
    assert two["weights"] == pytest.approx(one["weights"], abs=1e-5)
    assert two["row"]["grad_norm"] == pytest.approx(one["row"]["grad_norm"], rel=1e-4)


def test_a_group_that_is_spread_over_two_processes_is_rewarded_as_one(tiny_checkpoint, tmp_path):
    row = run(tiny_checkpoint, tmp_path / "spread", processes=2, rows=4, group=8)["row"]
    assert row["rapr"] == 1 / 8
    assert row["rewards/curiosity"] == pytest.approx(0.5 * (0.3 - 1 / 8) / 8)


@pytest.mark.parametrize("stage", [2, 3])
@pytest.mark.parametrize("pictures", ["all", "first"])
def test_two_processes_that_shard_the_model_make_the_step_of_one(
    tiny_checkpoint, step_of_one, tmp_path, stage, pictures
):
    """With `first`, one of them has no picture: it runs the vision tower all the same, on a blank row."""
    pytest.importorskip("deepspeed")
    one = step_of_one(pictures)
    two = run(tiny_checkpoint, tmp_path / "two", processes=2, rows=4, group=4, pictures=pictures, stage=stage)
    same = [name for name in one["row"] if name.startswith(("accuracy", "rapr", "reward", "calls", "filtered"))]
    assert {name: two["row"][name] for name in same} == pytest.approx({name: one["row"][name] for name in same})
    assert two["row"]["grad_norm"] == pytest.approx(one["row"]["grad_norm"], rel=1e-4)
    assert two["row"]["loss"] == pytest.approx(one["row"]["loss"], abs=1e-6)
    # What an engine would be given: every parameter, whole, as one process holds it.
    assert two["as_served"].keys() == one["as_served"].keys()
    assert two["as_served"] == pytest.approx(one["as_served"], rel=1e-4)


def test_an_engine_is_given_whole_parameters_of_a_model_that_fsdp_2_has_split(tiny_checkpoint, tmp_path):
    script = SCRIPT.with_name("sharded_weights.py")
    launched([str(script), str(tiny_checkpoint), str(tmp_path / "result.json")], processes=2)
    found = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert sorted(found["same"]) == found["names"] and all(found["same"].values())
    assert found["share"] < 0.6  # it was split, indeed
