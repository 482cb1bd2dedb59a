import json
from pathlib import Path

import pytest

from tests.agents.process_groups import launched

SCRIPT = Path(__file__).with_name("two_process_sft.py")


def run(checkpoint, folder, *, processes, rows, stage=0):
    folder.mkdir()
    launched([str(SCRIPT), str(checkpoint), str(folder), str(rows), str(stage)], processes=processes)
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def one(tiny_checkpoint, tmp_path_factory):
    """The step of one process."""
    return run(tiny_checkpoint, tmp_path_factory.mktemp("sft") / "one", processes=1, rows=4)


@pytest.mark.parametrize("stage", [0, 2, 3])
def test_two_processes_of_which_one_has_no_picture_make_the_step_of_one(tiny_checkpoint, tmp_path, one, stage):
    """Sharded, that one runs the vision tower all the same, on a blank row; and both play the held-out tasks."""
    if stage:
        pytest.importorskip("deepspeed")
    two = run(tiny_checkpoint, tmp_path / "two", processes=2, rows=2, stage=stage)
    assert two["row"]["loss"] == pytest.approx(one["row"]["loss"], rel=1e-5)
    assert two["row"]["grad_norm"] == pytest.approx(one["row"]["grad_norm"], rel=1e-4)
    assert two["played"] == one["played"] and one["played"][1] == [1, 1]
