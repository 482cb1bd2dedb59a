"""Broken rows of every form of annotation: each is named with its file and position, and the rest is read."""

import copy
import re

import pytest

from pixel_env.errors import TaskError
from pixel_env.tasks import BadRowsWarning
from synth.seed_data import Filters, load_seeds

ANY = Filters(max_share=None, max_frames=None, min_side_px=None, max_bits=None, per_picture=None)

HALF = "caf\udce9"
"""Ends in half of a character, as JSON may escape it."""

BROKEN = {
    "sa1b": [
        (lambda make: make.sa1b_content(2, [make.mask(1, [1.0, 2.0, 3.0])]), "must be [x, y, width, height] in pixels"),
        (lambda make: make.sa1b_content(2, [make.mask(1, [390.0, 2.0, 40.0, 9.0])]), "lies outside"),
        (lambda make: make.sa1b_content(2, [make.mask("one", make.WIDE)]), "'id' must be a number"),
        (lambda make: make.sa1b_content(2, [make.mask(float("nan"), make.WIDE)]), "'id' must be a number, got nan"),
        (lambda make: make.sa1b_content(2, [make.mask(float("inf"), make.WIDE)]), "'id' must be a number, got inf"),
        (lambda make: make.sa1b_content(2, [make.mask(1, make.WIDE, area=float("nan"))]), "'area' must be a number"),
        (lambda make: make.sa1b_content(2, [make.mask(1, make.WIDE) | {"bbox": [10**400] * 4}]), "in pixels, got [1"),
        (lambda make: make.sa1b_content(2, ["mask"]), "an annotation must be an object"),
        (lambda make: make.sa1b_content(2, "masks"), "'annotations' must be a list"),
        (lambda make: make.sa1b_content(2) | {"image": {"file_name": "sa_2.jpg"}}, "must be whole pixels"),
        (lambda make: wrong_image(make, width=900), "the boxes would be wrong"),
        (lambda make: wrong_image(make, file_name="gone.jpg"), "there is no image 'gone.jpg'"),
        (lambda make: wrong_image(make, file_name="../sa_2.jpg"), "leaves the folder"),
        (lambda make: wrong_image(make, width=10**400, height=10**400), "must be whole pixels"),
        (lambda make: wrong_image(make, file_name=None), "it has no 'file_name'"),
        (lambda make: wrong_image(make, file_name=["sa_2.jpg"]), "'file_name' must be a text"),
        (lambda make: [], "must hold one object, got an empty list"),
    ],
    "webpages": [
        (lambda make: [make.WEBPAGE | {"bbox": [100, 60, 140]}], "must be [x0, y0, x1, y1] in pixels"),
        (lambda make: [make.WEBPAGE | {"bbox": [100, 60, 480, 80]}], "lies outside"),
        (lambda make: [make.WEBPAGE | {"bbox": [140, 60, 100, 80]}], "is inverted"),
        (lambda make: [make.WEBPAGE | {"bbox": None}], "it has no 'bbox'"),
        (lambda make: [make.WEBPAGE | {"question": " "}], "'question' must be a text"),
        (lambda make: [make.WEBPAGE | {"options": ["3", "4"]}], "must be one of its options"),
        (lambda make: [make.WEBPAGE | {"image": "gone.png"}], "there is no image 'gone.png'"),
        (lambda make: [make.WEBPAGE | {"question": HALF}], "'question' holds a lone surrogate"),
        (lambda make: [make.WEBPAGE | {"answer": ["12.50", HALF]}], "'answer' holds a lone surrogate"),
        (lambda make: [make.WEBPAGE | {"options": ["12.50", HALF]}], "'options' holds a lone surrogate"),
        (lambda make: [make.WEBPAGE | {"id": HALF}], "'id' holds a lone surrogate"),
    ],
    "star": [
        (lambda make: [make.STAR_ROW | {"answer": None}], "it has no 'answer'"),
        (lambda make: [make.STAR_ROW | {"answer": "The dog."}], "is not one of the choices"),
        (lambda make: [make.STAR_ROW | {"start": 6.0}], "must be seconds, with start before end"),
        (lambda make: [make.STAR_ROW | {"end": float("inf")}], "must be seconds, with start before end"),
        (lambda make: [make.STAR_ROW | {"start": 10**400, "end": 10**401}], "must be seconds, with start before end"),
        (lambda make: [make.STAR_ROW | {"choices": ["The clothes."]}], "'choices' must be a list"),
        (lambda make: [with_choice(make, "The bag.")], "'choices' must be a list"),
        (lambda make: [with_choice(make, {"choice": HALF})], "'choice' holds a lone surrogate"),
        (lambda make: [make.STAR_ROW | {"video_id": "ABCDE"}], "there is no video 'ABCDE.mp4'"),
        (lambda make: [make.STAR_ROW | {"video_id": "broken"}], "cannot read the video"),
    ],
    "coco": [
        (lambda make: {**make.coco_content(), "images": [make.coco_content()["images"][0] | {"width": "2"}]}, "whole"),
        (lambda make: make.coco_content([make.box_of(1, 99, [1, 1, 9, 9])]), "'categories' has no category 99"),
        (lambda make: make.coco_content([make.box_of(1, [1], [1, 1, 9, 9])]), "'categories' has no category [1]"),
        (lambda make: make.coco_content([make.box_of(1, 1, [1, 1, 0, 9])]), "is empty"),
        (
            lambda make: make.coco_content([make.box_of(1, 1, [1, 1, 9, 9], image_id=[7])]),
            "'image_id' must be a number",
        ),
        (lambda make: make.coco_content([make.box_of(HALF, 1, [1, 1, 9, 9])]), "it has no 'annotation_id'"),
        (
            lambda make: changed(make, "images", 0, id=[7]),
            "images, entry 1: 'id' must be a number or a string, got [7]",
        ),
        (lambda make: changed(make, "images", 0, id=HALF), "images, entry 1: 'id' must be a number or a string"),
        (lambda make: changed(make, "images", 0, width=10**400, height=10**400), "must be whole pixels"),
        (lambda make: changed(make, "images", 0, neg_category_ids=3), "'neg_category_ids' must be a list of ids"),
        (
            lambda make: changed(make, "images", 0, not_exhaustive_category_ids=[[1]]),
            "must be a list of ids, got [[1]]",
        ),
        (lambda make: changed(make, "categories", 0, id={}), "categories, entry 1: 'id' must be a number or a string"),
        (lambda make: changed(make, "categories", 0, id=2), "categories, entry 2: 2 entries have the id 2"),
        (lambda make: changed(make, "categories", 4, name=HALF), "entry 5: 'name' holds a lone surrogate"),
        (
            lambda make: make.coco_content([make.box_of(1, 1, [1, 1, 9, 9], image_id=8)]),
            "'images' has no image with that id",
        ),
        (
            lambda make: make.coco_content() | {"images": [make.coco_content()["images"][0] | {"width": "wide"}]},
            "whole",
        ),
    ],
}


