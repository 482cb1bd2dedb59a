"""Every form in which a set lies on disk is read: the tasks, their options, their answer and their images."""

import pickle
import warnings

import pytest

from pixel_env.grading import grade
from pixel_env.tasks import load_tasks
from tests.pixel_env.tasks.forms import FORMS

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
