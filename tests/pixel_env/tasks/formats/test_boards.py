"""What the reader of each board makes of its published columns: options, evidence, clusters, variants, categories."""

import json
from collections import Counter

import pytest

from pixel_env.boxes import Box
from pixel_env.errors import TaskError
from pixel_env.grading import grade
from pixel_env.task import Evidence, Variant
from pixel_env.tasks import load_tasks
from tests.pixel_env.tasks import published_boards as boards
from tests.pixel_env.tasks import published_videos as videos
from tests.pixel_env.tasks.made import as_parquet, as_tsv, encoded, film, picture
from tests.written_files import as_json, as_lines


def test_hr_benchs_rows_are_four_rotations_of_each_question(tmp_path):
    tasks = load_tasks(boards.hr_bench(tmp_path), strict=True).tasks
    assert Counter(task.cluster for task in tasks) == {f"hr_bench_4k-question-{number}": 4 for number in range(3)}
    assert [task.variant.name for task in tasks[:4]] == ["0", "1", "2", "3"]
    assert {task.variant.kind for task in tasks} == {"rotation"}
    assert [task.variant.question_id for task in tasks] == [task.cluster for task in tasks]
    assert [task.options[ord(task.answers[0]) - ord("A")] for task in tasks[:4]] == ["Blue"] * 4
    assert Counter(task.category for task in tasks) == {"single": 8, "cross": 4}


def test_a_tab_separated_file_that_does_not_speak_of_rotations_has_none(tmp_path):
    rows = [{**row, "image": encoded()} for row in boards.hr_bench_rows()]
    for row in rows:
        del row["cycle_category"]
    assert not any(task.variant for task in load_tasks(as_tsv(tmp_path / "hr.tsv", rows), strict=True).tasks)


def test_annotations_of_hr_bench_are_rotations_too_and_those_of_other_sets_are_not(tmp_path):
    tasks = load_tasks(boards.hr_bench_annotations(tmp_path / "hr"), strict=True).tasks
    assert Counter(task.cluster for task in tasks) == {f"question-{number}": 4 for number in range(3)}
    assert tasks[1].options == ("Black", "Blue", "Red", "Green") and tasks[1].answers == ("B",)
    lines = (tmp_path / "hr/hrbench_4k.jsonl").read_text().splitlines()
    (tmp_path / "hr/hrbench_4k.jsonl").write_text("\n".join(lines[:-1]))
    assert not any(task.variant for task in load_tasks(tmp_path / "hr", strict=True).tasks), (
        "the last one is incomplete"
    )


def test_mme_realworlds_one_column_of_options_is_asked_and_graded_by_letter(tmp_path):
    first, second, third = load_tasks(boards.mme_realworld_lite(tmp_path), strict=True).tasks
    assert first.options[0] == "In the upper right area of the picture" and len(first.options) == 5
    assert (first.grader, first.answers, second.answers) == ("choice", ("A",), ("E",))
    assert grade(first, "In the upper right area of the picture") == 1.0 and grade(first, "B") == 0.0
    assert first.cluster == second.cluster != third.cluster, "by image"
    assert [task.category for task in (first, third)] == ["Perception/Remote Sensing", "Reasoning/Monitoring"]


@pytest.mark.parametrize("cell", ["in the upper right", "(A) alone", "[]", "['x']"])
def test_a_column_of_options_that_cannot_be_read_is_a_bad_row_and_never_dropped(cell, tmp_path):
    rows = [boards.MME_ROW | {"multi-choice options": cell, "image": encoded()}]
    with pytest.raises(TaskError, match="'multi-choice options'"):
        load_tasks(as_tsv(tmp_path / "mme_realworld_lite.tsv", rows), strict=True)