def changed(make, column, place, **fields):
    content = copy.deepcopy(make.coco_content())
    content[column][place] |= fields
    return content


def with_choice(make, choice):
    return make.STAR_ROW | {"choices": [*make.STAR_ROW["choices"], choice]}


def wrong_image(make, **fields):
    content = make.sa1b_content(2)
    return content | {"image": content["image"] | fields}


@pytest.mark.parametrize(
    ("name", "content", "told"), [(name, *case) for name, cases in BROKEN.items() for case in cases]
)
def test_a_broken_row_is_named_with_its_file_and_its_position(name, content, told, make, made, tmp_path):
    path = made[name](tmp_path)
    path = path / "sa_2.json" if name == "sa1b" else path
    (tmp_path / "Charades_v1_480").mkdir(exist_ok=True)
    (tmp_path / "Charades_v1_480/broken.mp4").write_bytes(b"no video")
    write = make.as_lines if path.suffix == ".jsonl" else make.as_json
    write(path, content(make))
    with pytest.raises(TaskError, match=re.escape(told)) as error:
        load_seeds(f"{name}:{path}", strict=True)
    assert str(path) in str(error.value) and "docs/tasks.md" not in str(error.value)


@pytest.mark.parametrize("name", ["sa1b", "webpages"])
def test_the_rest_is_read_with_one_warning_and_the_bad_rows_are_in_the_report(name, made, make, tmp_path):
    path = made[name](tmp_path)
    if name == "sa1b":
        make.as_json(tmp_path / "sa_2.json", wrong_image(make, file_name="gone.jpg"))
    else:
        make.as_lines(path, [make.WEBPAGE | {"image": "gone.png"}, make.WEBPAGE])
    with pytest.warns(BadRowsWarning, match=r"gone") as caught:
        seeds = load_seeds(path, filters=ANY)
    assert len(caught) == 1 and caught[0].filename == __file__
    assert seeds.report.dropped["bad_row"] == seeds.report.read - seeds.report.kept > 0
    assert "gone" in seeds.report.examples["bad_row"][0]
    with pytest.raises(TaskError, match=r"(?s)is documented in docs/synthesis\.md.*gone"):
        load_seeds(path, strict=True)


def test_a_column_that_coco_does_not_know_is_an_error_that_names_the_file(make, tmp_path):
    path = make.as_json(tmp_path / "boxes.json", make.coco_content() | {"images": "none"})
    with pytest.raises(TaskError, match=r"boxes\.json: 'images' must be a list of objects"):
        load_seeds(path)


