"""Every form in which a set lies on disk is read: the tasks, their options, their answer and their images."""

import pickle
import warnings
import zipfile

import pytest

from pixel_env.errors import TaskError
from pixel_env.grading import grade
from pixel_env.tasks import BadRowsWarning, load_tasks
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row
from pixel_env.tasks.formats.recognition import FORMATS
from pixel_env.tasks.preparation.preparing import prepare
from tests.pixel_env.tasks.forms import FORMS, choice_rows, encoded_bytes
from tests.pixel_env.tasks.published import as_parquet, film, picture
from tests.pixel_env.tasks.test_bad_rows import GOOD
from tests.written_files import as_json, as_lines

pytest.importorskip("pyarrow")

READ = {
    "lmms_vstar": (2, "choice", ("red", "blue")),
    "vstar_with_choices": (2, "choice", ("red", "blue")),
    "parquet_conversion": (2, "choice", ("red", "blue")),
    "shards": (6, "choice", ("red", "blue")),
    "base64_column": (4, "choice", ("red", "blue", "green", "white")),
    "tallyqa_of_hub": (4, "number", ()),
    "docvqa_of_hub": (1, "anls", ()),
    "docvqa_download": (1, "anls", ()),
    "infographicvqa_of_hub": (2, "anls", ()),
    "released_in_shards": (2, "choice", ("red", "blue")),
    "verl": (1, "choice", ("red", "blue")),
    "deepeyes": (1, "choice", ("red", "blue")),
    "lists_of_messages": (1, "choice", ("red", "blue")),
    "saved_to_disk": (3, "choice", ("red", "blue")),
    "comma_separated": (2, "choice", ("red, yes", "no")),
    "samples": (2, "choice", ("red", "blue")),
    "evaluation_lines": (1, "exact", ()),
    "evaluation_lines_of_many_answers": (1, "exact", ()),
    "llava": (1, "choice", ("red", "blue")),
    "sharegpt": (1, "choice", ("red", "blue")),
    "data_urls": (1, "exact", ()),
    "base64_in_json": (1, "exact", ()),
    "one_column_of_options": (1, "choice", ("red", "blue")),
    "easy_r1": (1, "choice", ("red", "blue")),
    "mathvista": (1, "choice", ("red", "blue")),
    "numbered_images": (1, "choice", ("red", "blue")),
    "local_table": (1, "choice", ("red", "blue")),
    "mvbench_cut": (2, "choice", ("red", "blue")),
}
"""By form: how many tasks it gives, how they are graded, and the options of the first."""

WITH_REMARKS = ("base64_column", "mathvista")  # columns that nobody needs are named


def read(form, folder, **given):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if form in WITH_REMARKS else "error")
        return load_tasks(FORMS[form](folder), **given)


def test_every_form_of_the_table_is_tested():
    assert READ.keys() == FORMS.keys()


@pytest.mark.parametrize("form", READ)
def test_a_form_is_read_as_it_lies_after_a_download(form, tmp_path):
    tasks = read(form, tmp_path).tasks
    count, grader, options = READ[form]
    first = tasks[0]
    assert (len(tasks), first.grader, first.options) == (count, grader, options)
    assert len({task.task_id for task in tasks}) == count
    assert grade(first, "red" if options[:1] == ("red",) else first.answers[0]) == 1.0
    assert all(sign not in first.question for sign in ("<image>", "(A)", "image_zoom_in_tool", "directly"))
    assert first.media == ("video" if form == "mvbench_cut" else "image")
    if form != "mvbench_cut":
        for task in tasks:
            shown = pickle.loads(pickle.dumps(task)).sources[0].decode()
            assert shown.size == (64, 48)
            assert shown.getpixel((5, 5))[0] > 250 and shown.getpixel((5, 5))[1] < 5


def test_the_questions_about_an_image_are_a_cluster_and_share_it(tmp_path):
    tasks = read("tallyqa_of_hub", tmp_path).tasks
    assert [task.category for task in tasks] == ["simple", "complex"] * 2
    assert tasks[0].cluster == tasks[1].cluster != tasks[2].cluster == tasks[3].cluster
    assert [task.category for task in load_tasks(f"tallyqa-complex:{tmp_path}").tasks] == ["complex"] * 2


def test_several_images_of_a_row_are_shown_in_their_order(tmp_path):
    sources = read("numbered_images", tmp_path).tasks[0].sources
    assert [source.decode().getpixel((5, 5)) for source in sources] == [(255, 0, 0), (0, 0, 255)]


def test_a_conversation_is_asked_its_first_question_alone(tmp_path):
    task = read("llava", tmp_path).tasks[0]
    assert task.question == "What colour is it?" and task.task_id == "1"


# ------------------------------------------------------------------------------------------------ shards and splits