def test_treebenchs_boxes_are_evidence_in_the_image_as_it_is_shown(tmp_path):
    upright, turned, without = load_tasks(boards.treebench(tmp_path), strict=True).tasks
    boxes = (Evidence(0, Box(0.25, 0.25, 0.5, 0.5)), Evidence(0, Box(300 / 320, 200 / 240, 1.0, 1.0)))
    assert upright.evidence == turned.evidence == boxes and without.evidence == ()
    assert turned.sources[0].decode().size == (320, 240)
    assert turned.answers == ("T",) and turned.options == ("S", "D", "T", "C"), "C is the third option, not the letter"
    assert grade(turned, "C") == 1.0 and grade(turned, "D") == 0.0


def test_treebenchs_options_beyond_its_columns_are_read_from_the_text(tmp_path):
    row = boards.TREE_ROW | {"multi-choice options": "A one\nB two\nC three\nD four\nE five\nF six", "answer": "F"}
    [task] = load_tasks(as_tsv(tmp_path / "TreeBench.tsv", [row | {"image": encoded()}]), strict=True).tasks
    assert len(task.options) == 6 and task.answers == ("F",)


@pytest.mark.parametrize("boxes", ["[[1, 2, 3]]", "[1, 2, 3, 4]", "many", "{}", "[[1, 2, 3, 'x']]"])
def test_boxes_of_another_form_are_a_bad_row(boxes, tmp_path):
    rows = [boards.TREE_ROW | {"target_instances": boxes, "image": encoded()}]
    with pytest.raises(TaskError, match="'target_instances' must be a list of boxes"):
        load_tasks(as_tsv(tmp_path / "TreeBench.tsv", rows), strict=True)


def test_visual_probe_has_open_answers_and_its_images_lie_without_the_repositorys_name(tmp_path):
    colour, count, number = load_tasks(boards.visual_probe(tmp_path), strict=True).tasks
    assert colour.question == "What is the color of the lampshade?"
    assert (colour.grader, count.grader, number.grader) == ("exact", "number", "number")
    assert grade(colour, "white") == grade(count, "1") == grade(number, "64") == 1.0
    assert {task.category for task in (colour, count)} == {"visual_probe_hard"}


def test_mini_o3s_copy_of_vstar_is_graded_by_choice(tmp_path):
    picture(tmp_path / "7.jpg")
    row = {"problem": "<image>\nWhich colour?\n(A) red\n(B) blue", "solution": "B", "data_source": "vstar_bench"}
    [task] = load_tasks(as_json(tmp_path / "val.json", [row | {"images": ["Vstar_Bench/7.jpg"]}]), strict=True).tasks
    assert (task.options, task.grader, task.question) == (("red", "blue"), "choice", "Which colour?")


def test_zoombench_is_asked_about_whole_images_or_crops_or_both(tmp_path):
    folder = boards.zoombench(tmp_path)
    whole, crops, both = (
        load_tasks(f"{name}{folder}", strict=True).tasks for name in ("", "zoombench-crop:", "zoombench-views:")
    )
    assert [len(tasks) for tasks in (whole, crops, both)] == [3, 2, 5]
    assert (whole[0].options, whole[0].answers, whole[0].grader) == (
        ("red", "blue", "green", "white"),
        ("B",),
        "choice",
    )
    assert [task.grader for task in whole] == ["choice", "number", "exact"]
    assert whole[0].sources[0].decode().size == (320, 240) and crops[0].sources[0].decode().size == (64, 48)
    assert whole[0].cluster == crops[0].cluster and whole[0].task_id != crops[0].task_id
    assert whole[0].variant == Variant("view", whole[0].cluster, "full") and crops[0].variant.name == "crop"
    assert Counter(task.variant.name for task in both) == {"full": 3, "crop": 2}


def test_o3_benchs_target_layouts_are_its_evidence(tmp_path):
    chart, street_map = load_tasks(boards.o3_bench(tmp_path), strict=True).tasks
    assert len(chart.options) == 6 and chart.answers == ("D",) and street_map.answers == ("F",)
    assert chart.evidence == (Evidence(0, Box(0.5, 0.5, 1.0, 1.0)),) and len(street_map.evidence) == 2
    assert (chart.category, street_map.category) == ("chart", "map")