def test_a_file_without_anything_to_ask_about_says_so(make, tmp_path):
    path = make.as_json(tmp_path / "sa_1.json", make.sa1b_content(1, []))
    with pytest.raises(TaskError, match="holds no tasks; it was read in the format"):
        load_seeds(path)


# ------------------------------------------------------------------------------------ what a bad annotation leaves open


def ids_of(spec, **options):
    with pytest.warns(BadRowsWarning):
        return {task.task_id for task in load_seeds(spec, filters=ANY, **options).task_set.tasks}


@pytest.mark.parametrize(
    "bbox", [[390, 200, 40, 30], [200, 200, 0, 30], [float("nan"), 200, 40, 30], [200, 200, 40], None]
)
def test_a_category_with_a_bad_box_is_not_counted_and_no_place_of_its_image_is_asked_about(bbox, made, make, tmp_path):
    boxes = [make.box_of(1, 1, [40, 30, 20, 20]), make.box_of(2, 1, [120, 30, 20, 20])]
    bad = make.box_of(3, 1, [200, 200, 40, 30]) | {"bbox": bbox}
    path = made["coco"](tmp_path, annotations=[*boxes, bad, make.box_of(4, 2, [300, 100, 40, 30])])
    assert ids_of(path) == {"coco-7-count-dog"}


@pytest.mark.parametrize("category_id", [99, [1], None, 5])
def test_nothing_is_asked_about_a_image_with_an_object_of_unknown_category(category_id, made, make, tmp_path):
    path = made["coco"](tmp_path)
    make.picture(tmp_path / "train2017/8.jpg", seed=8)
    content = changed(make, "categories", 4, name=None)
    content["images"].append(content["images"][0] | {"id": 8, "file_name": "8.jpg"})
    content["annotations"].append(make.box_of(4, category_id, [200, 100, 40, 30]))
    content["annotations"].append(make.box_of(5, 2, [300, 200, 40, 30], image_id=8))
    make.as_json(path, content)
    assert ids_of(path) == {"coco-8-count-dog", "coco-8-kind-5"}


def test_an_id_that_two_images_have_is_neither_ones(made, make, tmp_path):
    content = changed(make, "images", 0)
    content["images"].append(content["images"][0] | {"file_name": "8.jpg"})
    path = make.as_json(made["coco"](tmp_path), content)
    with pytest.raises(TaskError, match=r"(?s)images, entry 1: 2 entries have the id 7.*images, entry 2"):
        load_seeds(path)


@pytest.mark.parametrize("fields", [{"bbox": [45.0, 32.0, 20.0, 0.0]}, {"bbox": None}, {"predicted_iou": None}])
def test_nothing_is_asked_about_a_image_of_sa1b_with_a_region_that_cannot_be_read(fields, made, make, tmp_path):
    made["sa1b"](tmp_path)
    bad = make.mask(20, make.EVEN) | fields
    make.as_json(tmp_path / "sa_2.json", make.sa1b_content(2, [make.mask(10, make.WIDE), bad]))
    assert ids_of(tmp_path) == {"sa1b-sa_10-10", "sa1b-sa_10-12", "sa1b-sa_10-14"}


@pytest.mark.parametrize("named", ["", "sa1b:"])
@pytest.mark.parametrize("content", [b'{"image": {', b"\xff\xfe", b"", b"[]", b"{}"])
@pytest.mark.parametrize("number", [2, 10, 11])
def test_a_broken_file_of_sa1b_is_named_wherever_it_stands_and_the_others_are_read(
    number, content, named, made, tmp_path
):
    made["sa1b"](tmp_path, numbers=(2, 10, 11))
    (tmp_path / f"sa_{number}.json").write_bytes(content)
    with pytest.warns(BadRowsWarning, match=rf"sa_{number}\.json"):
        seeds = load_seeds(f"{named}{tmp_path}", filters=ANY)
    read = {task.task_id.rpartition("-")[0] for task in seeds.task_set.tasks}
    assert read == {f"sa1b-sa_{other}" for other in (2, 10, 11) if other != number}
    assert seeds.report.dropped == {"bad_row": 1}


def test_a_folder_of_nothing_but_broken_files_of_sa1b_names_one(made, tmp_path):
    made["sa1b"](tmp_path)
    for number in (2, 10):
        (tmp_path / f"sa_{number}.json").write_text('{"image": {')
    with pytest.raises(TaskError, match=r"cannot read .*sa_10\.json"):
        load_seeds(f"sa1b:{tmp_path}")


def test_a_text_that_no_file_can_hold_is_a_bad_row_and_the_rest_is_read(made, make, tmp_path):
    path = made["webpages"](tmp_path)
    make.as_lines(path, [make.WEBPAGE | {"answer": HALF}, make.WEBPAGE])
    assert ids_of(path) == {"pages:2"}