def test_shards_are_one_set_in_their_order(tmp_path):
    questions = [task.question for task in read("shards", tmp_path).tasks]
    assert questions == ["q0?"] * 2 + ["q1?"] * 2 + ["q2?"] * 2


def test_a_missing_shard_is_named_and_the_way_out_works(tmp_path):
    FORMS["shards"](tmp_path)
    (tmp_path / "data/test-00001-of-00003.parquet").unlink()
    with pytest.raises(TaskError, match=r"lacks 1 of 3 shards: test-00001-of-00003\.parquet") as error:
        load_tasks(tmp_path)
    pattern = str(error.value).rpartition(": ")[2]
    assert len(load_tasks(pattern)) == 4


def test_a_gap_in_numbered_files_is_a_missing_shard(tmp_path):
    FORMS["parquet_conversion"](tmp_path)
    (tmp_path / "default/test/0001.parquet").rename(tmp_path / "default/test/0002.parquet")
    with pytest.raises(TaskError, match="lacks 1 of 3 shards"):
        load_tasks(tmp_path)


def test_the_folder_of_a_split_is_its_name(tmp_path):
    FORMS["parquet_conversion"](tmp_path)
    assert [len(load_tasks(tmp_path, split=split)) for split in ("test", "train")] == [2, 4]


def test_validation_serves_as_test_where_there_is_none_and_this_is_said(tmp_path):
    for split in ("validation", "train"):
        as_parquet(tmp_path / f"data/{split}-00000-of-00001.parquet", choice_rows(3 if split == "train" else 1))
    task_set = load_tasks(tmp_path)
    assert len(task_set) == 1 and task_set.notice == "The set has no test split; its validation split is used."


def test_sets_beside_each_other_are_listed_and_each_of_them_loads(tmp_path):
    for config in ("4k", "8k"):
        for number in range(2):
            as_parquet(tmp_path / f"data/hrbench_{config}-{number:05}-of-00002.parquet", choice_rows(1))
    with pytest.raises(TaskError, match="several files of the format 'table'; give one of them") as error:
        load_tasks(tmp_path)
    offered = [line.strip() for line in str(error.value).splitlines()[1:]]
    assert [len(load_tasks(path)) for path in offered] == [2, 2]


def test_files_that_end_in_a_year_are_no_shards(tmp_path):
    for year in (2024, 2025):
        as_parquet(tmp_path / f"exam_{year}.parquet", choice_rows(1))
    with pytest.raises(TaskError, match="several files"):
        load_tasks(tmp_path)


# ------------------------------------------------------------------------------------------------------ no wrong guess


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"answer_choices_text": ["a", "b"], "answer": "A"}, "looks like options and is not read"),
        ({"distractors": ["a", "b"], "answer": "c"}, "looks like options and is not read"),
        ({"A": "x", "answer": "A"}, "looks like options and is not read"),
        ({"A": "x", "B": None, "C": "z", "answer": "A"}, "is empty, but a later one is not"),
        ({"choices": ["a", "b"], "answer": 5}, "no index of its 2 options, counted from 0"),
        ({"choices": ["1", "2", "3"], "answer": 1}, "the text of one option and the index of another"),
        ({"choices": ["B", "A"], "answer": "A"}, "the text of one option and the letter of another"),
        ({"choices": ["a", "b"], "answer": ["A", "B"]}, "names several options"),
        ({"choices": "a; b", "answer": "a"}, "cannot be read"),
        ({"choices": "['a' 'b']", "answer": "a"}, "at least two options"),
        ({"image": "https://example.test/a.png", "answer": "1"}, "is a web address"),
        ({"photo": "a.png", "answer": "1"}, "holds an image and is not read"),
    ],
)
def test_a_row_that_would_be_misread_is_refused(tmp_path, row, said):
    with pytest.raises(TaskError, match=said):
        load_tasks(as_json(tmp_path / "rows.json", [{"question": "q?"} | row]))


def test_answers_that_count_options_from_1_are_refused(tmp_path):
    rows = [{"question": f"q{answer}?", "choices": ["a", "b", "c"], "answer": answer} for answer in (1, 2, 3)]
    with pytest.raises(TaskError, match="count its options from 1"):
        load_tasks(as_json(tmp_path / "rows.json", rows))
    rows[0]["answer"] = 0
    with pytest.warns(BadRowsWarning, match="counted from 0"):
        assert load_tasks(as_json(tmp_path / "rows.json", rows)).tasks[1].answers == ("c",)


# --------------------------------------------------------------------------------------------------- links, media root


def counting(folder, image):
    row = {"answer": 4, "image": image, "issimple": False, "question": "How many?", "question_id": 1, "image_id": 7}
    return as_json(folder / "test.json", [row | {"data_source": "amt"}])


