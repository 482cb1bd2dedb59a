"""Broken rows of every form of annotation: each is named with its file and place, and the rest is read."""

import re

import pytest

from pixel_env.errors import TaskError
from pixel_env.tasks import BadRowsWarning
from synth.cues import Filters, load_seeds

ANY = Filters(max_share=None, max_frames=None, min_side_px=None, max_bits=None, per_picture=None)

BROKEN = {
    "sa1b": [
        (lambda make: make.sa1b_content(2, [make.mask(1, [1.0, 2.0, 3.0])]), "must be [x, y, width, height] in pixels"),
        (lambda make: make.sa1b_content(2, [make.mask(1, [390.0, 2.0, 40.0, 9.0])]), "lies outside"),
        (lambda make: make.sa1b_content(2, [make.mask("one", make.WIDE)]), "'id' must be a number"),
        (lambda make: make.sa1b_content(2, ["mask"]), "an annotation is an object"),
        (lambda make: make.sa1b_content(2, "masks"), "'annotations' must be a list"),
        (lambda make: make.sa1b_content(2) | {"image": {"file_name": "sa_2.jpg"}}, "must be whole pixels"),
        (lambda make: wrong_image(make, width=100, height=250), "its boxes would lie elsewhere"),
        (lambda make: wrong_image(make, file_name="gone.jpg"), "there is no picture 'gone.jpg'"),
        (lambda make: wrong_image(make, file_name="../sa_2.jpg"), "leaves the folder"),
        (lambda make: wrong_image(make, file_name=None), "'file_name' must be a text"),
    ],
    "webpages": [
        (lambda make: [make.WEBPAGE | {"bbox": [100, 60, 140]}], "must be [x0, y0, x1, y1] in pixels"),
        (lambda make: [make.WEBPAGE | {"bbox": [100, 60, 480, 80]}], "lies outside"),
        (lambda make: [make.WEBPAGE | {"bbox": [140, 60, 100, 80]}], "is inverted"),
        (lambda make: [make.WEBPAGE | {"bbox": None}], "it has no 'bbox'"),
        (lambda make: [make.WEBPAGE | {"question": " "}], "'question' must be a text"),
        (lambda make: [make.WEBPAGE | {"options": ["3", "4"]}], "none of its options"),
        (lambda make: [make.WEBPAGE | {"image": "gone.png"}], "there is no picture 'gone.png'"),
    ],
    "star": [
        (lambda make: [make.STAR_ROW | {"answer": None}], "it has no 'answer'"),
        (lambda make: [make.STAR_ROW | {"answer": "The dog."}], "none of the choices"),
        (lambda make: [make.STAR_ROW | {"start": 6.0}], "must be seconds in order"),
        (lambda make: [make.STAR_ROW | {"choices": ["The clothes."]}], "'choices' must be a list"),
        (lambda make: [make.STAR_ROW | {"video_id": "ABCDE"}], "there is no video 'ABCDE.mp4'"),
        (lambda make: [make.STAR_ROW | {"video_id": "broken"}], "cannot read the video"),
    ],
    "coco": [
        (lambda make: {**make.coco_content(), "images": [make.coco_content()["images"][0] | {"width": "2"}]}, "whole"),
        (lambda make: make.coco_content([make.box_of(1, 99, [1, 1, 9, 9])]), "there is no category 99"),
        (lambda make: make.coco_content([make.box_of(1, 1, [1, 1, 0, 9])]), "is empty"),
        (
            lambda make: make.coco_content([make.box_of(1, 1, [1, 1, 9, 9], image_id=8)]),
            "there is no picture of that id",
        ),
        (
            lambda make: make.coco_content() | {"images": [make.coco_content()["images"][0] | {"width": "wide"}]},
            "whole",
        ),
    ],
}


def wrong_image(make, **fields):
    content = make.sa1b_content(2)
    return content | {"image": content["image"] | fields}


@pytest.mark.parametrize(
    ("name", "content", "told"), [(name, *case) for name, cases in BROKEN.items() for case in cases]
)
def test_a_broken_row_is_named_with_its_file_and_its_place(name, content, told, make, made, tmp_path):
    path = made[name](tmp_path)
    path = path / "sa_2.json" if name == "sa1b" else path
    (tmp_path / "Charades_v1_480").mkdir(exist_ok=True)
    (tmp_path / "Charades_v1_480/broken.mp4").write_bytes(b"no video")
    write = make.as_lines if path.suffix == ".jsonl" else make.as_json
    write(path, content(make))
    with pytest.raises(TaskError, match=re.escape(told)) as error:
        load_seeds(f"{name}:{path}")
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
    with pytest.raises(TaskError, match=r"(?s)is told in docs/synthesis\.md.*gone"):
        load_seeds(path, strict=True)


def test_a_column_that_coco_does_not_know_is_an_error_that_names_the_file(make, tmp_path):
    path = make.as_json(tmp_path / "boxes.json", make.coco_content() | {"images": "none"})
    with pytest.raises(TaskError, match=r"boxes\.json: 'images' must be a list of objects"):
        load_seeds(path)


def test_a_file_without_anything_to_ask_about_says_so(make, tmp_path):
    path = make.as_json(tmp_path / "sa_1.json", make.sa1b_content(1, []))
    with pytest.raises(TaskError, match="nothing that can be asked about"):
        load_seeds(path)
