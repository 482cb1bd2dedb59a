import pytest


@pytest.mark.parametrize("stage", [0, 2, 3])
def test_two_processes_of_which_one_has_no_picture_make_the_step_of_one(steps_of, stage):
    """Sharded, that one runs the vision tower all the same, on a blank row; and both play the held-out tasks."""
    if stage:
        pytest.importorskip("deepspeed")
    one, two = steps_of(processes=1)["sft"], steps_of(processes=2, stage=stage)["sft"]
    assert two["row"]["loss"] == pytest.approx(one["row"]["loss"], rel=1e-5)
    assert two["row"]["grad_norm"] == pytest.approx(one["row"]["grad_norm"], rel=1e-4)
    assert two["played"] == one["played"] and one["played"][1] == [1, 1]