def test_linked_folders_of_images_are_allowed_by_a_flag_or_a_media_root(tmp_path):
    picture(tmp_path / "coco/val2014/1.jpg")
    data = tmp_path / "tallyqa"
    counting(data, "val2014/1.jpg")
    (data / "val2014").symlink_to(tmp_path / "coco/val2014")
    with pytest.raises(TaskError, match=r"--follow_links .* --media_root FOLDER"):
        load_tasks(data)
    assert len(load_tasks(data, follow_links=True)) == len(load_tasks(data, media_root=tmp_path / "coco")) == 1
    (data / "val2014").unlink()
    assert len(load_tasks(data, media_root=tmp_path / "coco")) == 1


@pytest.mark.parametrize("name", ["../coco/1.jpg", "val2014/../../coco/1.jpg"])
def test_followed_links_allow_no_name_that_leaves_the_folder_itself(tmp_path, name):
    picture(tmp_path / "coco/1.jpg")
    (tmp_path / "tallyqa/val2014").mkdir(parents=True)
    with pytest.raises(TaskError, match="leaves the folder"):
        load_tasks(counting(tmp_path / "tallyqa", name), follow_links=True)


def test_a_media_root_that_is_no_folder_is_refused(tmp_path):
    with pytest.raises(TaskError, match=r"there is no folder .*nowhere"):
        load_tasks(counting(tmp_path, "1.jpg"), media_root=tmp_path / "nowhere")


def test_a_snapshot_in_the_cache_of_the_hub_is_read_by_its_path(tmp_path):
    blobs = tmp_path / "datasets--owner--name/blobs"
    picture(blobs / "aaa.png")
    counting(blobs, "images/1.png").rename(blobs / "bbb")
    snapshot = tmp_path / "datasets--owner--name/snapshots/0123"
    (snapshot / "images").mkdir(parents=True)
    (snapshot / "images/1.png").symlink_to("../../../blobs/aaa.png")
    (snapshot / "test.json").symlink_to("../../blobs/bbb")
    assert len(load_tasks(snapshot)) == 1
    picture(tmp_path / "secret.png")
    (snapshot / "images/1.png").unlink()
    (snapshot / "images/1.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(TaskError, match="leaves the folder"):
        load_tasks(snapshot)


# ----------------------------------------------------------------------------------------------- hints, long values


def test_archives_that_are_not_unpacked_are_named_with_the_command(tmp_path):
    counting(tmp_path, "images/1.png")
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        archive.writestr("images/1.png", encoded_bytes())
    with pytest.raises(TaskError, match=r"images\.zip may hold it: .*pixel-env data prepare") as error:
        load_tasks(tmp_path)
    assert f"--from {tmp_path}" in str(error.value)
    prepare(tmp_path)
    assert len(load_tasks(tmp_path)) == 1


@pytest.mark.parametrize("name", sorted(GOOD))
def test_no_message_prints_a_value_longer_than_a_line(tmp_path, name):
    """A cell of a megabyte, or a list or an object of long texts, in each column that a good row has."""
    picture(tmp_path / "good.png")
    images = ImageFolder(tmp_path)
    for column in GOOD[name]:
        for value in ("=" * 1_000_000, ["=" * 1_000], {"=" * 1_000: 1}):
            row = Row(tmp_path / "action_count.json", 1, "row 1", GOOD[name] | {column: value})
            try:
                FORMATS[name].task_of(row, images)
            except TaskError as error:
                assert len(str(error)) < 1500, str(error)[:300]


def test_own_rows_name_a_video_or_a_part_of_it(tmp_path):
    film(tmp_path / "a.mp4", 60)
    row = {"question": "q?", "answer": "3", "video": "a.mp4"}
    path = as_lines(tmp_path / "mine.jsonl", [row, row | {"start_s": 1.0, "end_s": 2.5}])
    whole, part = load_tasks(path).tasks
    assert (whole.media, len(whole.sources), part.sources[0].start_s, part.sources[0].end_s) == ("video", 16, 1.0, 2.5)
    for wrong in ({"start_s": 2.0}, {"start_s": 2.0, "end_s": 1.0}, {"start_s": "1", "end_s": 2}):
        with pytest.raises(TaskError, match="must both be seconds"):
            load_tasks(as_lines(tmp_path / "wrong.jsonl", [row | wrong]))


def test_a_damaged_image_inside_a_parquet_is_found_by_prepare_and_left_out_by_what_it_wrote(tmp_path):
    rows = choice_rows(2)
    rows[1] = rows[1] | {"image": {"bytes": rows[1]["image"]["bytes"][:-60], "path": None}, "question": "second?"}
    as_parquet(tmp_path / "test.parquet", rows)
    assert len(load_tasks(tmp_path)) == 2
    assert [problem.location for problem in prepare(tmp_path).readings[0].problems] == ["row 2"]
    with pytest.warns(BadRowsWarning, match="row 2: its image cannot be used"):
        assert len(load_tasks(tmp_path)) == 1