def test_the_parquet_of_each_board_becomes_the_same_tasks_as_its_other_form(tmp_path):
    for one, other in (("hr_bench", "hr_bench_parquet"), ("zoombench", "zoombench_parquet")):
        first, second = (load_tasks(getattr(boards, name)(tmp_path / name), strict=True).tasks for name in (one, other))
        for task, same in zip(first, second, strict=True):
            assert (task.question, task.options, task.answers) == (same.question, same.options, same.answers)
            assert (task.grader, task.variant.kind, task.variant.name) == (
                same.grader,
                same.variant.kind,
                same.variant.name,
            )
            assert task.sources[0].decode().size == same.sources[0].decode().size
    crops = load_tasks(f"zoombench-crop:{tmp_path / 'zoombench_parquet'}", strict=True).tasks
    assert [task.sources[0].decode().size for task in crops] == [(64, 48)] * 2


def test_mme_realworlds_parquet_for_lmms_eval_and_charxivs_are_read(tmp_path):
    first, second = load_tasks(boards.mme_realworld_lite_parquet(tmp_path / "mme"), strict=True).tasks
    assert len(first.options) == 5 and second.answers == ("E",) and first.cluster == second.cluster
    text, number = load_tasks(boards.charxiv_parquet(tmp_path / "charxiv"), strict=True).tasks
    assert (text.category, number.category) == ("text-in-chart", "number-in-general")
    assert number.question == "How many curves cross? Give a whole number." and text.task_id == "charxiv-images/0.jpg"


def test_options_of_zoombench_may_stand_in_a_column(tmp_path):
    picture(tmp_path / "a.png")
    row = {"images": ["a.png"], "crop_images": [], "query": "Which?", "response": "B", "options": ["A. x", "B. y"]}
    [task] = load_tasks(as_json(tmp_path / "zoombench.json", [row]), strict=True).tasks
    assert task.options == ("x", "y") and task.answers == ("B",)


def test_a_target_layout_without_a_box_is_a_bad_row(tmp_path):
    picture(tmp_path / "images/chart/1-3.png")
    path = as_lines(tmp_path / "metadata.jsonl", [boards.O3_ROW | {"target_layouts": [7]}])
    with pytest.raises(TaskError, match="'layout_infos' has no box for the target 7"):
        load_tasks(path, strict=True)


def test_charxivs_answers_are_texts_or_numbers_by_their_type(tmp_path):
    tasks = load_tasks(boards.charxiv(tmp_path), strict=True).tasks
    kinds = ["text-in-chart", "text-in-general", "number-in-chart", "number-in-general", "number-in-general"]
    assert [task.category for task in tasks] == kinds
    assert [task.grader for task in tasks] == ["exact", "exact", "number", "number", "number"]
    assert tasks[3].question.endswith("Give a number with 2 decimal places.")
    assert tasks[4].question.endswith("Give a whole number.") and tasks[2].question.endswith("axis?")
    assert load_tasks(tmp_path / "data/reasoning_val.json", strict=True).tasks[0].task_id == "charxiv-0"


def test_charxivs_test_split_says_which_file_has_answers(tmp_path):
    boards.charxiv(tmp_path)
    row = {"figure_id": 0, "query": "q", "answer": None, "inst_category": 1, "qa_source": 1}
    with pytest.raises(TaskError, match="use the validation file"):
        load_tasks(as_json(tmp_path / "data/reasoning_test.json", {"0": row}))
    assert len(load_tasks(tmp_path, strict=True)) == 5, "the folder's validation file"


def test_questions_about_a_long_video_share_a_cluster_and_durations_are_categories(tmp_path):
    first, second, third = load_tasks(videos.longvideobench(tmp_path), strict=True).tasks
    assert (first.media, len(first.sources), first.grader) == ("video", 16, "choice")
    assert first.cluster == second.cluster != third.cluster
    assert (first.answers, third.answers) == (("B",), ("A",))
    assert (first.category, third.category) == ("up to 600 s", "up to 15 s")
    with pytest.raises(TaskError, match=r"use lvb_val\.json"):
        load_tasks(tmp_path / "lvb_test_wo_gt.json")


