"""Task sets by name and from files."""

import json
import os

import pytest
from PIL import Image

from pixel_env.boxes import Box
from pixel_env.env import PixelEnv
from pixel_env.errors import TaskError, UnknownNameError
from pixel_env.task import Evidence, Variant, cluster_of
from pixel_env.tasks import load_tasks
from pixel_env.testing import tiny_task, tiny_task_set


@pytest.fixture
def folder(tmp_path):
    inside = tmp_path / "data"
    (inside / "photos").mkdir(parents=True)
    Image.new("RGB", (300, 300), "red").save(inside / "photos" / "one.png")
    Image.new("RGB", (300, 300), "blue").save(inside / "photos" / "two.png")
    Image.new("RGB", (300, 300)).save(tmp_path / "outside.png")
    return inside


GOOD = {"question": "Which digit?", "image": "photos/one.png", "answer": "7"}
FRAMES = {"question": "Which digit?", "frames": ["photos/one.png", "photos/two.png"], "answer": "7"}
ROTATION = {"kind": "rotation", "question_id": "q7", "name": "2"}


def written(folder, *rows):
    path = folder / "mine.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


# ----------------------------------------------------------------------------------------------------- good rows


def test_a_row_needs_a_question_an_image_and_an_answer(folder):
    task_set = load_tasks(written(folder, GOOD))
    (task,) = task_set.tasks
    assert (task.task_id, task.question, task.answers, task.grader) == ("mine:1", "Which digit?", ("7",), "exact")
    assert (task.media, task.needs_looking, task.evidence, task.category) == ("image", None, (), "")
    assert task.sources[0].decode().getpixel((0, 0)) == (255, 0, 0)
    assert task_set.name == "mine" and task_set.notice == "" and task_set.budgets is None


def test_every_optional_key_is_read(folder):
    row = {
        "id": "a",
        "question": "What colour?",
        "image": ["photos/one.png", "photos/two.png"],
        "answer": ["red", "A"],
        "grader": "choice",
        "options": ["red", "blue"],
        "evidence": [{"image": 1, "box": [0, 0.25, 0.5, 1]}],
        "category": "colour",
        "needs_looking": True,
    }
    (task,) = load_tasks(str(written(folder, row))).tasks
    assert (task.task_id, task.answers, task.grader, task.options) == ("a", ("red", "A"), "choice", ("red", "blue"))
    assert task.evidence == (Evidence(1, Box(0.0, 0.25, 0.5, 1.0)),)
    assert (task.category, task.needs_looking, len(task.sources)) == ("colour", True, 2)


def test_options_make_a_choice_frames_a_video_and_neither_image_a_text(folder):
    rows = [
        GOOD | {"options": ["7", "8"]},
        FRAMES | {"frames_per_second": 2},
        {"question": "q", "answer": "a"},
    ]
    choice, video, text = load_tasks(written(folder, *rows)).tasks
    assert choice.grader == "choice"
    assert (video.media, len(video.sources), text.media, text.sources) == ("video", 2, "text", ())
    assert (video.frames_per_second, text.frames_per_second) == (2.0, None)


def test_empty_lines_are_skipped_and_a_byte_order_mark_is_no_matter(folder):
    path = folder / "mine.jsonl"
    path.write_text("\ufeff" + json.dumps(GOOD) + "\n\n" + json.dumps(GOOD) + "\n", encoding="utf-8")
    assert [task.task_id for task in load_tasks(path).tasks] == ["mine:1", "mine:3"]


def test_a_text_may_hold_any_line_separator_of_unicode(folder):
    path = folder / "mine.jsonl"
    path.write_text(json.dumps(GOOD | {"question": "a\u2028b\x85c"}, ensure_ascii=False) + "\n", encoding="utf-8")
    assert load_tasks(path).tasks[0].question == "a\u2028b\x85c"


