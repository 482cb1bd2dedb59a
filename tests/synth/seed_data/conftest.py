"""Seeds in every published schema, made here: `made[name](folder)` writes a few and returns what to load."""

import numpy as np
import pytest
from PIL import Image

from tests.written_files import as_json, as_lines

SIZE = (400, 300)


def picture(path, size=SIZE, seed=0):
    """A picture of coarse noise: another one for each seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = np.random.default_rng(seed).integers(0, 256, (24, 24, 3), np.uint8)
    Image.fromarray(cells).resize(size, Image.Resampling.NEAREST).save(path)
    return path


# ------------------------------------------------------------------------------------------------------- annotations


def mask(id, bbox, **fields):
    """An annotation of SA-1B; its mask (not decoded by anybody) fills four fifths of its box."""
    area = int(0.8 * bbox[2] * bbox[3]) if len(bbox) == 4 else 100
    known = {"id": id, "bbox": bbox, "area": area, "predicted_iou": 0.97}
    rest = {"segmentation": {"size": [300, 400], "counts": "PPYo1"}, "stability_score": 0.98}
    place = {"crop_box": [0.0, 0.0, 400.0, 300.0], "point_coords": [[bbox[0] + 1.0, bbox[1] + 1.0]]}
    return known | rest | place | fields


WIDE, TALL, EVEN = [40.0, 30.0, 40.0, 20.0], [300.0, 200.0, 20.0, 50.0], [200.0, 60.0, 30.0, 30.0]


def sa1b_content(number=1, annotations=None):
    image = {"image_id": number, "width": SIZE[0], "height": SIZE[1], "file_name": f"sa_{number}.jpg"}
    given = [mask(10, WIDE), mask(12, TALL), mask(14, EVEN)] if annotations is None else annotations
    return {"image": image, "annotations": given}


def sa1b(folder, numbers=(2, 10), **fields):
    for number in numbers:
        picture(folder / f"sa_{number}.jpg", seed=number)
        as_json(folder / f"sa_{number}.json", sa1b_content(number, **fields))
    return folder


WEBPAGE = {
    "image": "screenshots/shop.png",
    "question": "What does the red mug cost?",
    "answer": "12.50",
    "bbox": [100, 60, 140, 80],
    "url": "https://example.org/shop",
}


def webpages(folder, **fields):
    picture(folder / "screenshots" / "shop.png")
    second = WEBPAGE | {"question": "Who wrote the review?", "answer": ["Ada", "Ada L."]}
    second |= {"bbox": [[10, 10, 60, 30], [10, 200, 60, 220]]}
    return as_lines(folder / "pages.jsonl", [WEBPAGE | fields, second])


STAR_ROW = {
    "question_id": "Interaction_T1_13",
    "question": "Which object was put down by the person?",
    "video_id": "6H78U",
    "start": 3.0,
    "end": 5.0,
    "answer": "The clothes.",
    "question_program": [{"function": "Situations", "value_input": []}],
    "choices": [
        {"choice_id": 0, "choice": "The clothes.", "choice_program": []},
        {"choice_id": 1, "choice": "The broom.", "choice_program": []},
    ],
    "situations": {"000089": {"rel_pairs": [["o000", "o001"]], "rel_labels": ["r1"]}},
}


def film(path, seconds=10, rate=10):
    """A film of coarse noise."""
    av = pytest.importorskip("av")
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(seconds * rate):
            pixels = rng.integers(0, 256, (3, 4, 3), np.uint8).repeat(16, 0).repeat(16, 1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


def star(folder, **fields):
    film(folder / "Charades_v1_480" / "6H78U.mp4")
    return as_json(folder / "STAR_train.json", [STAR_ROW | fields])


CATEGORIES = [{"id": id, "name": name} for id, name in enumerate(["cup", "dog", "bench", "kite", "clock"], start=1)]


def box_of(id, category_id, bbox, **fields):
    known = {"id": id, "image_id": 7, "category_id": category_id, "bbox": bbox, "area": bbox[2] * bbox[3]}
    return known | {"iscrowd": 0, "segmentation": []} | fields


def coco_content(annotations=None):
    given = annotations or [
        box_of(1, 1, [40, 30, 20, 20]),
        box_of(2, 1, [120, 30, 20, 20]),
        box_of(3, 2, [300, 200, 40, 30]),
    ]
    image = {"id": 7, "width": SIZE[0], "height": SIZE[1], "file_name": "000000000007.jpg", "license": 1}
    return {"info": {}, "licenses": [], "images": [image], "annotations": given, "categories": CATEGORIES}


def coco(folder, **fields):
    """COCO's own layout: annotations beside the pictures' folders, a file for each split."""
    picture(folder / "train2017" / "000000000007.jpg")
    as_json(folder / "annotations" / "instances_val2017.json", coco_content() | {"annotations": []})
    return as_json(folder / "annotations" / "instances_train2017.json", coco_content(**fields))


def own(folder):
    picture(folder / "desk.png")
    row = {"question": "Which digit is on the card?", "image": "desk.png", "answer": "7"}
    evidence = [{"image": 0, "box": [0.1, 0.1, 0.2, 0.2]}]
    return as_lines(folder / "tasks.jsonl", [row | {"id": "seen", "evidence": evidence}, row | {"id": "unseen"}])


@pytest.fixture
def made():
    return {"sa1b": sa1b, "webpages": webpages, "star": star, "coco": coco, "own": own}


@pytest.fixture
def make():
    """The functions and rows above, for tests that write a file of their own."""

    class Make:
        pass

    for function in (picture, as_json, as_lines, mask, sa1b_content, box_of, coco_content, film):
        setattr(Make, function.__name__, staticmethod(function))
    for name in ("SIZE", "WIDE", "TALL", "EVEN", "WEBPAGE", "STAR_ROW", "CATEGORIES"):
        setattr(Make, name, globals()[name])
    return Make
