import json

import pytest

from agents.traces.trace import Mistake, Trace, TraceTurn, read_traces, write_traces
from pixel_env.errors import TaskError
from pixel_env.task import TaskSet
from pixel_env.testing import tiny_task

TASK = tiny_task("one")
TASKS = TaskSet("own", [TASK])
ROW = {"task_id": "one", "turns": [{"text": "<answer>7", "train": True}]}


def test_a_file_gives_the_traces_back_that_were_written(tmp_path):
    wrong = TraceTurn("<crop> 0 0 4 4", train=False, mistake=Mistake.UNRELATED_REGION)
    traces = [Trace(TASK, (wrong, TraceTurn("<answer>7")), "recrop_once"), Trace(TASK, (TraceTurn("a\u2028b"),))]
    write_traces(traces, tmp_path / "traces.jsonl")
    assert read_traces(tmp_path / "traces.jsonl", TASKS) == traces


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (ROW | {"turns": [{"text": "7", "train": "false"}]}, "'train' is 'false', wanted true or false"),
        (ROW | {"turns": [{"text": "7", "train": 1}]}, "'train' is 1"),
        (ROW | {"turns": [{"text": 7, "train": True}]}, "'text' is 7, wanted a text"),
        (ROW | {"turns": [{"text": "7", "train": True, "mistake": "odd"}]}, "'odd' is not a valid Mistake"),
        (ROW | {"turns": "7"}, "'turns' is '7', wanted a list"),
        (ROW | {"turns": ["7"]}, "indices must be integers"),
        (ROW | {"task_id": ["one"]}, r"'task_id' is \['one'\], wanted a text"),
        (ROW | {"kind": None}, "'kind' is None"),
        ([ROW], "indices must be integers"),
    ],
)
def test_a_value_of_another_type_is_refused_by_row_and_key_and_never_read_as_if_true(tmp_path, row, told):
    path = tmp_path / "traces.jsonl"
    path.write_text(f"{json.dumps(ROW)}\n{json.dumps(row)}\n", encoding="utf-8")
    with pytest.raises(TaskError, match=f"traces.jsonl, row 2: not a trace.*{told}"):
        read_traces(path, TASKS)


def test_a_file_that_is_no_text_is_told_of_by_its_path(tmp_path):
    path = tmp_path / "traces.jsonl"
    path.write_bytes(b"\xff\xfe{")
    for unreadable in (path, tmp_path / "missing.jsonl"):
        with pytest.raises(TaskError, match=f"cannot read the traces .*{unreadable.name}.*UTF-8"):
            read_traces(unreadable, TASKS)
