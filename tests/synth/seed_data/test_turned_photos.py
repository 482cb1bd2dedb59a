"""Regions in pixels lie where they are shown, also on a photo that EXIF turns."""

import pytest

from pixel_env.errors import TaskError
from synth.seed_data import Filters, load_seeds
from tests.turned_photos import shows_red, turned_photo

ANY = Filters(max_share=None, max_frames=None, min_side_px=None, max_bits=None, per_picture=None)
UPRIGHT = (300, 400)
CARD = [40, 30, 60, 30]


def tasks_of(path):
    return load_seeds(path, filters=ANY, strict=True).task_set.tasks


def webpages(make, folder, size):
    x, y, width, height = CARD
    return make.as_lines(
        folder / "pages.jsonl", [make.WEBPAGE | {"image": "a.jpg", "bbox": [x, y, x + width, y + height]}]
    )


def coco(make, folder, size):
    content = make.coco_content([make.box_of(1, 1, CARD)])
    content["images"] = [content["images"][0] | {"file_name": "a.jpg", "width": size[0], "height": size[1]}]
    return make.as_json(folder / "instances.json", content)


def sa1b(make, folder, size):
    content = make.sa1b_content(1, [make.mask(10, [float(edge) for edge in CARD])])
    content["image"] |= {"file_name": "a.jpg", "width": size[0], "height": size[1]}
    make.as_json(folder / "a.json", content)
    return folder


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("write", [webpages, coco, sa1b])
def test_the_box_of_a_seed_lies_on_its_object(write, orientation, make, tmp_path):
    turned_photo(tmp_path / "a.jpg", UPRIGHT, [CARD], orientation)
    tasks = tasks_of(write(make, tmp_path, UPRIGHT))
    assert tasks and all(map(shows_red, tasks))


@pytest.mark.parametrize("write", [coco, sa1b])
def test_an_annotation_of_the_unturned_photo_is_refused_with_the_way_out(write, make, tmp_path):
    turned_photo(tmp_path / "a.jpg", UPRIGHT, [CARD])
    with pytest.raises(TaskError, match=r"shown as 300x400.*for 400x300.*without an EXIF tag"):
        tasks_of(write(make, tmp_path, UPRIGHT[::-1]))


@pytest.mark.parametrize("write", [coco, sa1b])
def test_an_annotation_of_another_image_is_refused(write, make, tmp_path):
    turned_photo(tmp_path / "a.jpg", UPRIGHT, [CARD])
    with pytest.raises(TaskError, match=r"shown as 300x400.*for 300x300.*Replace the file"):
        tasks_of(write(make, tmp_path, (300, 300)))