def test_a_row_may_name_its_cluster_and_which_form_of_a_question_it_is(folder):
    rows = [GOOD, GOOD | {"id": "b", "cluster": "photo 1", "variant": ROTATION}]
    rows += [GOOD | {"id": "c", "variant": ROTATION | {"kind": "view", "name": "crop"}}]
    tasks = load_tasks(written(folder, *rows)).tasks
    assert [cluster_of(task) for task in tasks] == ["", "photo 1", "q7"]
    assert [task.variant for task in tasks] == [None, Variant("rotation", "q7", "2"), Variant("view", "q7", "crop")]


def test_the_environment_plays_a_file(folder):
    env = PixelEnv(str(written(folder, GOOD, GOOD | {"id": "b", "answer": "8"})))
    observation, _ = env.reset(options={"task_id": "b"})
    assert len(observation["images"]) == 1
    assert env.step("\\boxed{8}")[1] == 1.0


# ------------------------------------------------------------------------------------------------------ bad rows


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{", "not valid JSON"),
        ("[1]", "expected an object, got [1]"),
        (GOOD | {"quest": 1, "img": 2}, "unknown key(s) img, quest; the known keys are answer"),
        ({"image": "photos/one.png", "answer": "7"}, "'question' must be a text that is not empty"),
        (GOOD | {"question": "  "}, "'question' must be a text that is not empty"),
        ({"question": "q", "image": "photos/one.png"}, "'answer' is missing"),
        (GOOD | {"answer": 7}, "'answer' must be a text or a list of texts"),
        (GOOD | {"answer": ["7", ""]}, "none empty"),
        (GOOD | {"frames": ["photos/one.png"]}, "either 'image' or 'frames'"),
        (GOOD | {"image": []}, "'image' must be a path or a list of paths, and is empty"),
        ({"question": "q", "frames": "photos/one.png", "answer": "a"}, "'frames' must be a list"),
        (GOOD | {"frames_per_second": 2}, "'frames_per_second' is the rate of 'frames'"),
        (FRAMES | {"frames_per_second": 0}, "'frames_per_second' must be a number above 0, got 0"),
        (FRAMES | {"frames_per_second": "2"}, "'frames_per_second' must be a number above 0"),
        (GOOD | {"cluster": 7}, "'cluster' must be a text"),
        (GOOD | {"variant": "rotation"}, 'a variant is {"kind": ..., "question_id": ..., "name": ...}'),
        (GOOD | {"variant": ROTATION | {"of": 4}}, "a variant is {"),
        (GOOD | {"variant": ROTATION | {"kind": "turn"}}, "the kind of a variant is 'rotation' or 'view', got 'turn'"),
        (GOOD | {"variant": ROTATION | {"kind": "view"}}, "a view is named 'full' or 'crop', got '2'"),
        (GOOD | {"variant": ROTATION | {"question_id": ""}}, "'question_id' must be a text that is not empty"),
        (GOOD | {"image": "photos/gone.png"}, "there is no image 'photos/gone.png'"),
        (GOOD | {"image": "photos"}, "there is no image"),
        (GOOD | {"image": "../outside.png"}, "leaves the folder"),
        (GOOD | {"image": "photos/../../outside.png"}, "leaves the folder"),
        (GOOD | {"image": "/etc/hostname"}, "leaves the folder"),
        (GOOD | {"image": "a\0b"}, "not a path"),
        (
            GOOD | {"grader": "exat"},
            "No grader named 'exat'. Did you mean 'exact'?",
        ),
        (GOOD | {"grader": "no_such_module:near"}, "The grader 'no_such_module:near' cannot be loaded"),
        (GOOD | {"grader": "os.path:join"}, "'os.path:join' is not marked as a grader, so it is not called"),
        (GOOD | {"grader": "choice"}, "needs 'options'"),
        (GOOD | {"options": ["a", "b"]}, "'7' is neither one of the options"),
        (GOOD | {"options": [1, 2]}, "'options' must be"),
        (GOOD | {"evidence": {}}, "'evidence' must be a list"),
        (GOOD | {"evidence": [{"box": [0, 0, 1, 1]}]}, '"image": number from 0'),
        (GOOD | {"evidence": [{"image": 1, "box": [0, 0, 1, 1]}]}, "image 1 does not exist; the row has 1"),
        (GOOD | {"evidence": [{"image": True, "box": [0, 0, 1, 1]}]}, "does not exist"),
        (GOOD | {"evidence": [{"image": 0, "box": "all"}]}, "list of 4 fractions"),
        (GOOD | {"evidence": [{"image": 0, "box": [0, 0, 300, 300]}]}, "Boxes are fractions"),
        (GOOD | {"evidence": [{"image": 0, "box": [0.5, 0, 0.2, 1]}]}, "inverted"),
        (GOOD | {"needs_looking": "yes"}, "true or false"),
        (GOOD | {"category": 3}, "'category' must be a text"),
        (GOOD | {"id": 3}, "'id' must be a text"),
    ],
)
def test_a_bad_row_is_named_with_file_line_and_what_is_expected(folder, row, said):
    path = written(folder, GOOD, row)
    with pytest.raises(TaskError) as error:
        load_tasks(path, strict=True)
    assert f"{path}, line 2: " in str(error.value) and said in str(error.value)


