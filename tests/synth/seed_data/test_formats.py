"""Every published form of annotation becomes tasks with evidence that are played and graded."""

import warnings

import pytest

from pixel_env.boxes import FULL
from pixel_env.env import PixelEnv
from pixel_env.errors import TaskError
from pixel_env.media.sources import ImageSource
from pixel_env.task import Evidence
from synth.seed_data import SEED_FORMATS, Filters, load_seeds
from synth.seed_data.sa1b import SHAPES, shape_of
from synth.seed_data.star import frames_between

ANY = Filters(max_share=None, max_frames=None, min_side_px=None, max_bits=None, per_picture=None)
NAMES = ("sa1b", "webpages", "star", "coco", "own")


def tasks_of(spec, **options):
    return load_seeds(spec, filters=ANY, **options).task_set.tasks


@pytest.mark.parametrize("name", NAMES)
def test_every_form_is_recognised_by_its_content_and_its_tasks_are_played_to_the_right_answer(name, made, tmp_path):
    tasks = tasks_of(made[name](tmp_path), strict=True)
    assert len({task.task_id for task in tasks}) == len(tasks) > 0
    for task in tasks:
        assert task.evidence and all(one.image < len(task.sources) for one in task.evidence)
        env = PixelEnv([task], dialect="released:vcot:train-pixels")
        env.reset(seed=0)
        assert env.step(f"\\boxed{{{task.answers[0]}}}")[1] == 1.0


@pytest.mark.parametrize("name", ["sa1b", "webpages", "star"])
def test_a_folder_is_told_as_its_file_is_and_a_name_before_the_path_decides(name, made, tmp_path):
    made[name](tmp_path)
    ids = [task.task_id for task in tasks_of(tmp_path)]
    assert [task.task_id for task in tasks_of(f"{name}:{tmp_path}")] == ids


def test_of_the_files_of_two_splits_the_one_that_is_requested_is_read(made, make, tmp_path):
    made["coco"](tmp_path)
    assert {task.task_id for task in tasks_of(tmp_path)} >= {"coco-7-count-cup"}
    make.as_json(tmp_path / "annotations/instances_other.json", make.coco_content())
    (tmp_path / "annotations/instances_train2017.json").rename(tmp_path / "annotations/instances_more.json")
    with pytest.raises(
        TaskError, match=r"several files of the format 'coco'; give one of them:\n.*instances_more.json"
    ):
        load_seeds(tmp_path)


def test_a_folder_of_two_formats_asks_for_one(made, tmp_path):
    made["webpages"](tmp_path)
    made["coco"](tmp_path)
    with pytest.raises(TaskError, match=r"(?s)give one of them:.*webpages:.*coco:"):
        load_seeds(tmp_path)


def test_a_format_that_is_named_and_not_there_is_an_error(made, tmp_path):
    made["webpages"](tmp_path)
    with pytest.raises(TaskError, match="holds no file of the format 'star'"):
        load_seeds(f"star:{tmp_path}")


def test_a_path_that_is_of_no_format_is_told_as_a_task_set_would_be(make, tmp_path):
    make.as_json(tmp_path / "other.json", [{"colour": "red"}])
    with pytest.raises(TaskError, match="cannot recognise the format of"):
        load_seeds(tmp_path / "other.json")


def test_only_the_format_whose_publisher_was_not_seen_is_unverified():
    assert [name for name, known in SEED_FORMATS.items() if not known.is_verified] == ["webpages"]
    assert all(known.source for known in SEED_FORMATS.values())


# ------------------------------------------------------------------------------------------------------------- sa-1b


def test_sa1b_asks_for_the_shape_of_what_stands_alone_and_its_box_is_the_answer(made, tmp_path):
    tasks = tasks_of(made["sa1b"](tmp_path))
    assert [task.task_id for task in tasks[:3]] == ["sa1b-sa_2-10", "sa1b-sa_2-12", "sa1b-sa_2-14"]
    assert tasks[3].task_id == "sa1b-sa_10-10", "pictures in the order of their numbers"
    assert [task.answers[0] for task in tasks[:3]] == list(SHAPES)
    assert tasks[0].evidence[0].box.corners == pytest.approx((0.1, 0.1, 0.2, 50 / 300))
    assert "15 % of the way from left to right and 13 % of the way from top to bottom" in tasks[0].question


