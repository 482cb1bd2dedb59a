"""The released RL data as tasks of ours: a hand-made file in its schema, converted, loaded and played."""

import json
import runpy
from pathlib import Path

import pytest
from PIL import Image

from pixel_env.env import PixelEnv
from pixel_env.errors import TaskError

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "convert_rl_data.py"
CONVERT = runpy.run_path(str(EXAMPLE), run_name="example")
CHOICE = {
    "question": "<image>\nWhat is the material of the glove?\n(A) rubber\n(B) cotton\nAnswer with the letter directly.",
    "answer": ["\\boxed{B}"],
    "image": ["images/glove.png"],
    "is_video": None,
    "qid": "vstar-7",
}
COUNT = {"question": "How many dogs?", "answer": ["\\boxed{4}"], "image": ["images/dogs.png"], "is_video": False}
VIDEO = {
    "question": "What was taken?",
    "answer": ["\\boxed{['The clothes.', 'clothes']}"],
    "image": [f"videos/clip/{i:02}.png" for i in range(20)],
    "is_video": True,
    "qid": "star-1",
}
ROWS = [CHOICE, COUNT | {"qid": "tally-3"}, VIDEO]


@pytest.fixture
def folder(tmp_path):
    for row in ROWS:
        for name in row["image"]:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (300, 200), "white").save(tmp_path / name)
    return tmp_path


def parquet(rows, path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


def test_a_choice_a_number_and_a_video_of_the_parquet_file_become_tasks(folder, capsys):
    task_set = CONVERT["main"]([str(parquet(ROWS, folder / "release.parquet"))])
    choice, count, video = task_set.tasks
    assert choice.question == "What is the material of the glove?\nAnswer with the letter directly."
    assert (choice.options, choice.answers, choice.grader) == (("rubber", "cotton"), ("B",), "choice")
    assert (choice.task_id, choice.category, choice.media, len(choice.sources)) == ("vstar-7", "vstar", "image", 1)
    assert (count.answers, count.grader, count.options) == (("4",), "number", ())
    assert (video.media, video.answers, video.grader) == ("video", ("The clothes.", "clothes"), "exact")
    assert "3 tasks, 0 rows left out" in capsys.readouterr().out


def test_the_tasks_are_played_and_graded_where_the_answer_was_boxed(folder):
    task_set = CONVERT["main"]([str(parquet(ROWS, folder / "release.parquet"))])
    for task, answer in zip(task_set.tasks, ("(B) cotton", "four", "Clothes"), strict=True):
        env = PixelEnv(task_set, dialect="released:vcot:train-pixels")
        observation, _ = env.reset(options={"task_id": task.task_id})
        assert len(observation["images"]) == len(task.sources) and observation["text"].count("(B) cotton") <= 1
        assert env.step(f"\\boxed{{{answer}}}")[1] == 1.0


def test_a_long_video_keeps_16_frames_from_the_first_to_the_last(folder):
    frames = CONVERT["task_row"](VIDEO, folder)["frames"]
    assert len(set(frames)) == 16 and frames == sorted(frames)
    assert (frames[0], frames[-1]) == ("videos/clip/00.png", "videos/clip/19.png")
    assert CONVERT["task_row"](VIDEO | {"image": VIDEO["image"][:9]}, folder)["frames"] == VIDEO["image"][:9]


def test_json_with_its_own_name_for_the_answer_and_a_row_without_pictures_are_read(folder):
    rows = [{"question": "What is 6 times 7?", "gt_answer": "\\boxed{42}", "image": [], "qid": "text-1"}]
    (folder / "release.json").write_text(json.dumps(rows), encoding="utf-8")
    (folder / "lines.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    for name in ("release.json", "lines.jsonl"):
        [task] = CONVERT["main"]([str(folder / name)]).tasks
        assert (task.media, task.answers, task.grader, task.category) == ("text", ("42",), "number", "text")


def test_rows_that_cannot_be_used_are_left_out_and_named_and_repeated_ids_stay_apart(folder, capsys):
    rows = [*ROWS, CHOICE, COUNT | {"image": ["images/gone.png"]}, COUNT | {"answer": []}]
    (folder / "release.json").write_text(json.dumps(rows), encoding="utf-8")
    task_set = CONVERT["main"]([str(folder / "release.json")])
    assert [task.task_id for task in task_set.tasks] == ["vstar-7", "tally-3", "star-1", "vstar-7#2"]
    printed = capsys.readouterr()
    assert "row 5 left out" in printed.err and "gone.png" in printed.err and "row 6 left out" in printed.err
    assert "2 rows left out" in printed.out


@pytest.mark.parametrize(
    ("question", "stem", "options"),
    [
        ("Which?\nOptions:\nA. red\nB. blue sky\nC. green", "Which?", ["red", "blue sky", "green"]),
        ("Which one? A) red, B) blue", "Which one?", ["red", "blue"]),
        ("Is vitamin A. good? Options: (A) yes (B) no", "Is vitamin A. good?", ["yes", "no"]),
        ("What does plan A. say?", "What does plan A. say?", []),
        ("A. red\nB. blue", "A. red\nB. blue", []),
        ("Which?\n(A) red\n(C) blue", "Which?\n(A) red\n(C) blue", []),
    ],
)
def test_lettered_options_are_told_from_the_question(question, stem, options):
    assert CONVERT["without_options"](question) == (stem, options)


def test_a_letter_that_is_none_of_the_options_leaves_the_question_as_it_was(folder):
    row = CONVERT["task_row"](CHOICE | {"answer": ["\\boxed{E}"]}, folder)
    assert "(A) rubber" in row["question"] and row["answer"] == ["E"] and "options" not in row


@pytest.mark.parametrize(
    ("given", "answers"),
    [
        ("\\boxed{B}", ["B"]),
        ("plain", ["plain"]),
        (["\\boxed{12%}"], ["12%", "12"]),
        (["\\boxed{['a', 'b']}", "a"], ["a", "b"]),
        (["\\boxed{[unquoted}"], ["[unquoted"]),
        (["\\boxed{}"], []),
    ],
)
def test_reference_answers_are_what_stands_in_the_boxes(given, answers):
    assert CONVERT["reference_answers"](given) == answers


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "release.json").write_text("{", encoding="utf-8")
    with pytest.raises(TaskError, match=r"release\.json.*\.parquet"):
        CONVERT["main"]([str(tmp_path / "release.json")])
