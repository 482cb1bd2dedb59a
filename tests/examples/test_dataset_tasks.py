import json
import sys

import pytest

from pixel_env.cli import main
from pixel_env.tasks import load_tasks
from tests.paths import EXAMPLES


@pytest.fixture
def dataset_tasks(monkeypatch):
    """The example as the module that the command line names."""
    pytest.importorskip("datasets")
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.delitem(sys.modules, "dataset_tasks", raising=False)
    import dataset_tasks

    return dataset_tasks


def test_a_data_set_in_memory_is_played_and_evaluated(dataset_tasks, tmp_path, capsys):
    assert dataset_tasks.main(["--output_dir", str(tmp_path / "run")]) == 0
    shown = capsys.readouterr().out
    assert "(D) black\nAnswer with the letter of the option." in shown
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert "oracle_zoom" in json.dumps(metrics) and "1.000 of" in shown
    configuration = json.loads((tmp_path / "run" / "configuration.json").read_text())
    assert "dataset_tasks:tasks" in json.dumps(configuration)


def test_its_tasks_are_those_of_its_rows_and_splits_differ(dataset_tasks):
    data = dataset_tasks.rows("test")
    tasks = load_tasks("dataset_tasks:tasks").tasks
    assert len(tasks) == len(data) == 12
    for position in (0, 11):
        row, task = data[position], tasks[position]
        assert task.sources[0].decode().tobytes() == row["image"].convert("RGB").tobytes()
        assert task.answers == (row["choices"][row["answer"]],) and task.options == tuple(row["choices"])
    assert load_tasks("dataset_tasks:tasks", split="train").tasks[0].sources[0].key != tasks[0].sources[0].key


def test_it_is_described(dataset_tasks, capsys):
    assert main(["data", "describe", "dataset_tasks:tasks"]) == 0
    assert "images: 12, 1 a task; 640x640" in capsys.readouterr().out