def test_the_letter_of_a_shape_is_another_one_for_another_region(make, made, tmp_path):
    corners = ([40.0, 30.0], [200.0, 30.0], [40.0, 200.0])
    wide = [make.mask(id, [*corner, 40.0, 20.0]) for id, corner in enumerate(corners)]
    tasks = tasks_of(made["sa1b"](tmp_path, annotations=wide))
    assert {task.answers[0] for task in tasks} == {SHAPES[0]}
    assert {task.options.index(SHAPES[0]) for task in tasks} == {0, 1, 2}


@pytest.mark.parametrize(
    "other",
    [
        [55.0, 35.0, 5.0, 5.0],  # a part of it
        [70.0, 40.0, 60.0, 30.0],  # a neighbour that covers some of it
        [82.0, 30.0, 30.0, 20.0],  # a neighbour so close that whole percents do not tell which is meant
        [39.0, 29.0, 44.0, 24.0],  # nearly the same region
    ],
)
def test_sa1b_asks_about_no_region_whose_place_names_another_one_too(other, make, made, tmp_path):
    with_other = [make.mask(10, make.WIDE), make.mask(20, other), make.mask(12, make.EVEN)]
    assert "sa1b-sa_2-10" not in {task.task_id for task in tasks_of(made["sa1b"](tmp_path, annotations=with_other))}


def test_sa1b_asks_about_a_region_on_a_large_background(make, made, tmp_path):
    ground = make.mask(30, [5.0, 5.0, 390.0, 290.0])
    tasks = tasks_of(made["sa1b"](tmp_path, annotations=[make.mask(10, make.WIDE), ground]))
    assert [task.task_id for task in tasks] == ["sa1b-sa_2-10", "sa1b-sa_10-10"]


@pytest.mark.parametrize(
    "unfit",
    [
        {"bbox": [40.0, 30.0, 26.0, 20.0]},  # neither wide nor even
        {"bbox": [0.0, 30.0, 40.0, 20.0]},  # cut off by the border
        {"predicted_iou": 0.7},
        {"area": 60},  # a line across its box
    ],
)
def test_sa1b_asks_about_no_region_whose_shape_is_not_certain(unfit, make, made, tmp_path):
    annotations = [make.mask(10, make.WIDE) | unfit, make.mask(12, make.EVEN)]
    tasks = tasks_of(made["sa1b"](tmp_path, annotations=annotations))
    assert [task.task_id for task in tasks] == ["sa1b-sa_2-12", "sa1b-sa_10-12"]


def test_a_shape_has_a_name_where_people_agree_and_none_in_between():
    assert [shape_of(*size) for size in ((30, 20), (20, 30), (20, 21))] == list(SHAPES)
    assert shape_of(26, 20) is shape_of(20, 26) is None


def test_images_of_sa1b_lie_beside_their_json_in_folders_of_their_own(made, tmp_path):
    made["sa1b"](tmp_path / "sa_000000", numbers=(1, 2))
    made["sa1b"](tmp_path / "sa_000001", numbers=(3,))
    places = {task.sources[0].path.relative_to(tmp_path).as_posix() for task in tasks_of(tmp_path)}
    assert places == {"sa_000000/sa_1.jpg", "sa_000000/sa_2.jpg", "sa_000001/sa_3.jpg"}


# --------------------------------------------------------------------------------------------------- pages, star, coco


def test_a_page_is_graded_as_what_its_answer_is_and_may_have_several_boxes(made, tmp_path):
    price, name = tasks_of(made["webpages"](tmp_path))
    assert (price.grader, price.answers, price.evidence) == (
        "number",
        ("12.50",),
        (Evidence(0, price.evidence[0].box),),
    )
    assert price.evidence[0].box.corners == pytest.approx((0.25, 0.2, 0.35, 80 / 300))
    assert (name.grader, name.answers, len(name.evidence)) == ("anls", ("Ada", "Ada L."), 2)


