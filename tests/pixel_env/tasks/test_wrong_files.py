"""Files that are not what they seem: each is refused in a line that says the way out, and none costs minutes."""

import csv
import json

import pyarrow
import pytest
from pyarrow import parquet

from pixel_env.errors import TaskError
from pixel_env.tasks import load_tasks, read_path
from pixel_env.tasks.files.rows import read_rows
from tests.cpu_time import NOT_QUADRATIC, growth

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 123456\n"
ROW = {"question": "What is it?", "answer": "red"}


@pytest.mark.parametrize("name", ["set.parquet", "set.arrow", "set.jsonl", "set.json", "set.csv", "set.tsv"])
@pytest.mark.parametrize("is_folder", [True, False])
def test_a_pointer_of_git_lfs_says_how_to_get_the_file(tmp_path, name, is_folder):
    (tmp_path / name).write_text(POINTER)
    with pytest.raises(TaskError, match="git lfs pull"):
        load_tasks(tmp_path if is_folder else tmp_path / name)


@pytest.mark.parametrize(("column", "name"), [("image", "a.png"), ("video", "a.mp4")])
def test_a_pointer_of_git_lfs_in_place_of_an_image_or_a_video_says_how_to_get_it(make, tmp_path, column, name):
    (tmp_path / name).write_text(POINTER)
    with pytest.raises(TaskError, match="git lfs pull"):
        load_tasks(make.as_lines(tmp_path / "mine.jsonl", [ROW | {column: name}]))


@pytest.mark.parametrize("suffix", ["csv", "tsv"])
def test_a_long_quoted_cell_of_separated_text_costs_a_pass_and_not_one_for_each_line(tmp_path, suffix):
    separator = "," if suffix == "csv" else "\t"
    line = "x" * 10_000 + "\n"

    def read(lines):
        path = tmp_path / f"set{lines}.{suffix}"
        path.write_text(f'question{separator}answer\n"{line * lines}"{separator}b\n"He said ""no"".\n"{separator}c\n')
        return list(read_rows(path))

    assert growth(read, 40) < NOT_QUADRATIC
    first, second = read(40)
    assert len(first.values["question"]) == 40 * len(line)
    assert (second.values["question"], second.values["answer"]) == ('He said "no".\n', "c")


def test_a_column_of_images_that_is_empty_in_every_row_is_not_a_set_without_images(make, tmp_path):
    options = {"A": "red", "B": "blue", "answer": "A"}
    path = make.as_json(tmp_path / "set.json", [{"question": "Which?", "image": None, **options} for _ in range(3)])
    with pytest.raises(TaskError, match=r"'image' is empty in every row.*leave the column out"):
        load_tasks(path)


def test_a_set_may_have_questions_with_and_without_an_image(make, tmp_path):
    make.picture(tmp_path / "a.png")
    rows = [{"question": "Which?", "A": "red", "B": "blue", "answer": "A", "image": name} for name in (None, "a.png")]
    tasks = load_tasks(make.as_json(tmp_path / "set.json", rows)).tasks
    assert [task.media for task in tasks] == ["text", "image"]


def test_texts_with_classes_are_no_questions(make, tmp_path):
    rows = [{"text": "a fine film", "label": 1}, {"text": "a dull one", "label": 0}]
    path = make.as_json(tmp_path / "set.json", rows)
    with pytest.raises(TaskError, match="columns are label, text"):
        load_tasks(path)


def test_base64_with_a_typing_error_is_not_taken_for_a_path(make, tmp_path):
    text = "iVBORw0KGgo" + "A" * 5000 + "*" + "A" * 10
    with pytest.raises(TaskError, match=r"base64.*encode the image again") as caught:
        load_tasks(make.as_lines(tmp_path / "mine.jsonl", [ROW | {"image": text}]))
    assert max(map(len, str(caught.value).splitlines())) < 400


def test_what_stands_in_place_of_an_object_is_shown(make, tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text(f"{json.dumps(ROW)}\n[2]\n")
    [_, row] = read_rows(path)
    assert row.problem == "expected an object, got [2]"


def test_a_footer_that_contradicts_the_schema_is_an_error_and_does_not_end_the_process(tmp_path):
    schema = pyarrow.schema([("question", pyarrow.string()), ("answer", pyarrow.string())])
    path = tmp_path / "set.parquet"
    parquet.write_table(pyarrow.Table.from_pylist([{"question": "q", "answer": "a"}] * 2, schema=schema), path)
    content = path.read_bytes()
    # The type of the first column's chunk (6: bytes), before its encodings, becomes one that does not exist.
    assert content.count(b"\x15\x0c\x19") == 2
    path.write_bytes(content.replace(b"\x15\x0c\x19", b"\x15\x2c\x19", 1))
    with pytest.raises(TaskError, match="its footer says that 'question' holds UNKNOWN"):
        load_tasks(path)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("rows.csv", {"question": "<image>\nWhat is it?", "answer": "dog"}),
        ("rows.csv", {"question": "Picture 1: <img>a.png</img>What is it?", "answer": "dog"}),
        ("rows.jsonl", {"problem": "<image>What is it?", "solution": "dog"}),
        ("rows.jsonl", {"question": "<video>What is it?", "answer": "dog"}),
        (
            "rows.jsonl",
            {"prompt": [{"role": "user", "content": "<image>What?"}], "reward_model": {"ground_truth": "dog"}},
        ),
    ],
)
def test_a_question_that_stands_for_an_image_is_never_asked_without_one(name, row, tmp_path):
    if name.endswith(".csv"):
        with (tmp_path / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, list(row))
            writer.writeheader()
            writer.writerow(row)
    else:
        (tmp_path / name).write_text(json.dumps(row))
    reading = read_path(tmp_path / name)
    assert not len(reading.task_set) and "no image or video" in reading.problems[0].reason


def test_a_question_about_a_tag_is_asked_as_it_stands(tmp_path):
    (tmp_path / "rows.jsonl").write_text(json.dumps({"question": "What does <video> mean in HTML?", "answer": "film"}))
    assert len(load_tasks(tmp_path / "rows.jsonl", strict=True)) == 1