def test_longvideobenchs_parquet_has_its_options_in_columns(tmp_path):
    first, _ = load_tasks(videos.longvideobench_parquet(tmp_path), strict=True).tasks
    assert first.options == tuple(videos.LONG_ROW["candidates"])


def test_video_mme_finds_its_videos_by_their_names(tmp_path):
    first, second, third = load_tasks(videos.videomme(tmp_path), strict=True).tasks
    assert (first.options, first.answers) == (("Black.", "Gray.", "Green.", "Brown."), ("C",))
    assert [task.category for task in (first, third)] == ["short", "long"]
    assert first.cluster == second.cluster != third.cluster and third.sources[0].path.name == "later.MP4"


def test_vlmevalkits_table_of_video_mme_is_no_table_of_mvbench(tmp_path):
    film(tmp_path / "video/fFjv93ACGo8.mp4")
    row = {
        name: videos.MME_ROW[name] for name in ("duration", "domain", "sub_category", "task_type", "question", "answer")
    }
    row |= {"index": 0, "video": "fFjv93ACGo8", "video_path": "./video/fFjv93ACGo8.mp4", "subtitle_path": "x"}
    path = as_tsv(tmp_path / "Video-MME.tsv", [row | {"candidates": str(videos.MME_ROW["options"])}])
    [task] = load_tasks(path, strict=True).tasks
    assert (task.task_id, task.options[1]) == ("videomme-0", "Gray.")


def test_lvbenchs_line_of_a_video_is_a_task_for_each_question(tmp_path):
    first, second = load_tasks(videos.lvbench(tmp_path), strict=True).tasks
    assert first.question == "What year appears in the opening caption?" and first.options[3] == "1633"
    assert [task.category for task in (first, second)] == [
        "key information retrieval",
        "event understanding + reasoning",
    ]
    assert first.cluster == second.cluster and first.task_id == "lvbench-0"


def test_a_bad_question_of_lvbench_is_named_by_line_and_question(tmp_path):
    film(tmp_path / "videos/a.mp4")
    asked = [videos.LV_QUESTION, videos.LV_QUESTION | {"answer": "E"}, 7]
    path = as_lines(tmp_path / "video_info.meta.jsonl", [{"key": "a", "type": "tv", "qa": asked}])
    with pytest.raises(TaskError) as error:
        load_tasks(path, strict=True)
    assert "line 1, question 2: its answer 'E'" in str(error.value) and "line 1, question 3: 'qa'" in str(error.value)


def test_a_video_that_is_missing_is_named_with_the_folders_that_are_looked_in(tmp_path):
    path = as_parquet(tmp_path / "test.parquet", [videos.MME_ROW])
    with pytest.raises(TaskError, match="no video 'fFjv93ACGo8'; put it beside the task file, or into data, video"):
        load_tasks(path, strict=True)


@pytest.mark.parametrize("name", ["../../outside.png", "/etc/hostname", "a/../../outside.png", "\0", "", "/"])
def test_a_published_path_never_leads_out_of_the_folder(name, tmp_path):
    picture(tmp_path / "outside.png")
    row = {"problem": "q", "solution": "a", "data_source": "s", "images": [name]}
    path = as_json(tmp_path / "data/val.json", [row])
    with pytest.raises(TaskError):
        load_tasks(path, strict=True)


def test_rows_by_their_ids_and_one_object_are_told_apart(tmp_path):
    boards.charxiv(tmp_path)
    whole = json.loads((tmp_path / "data/reasoning_val.json").read_text())
    as_json(tmp_path / "data/reasoning_val.json", list(whole.values()))
    assert len(load_tasks(tmp_path, strict=True)) == 5