def test_the_evidence_of_star_is_the_frames_of_a_sampling_of_the_whole_video(made, tmp_path):
    [task] = tasks_of(made["star"](tmp_path))
    assert (task.media, len(task.sources), task.category) == ("video", 16, "Interaction")
    # 100 frames at 10 a second, 16 of them: frame i is shown at i * 99 // 15 / 10 seconds.
    expected = [i for i in range(16) if 3.0 <= (i * 99 // 15) / 10 <= 5.0]
    assert task.evidence == tuple(Evidence(i, FULL) for i in expected) and expected == [5, 6, 7]
    assert (task.options, task.answers) == (("The clothes.", "The broom."), ("The clothes.",))


def test_a_part_that_falls_between_two_frames_has_no_evidence_and_is_counted(made, make, tmp_path):
    path = made["star"](tmp_path)
    brief = make.STAR_ROW | {"question_id": "Sequence_T1_1", "start": 3.1, "end": 3.2}
    make.as_json(path, [make.STAR_ROW, brief])
    report = load_seeds(path, filters=ANY).report
    assert (report.kept, dict(report.dropped)) == (1, {"no_evidence": 1})


def test_frames_at_both_ends_of_a_part_belong_to_it():
    assert frames_between([0.0, 1.0, 2.0, 3.0], 1.0, 2.0) == (1, 2)
    assert frames_between([0.0, 1.0], 0.2, 0.8) == ()


def test_coco_is_counted_and_what_is_at_a_place_is_asked_with_options_that_are_not_there(made, tmp_path):
    tasks = {task.task_id: task for task in tasks_of(made["coco"](tmp_path))}
    cups = tasks["coco-7-count-cup"]
    assert (cups.answers, cups.grader, len(cups.evidence)) == (("2",), "number", 2)
    dog = tasks["coco-7-kind-3"]
    assert dog.answers == ("dog",) and len(dog.options) == 4 and {"dog", "cup"} <= set(dog.options)
    assert dog.evidence[0].box.corners == pytest.approx((0.75, 200 / 300, 0.85, 230 / 300))


def test_a_crowd_is_neither_counted_nor_asked_about_and_what_lies_behind_is_no_option(make, made, tmp_path):
    crowd = make.box_of(1, 1, [40, 30, 20, 20], iscrowd=1)
    on_bench = [make.box_of(3, 2, [300, 200, 20, 20]), make.box_of(4, 3, [150, 100, 240, 190])]
    tasks = tasks_of(made["coco"](tmp_path, annotations=[crowd, make.box_of(2, 1, [120, 30, 20, 20]), *on_bench]))
    ids = {task.task_id for task in tasks}
    assert "coco-7-count-cup" not in ids and "coco-7-kind-1" not in ids and "coco-7-count-dog" in ids
    [dog] = [task for task in tasks if task.task_id == "coco-7-kind-3"]
    assert "bench" not in dog.options


def test_the_options_of_a_row_are_the_same_in_every_run(made, tmp_path):
    path = made["coco"](tmp_path)
    assert [task.options for task in tasks_of(path)] == [task.options for task in tasks_of(path)]


def test_of_lvis_what_is_not_boxed_throughout_is_not_counted_and_wrong_options_were_checked(made, make, tmp_path):
    path = made["coco"](tmp_path)
    content = make.coco_content()
    content["images"][0] |= {"not_exhaustive_category_ids": [1, 5], "neg_category_ids": [3, 5]}
    tasks = {task.task_id: task for task in tasks_of(make.as_json(path, content))}
    assert set(tasks) == {"coco-7-count-dog", "coco-7-kind-1", "coco-7-kind-2", "coco-7-kind-3"}
    assert set(tasks["coco-7-kind-3"].options) == {"dog", "bench"}, "a cup that nobody boxed may be there"
    assert set(tasks["coco-7-kind-1"].options) == {"cup", "dog", "bench"}, "a kite was not looked for"


def test_a_image_of_lvis_is_found_by_the_last_folder_and_name_of_its_address(made, make, tmp_path):
    path = made["coco"](tmp_path)
    content = make.coco_content()
    del content["images"][0]["file_name"]
    content["images"][0]["coco_url"] = "http://images.example.org/train2017/000000000007.jpg"
    path.unlink()
    tasks = tasks_of(make.as_json(path.with_name("lvis_v1_val.json"), content), strict=True)
    assert {task.sources[0].path for task in tasks} == {tmp_path / "train2017/000000000007.jpg"}


def test_a_name_of_a_category_is_one_with_and_without_blanks_around_it(made, make, tmp_path):
    content = make.coco_content()
    content["categories"] = [one | {"name": f" {one['name']} "} for one in content["categories"]]
    tasks = tasks_of(make.as_json(made["coco"](tmp_path), content))
    options = [option for task in tasks for option in task.options]
    assert options and all(option == option.strip() for option in options)


def test_composed_seeds_are_recipes_and_no_file_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        seeds = load_seeds("embedded", count=12)
    sources = [source for task in seeds.task_set.tasks for source in task.sources]
    assert not list(tmp_path.iterdir()) and not any(isinstance(source, ImageSource) for source in sources)
    assert all(task.needs_looking for task in seeds.task_set.tasks)