def test_all_bad_rows_are_reported_together_and_the_report_stays_short(folder):
    path = written(folder, {"question": ""}, GOOD, "{", *[GOOD | {"answer": ""}] * 30)
    with pytest.raises(TaskError) as error:
        load_tasks(path, strict=True)
    report = str(error.value)
    assert report.startswith("32 bad row(s)") and "line 1:" in report and "line 3:" in report
    assert report.endswith(", line 22 to 33") and "line 2:" not in report and len(report.splitlines()) == 23


def test_an_id_that_is_taken_is_reported(folder):
    with pytest.raises(TaskError, match="line 2: an earlier row has the id 'a'"):
        load_tasks(written(folder, GOOD | {"id": "a"}, GOOD | {"id": "a"}), strict=True)


def test_a_link_does_not_lead_out_of_the_folder(folder):
    os.symlink(folder.parent / "outside.png", folder / "link.png")
    with pytest.raises(TaskError, match="leaves the folder"):
        load_tasks(written(folder, GOOD | {"image": "link.png"}))


def test_a_file_that_is_not_there_or_not_text_is_named(folder):
    with pytest.raises(TaskError, match=r"gone\.jsonl"):
        load_tasks(folder / "gone.jsonl")
    with pytest.raises(TaskError, match=r"one\.png.*UTF-8"):
        load_tasks(folder / "photos" / "one.png")


def test_an_empty_file_is_refused(folder):
    with pytest.raises(TaskError, match="empty"):
        load_tasks(written(folder))


# ------------------------------------------------------------------------------------------------------ other sources


def test_tasks_and_task_sets_are_taken_as_they_are_and_count_keeps_the_first():
    assert load_tasks([tiny_task()]).tasks == [tiny_task()]
    assert load_tasks(tiny_task_set(5)).name == "tiny"
    assert [task.task_id for task in load_tasks(tiny_task_set(5), count=2).tasks] == ["tiny-0", "tiny-1"]


def test_a_sample_set_has_splits_and_a_count():
    train, test = (load_tasks("sample:vstar-tiny", split=split, count=4) for split in ("train", "test"))
    assert len(train) == len(test) == 4
    assert {task.task_id for task in train.tasks}.isdisjoint(task.task_id for task in test.tasks)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"spec": []}, "empty"),
        ({"spec": [{"question": "q"}]}, "got an item of type dict"),
        ({"spec": [tiny_task()], "count": 0}, "at least 1"),
        ({"spec": [tiny_task()], "split": "dev"}, "'train' or 'test'"),
    ],
)
def test_what_is_no_task_set_is_refused(arguments, said):
    with pytest.raises(TaskError, match=said):
        load_tasks(**arguments)


def test_a_misspelt_sample_set_gets_a_suggestion():
    with pytest.raises(UnknownNameError, match="vstar-tiny"):
        load_tasks("sample:vstar-tinny")
