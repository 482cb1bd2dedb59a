"""The index of a prepared folder counts as long as the task files are those that it was made from."""

import json
import os
import warnings

import pytest
from PIL import Image

from pixel_env.tasks import BadRowsWarning, load_tasks, locate_spec
from pixel_env.tasks.preparation.index import index_of, read_index
from pixel_env.tasks.preparation.preparing import prepare

ROW = {"question": "Which?", "image": "red.png", "answer": "red"}


def write_rows(folder, *ids):
    (folder / "tasks.jsonl").write_text("".join(f"{json.dumps({'id': name, **ROW})}\n" for name in ids), "utf-8")


@pytest.fixture
def prepared(tmp_path):
    """A folder with one task, prepared while its picture was broken."""
    write_rows(tmp_path, "q0")
    (tmp_path / "red.png").write_bytes(b"no picture")
    prepare(tmp_path)
    assert index_of(tmp_path).faults
    return tmp_path


def test_the_index_of_these_very_files_counts(prepared):
    assert read_index(locate_spec(prepared)) == index_of(prepared)


def test_what_the_index_of_other_files_says_of_an_image_is_not_believed(prepared):
    Image.new("RGB", (64, 64), "red").save(prepared / "red.png")
    write_rows(prepared, "q0", "q1")
    with warnings.catch_warnings():
        warnings.simplefilter("error", BadRowsWarning)
        assert len(load_tasks(prepared)) == 2
    assert read_index(locate_spec(prepared)) is None


@pytest.mark.parametrize("changed_ns", [1, -1])
def test_a_task_file_of_the_same_size_and_another_time_makes_the_index_none(prepared, changed_ns):
    file = prepared / "tasks.jsonl"
    time_ns = file.stat().st_mtime_ns + changed_ns * 1_000_000_000
    os.utime(file, ns=(time_ns, time_ns))
    assert read_index(locate_spec(prepared)) is None
