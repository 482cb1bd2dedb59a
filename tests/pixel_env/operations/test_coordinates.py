"""The conventions of arguments: units, names of images, digits as text, ignored keys, the four keys of a box."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_env.actions import parse, system_text, tool_schemas, write
from pixel_env.boxes import FULL, Box
from pixel_env.dialects.table import DIALECTS
from pixel_env.env import PixelEnv
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.operations.argument_kinds import Amount
from pixel_env.operations.coordinates import Coordinates, ImageNames
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.point_zoom import PointZoom
from pixel_env.testing import tiny_task
from pixel_env.types import Malformed

DEFAULT = DIALECTS["default"]
SHOWN, SOURCES = [(400, 300), (200, 100)], [(1600, 1200), (800, 400)]
QUARTER = Box(0.5, 0.5, 1.0, 1.0)


def dialect(**fields):
    return replace(DEFAULT, **fields)


def call(**arguments):
    return f"<tool_call>{json.dumps({'name': 'crop_image', 'arguments': arguments})}</tool_call>"


def read(dialect, **arguments):
    return parse(call(**arguments), dialect, SHOWN, SOURCES)


def refused(dialect, **arguments):
    action = read(dialect, **arguments)
    assert isinstance(action, Malformed), action
    return action


# ------------------------------------------------------------------------------------------------------------- units

UNITS = {
    "fraction": Coordinates("fraction"),
    "pixel": Coordinates("pixel"),
    "source_pixel": Coordinates("source_pixel"),
    "grid": Coordinates("grid", 1000),
    "guessed": Coordinates("guessed"),
    "guessed, else of the source": Coordinates("guessed", otherwise="source_pixel"),
    "guessed, and one is a pixel": Coordinates("guessed", one_is_a_pixel=True),
}
EXACT = {name: unit for name, unit in UNITS.items() if not unit.one_is_a_pixel}


@pytest.mark.parametrize(
    ("name", "corners"),
    [
        ("fraction", [0.5, 0.5, 1, 1]),
        ("pixel", [200, 150, 400, 300]),
        ("source_pixel", [800, 600, 1600, 1200]),
        ("grid", [500, 500, 1000, 1000]),
        ("guessed", [0.5, 0.5, 1, 1]),
        ("guessed", [200, 150, 400, 300]),
        ("guessed, else of the source", [800, 600, 1600, 1200]),
        ("guessed, and one is a pixel", [200, 150, 400, 300]),
    ],
)
def test_the_lower_right_quarter_in_every_unit(name, corners):
    assert read(dialect(coordinates=UNITS[name]), bbox_2d=corners, target_image=1) == CropImage(0, QUARTER)


def test_pixels_are_those_of_the_image_that_the_call_names():
    for unit, corners in (("pixel", [100, 50, 200, 100]), ("source_pixel", [400, 200, 800, 400])):
        assert read(dialect(coordinates=Coordinates(unit)), bbox_2d=corners, target_image=2) == CropImage(1, QUARTER)


def test_a_fraction_box_that_touches_the_border_is_a_corner_where_one_is_a_pixel():
    """The published test is `all(n < 1)`: [0.5, 0.5, 1, 1] becomes half a pixel at the top left."""
    guessing = dialect(coordinates=UNITS["guessed, and one is a pixel"])
    corner = read(guessing, bbox_2d=[0.5, 0.5, 1, 1], target_image=1)
    assert corner.box.corners == pytest.approx((0.5 / 400, 0.5 / 300, 1 / 400, 1 / 300))
    inside = read(guessing, bbox_2d=[0.5, 0.5, 0.999, 0.999], target_image=1)
    assert inside == CropImage(0, Box(0.5, 0.5, 0.999, 0.999))


def test_a_fraction_that_overhangs_a_little_is_still_a_fraction():
    overhanging = read(dialect(coordinates=Coordinates("guessed")), bbox_2d=[0.5, 0.5, 1.02, 1.0], target_image=1)
    assert overhanging == CropImage(0, QUARTER)
    pixels = read(dialect(coordinates=Coordinates("guessed")), bbox_2d=[0.5, 0.5, 1.03, 1.0], target_image=1)
    assert pixels.box.x1 == pytest.approx(1.03 / 400)


@pytest.mark.parametrize("name", UNITS)
def test_a_box_that_is_no_number_or_beyond_all_numbers_is_refused_in_every_unit(name):
    unit = dialect(coordinates=UNITS[name])
    for value in (float("nan"), float("inf"), 10**400, -(10**400)):
        action = refused(unit, bbox_2d=[0.1, 0.1, value, 0.5], target_image=1)
        assert action.code in ("box_not_finite", "box_outside")


BOXES = st.tuples(st.integers(0, 18), st.integers(0, 18), st.integers(1, 20), st.integers(1, 20)).map(
    lambda at: Box(at[0] / 20, at[1] / 20, min(20, at[0] + at[2]) / 20, min(20, at[1] + at[3]) / 20)
)


@pytest.mark.parametrize("name", EXACT)
@given(box=BOXES, image=st.integers(0, 1))
def test_what_is_written_is_read_back_in_every_unit(name, box, image):
    unit = dialect(coordinates=EXACT[name])
    written = write(CropImage(image, box), unit, SHOWN, SOURCES)
    back = parse(written, unit, SHOWN, SOURCES)
    assert back.image == image and back.box.corners == pytest.approx(box.corners, abs=1e-9)


@given(box=BOXES)
def test_where_one_is_a_pixel_a_box_to_the_border_is_written_just_inside(box):
    unit = dialect(coordinates=UNITS["guessed, and one is a pixel"])
    back = parse(write(CropImage(0, box), unit, SHOWN, SOURCES), unit, SHOWN, SOURCES)
    assert back.box.corners == pytest.approx(box.corners, abs=1.1e-4)


@pytest.mark.parametrize("name", UNITS)
@given(x=st.integers(0, 10), y=st.integers(0, 10))
def test_a_point_is_read_back_in_every_unit(name, x, y):
    unit = dialect(coordinates=UNITS[name], operations=("point_zoom",))
    back = parse(write(PointZoom(1, (x / 10, y / 10)), unit, SHOWN, SOURCES), unit, SHOWN, SOURCES)
    assert back.image == 1 and back.point == pytest.approx((x / 10, y / 10), abs=1.1e-4)


def test_a_unit_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(UnknownNameError, match="source_pixel"):
        Coordinates("source_pixels")
    with pytest.raises(UnknownNameError, match="pixel"):
        Coordinates("guessed", otherwise="grid")
    with pytest.raises(ConfigError, match="0 cells"):
        Coordinates("grid", 0)


# ---------------------------------------------------------------------------------------------------- names of images

MARS = dialect(image_names=ImageNames("observation_{number}", "original_image"), first_index=0)
NUMBERED = dialect(image_names=ImageNames("img_{number}"))


@pytest.mark.parametrize(
    ("names", "name", "image"),
    [
        (MARS, "original_image", 0),
        (MARS, "observation_0", 0),
        (MARS, "observation_1", 1),
        (NUMBERED, "img_1", 0),
        (NUMBERED, "img_12", 11),
    ],
)
def test_an_image_is_called_by_its_name(names, name, image):
    assert read(names, bbox_2d=[0.5, 0.5, 1, 1], target_image=name) == CropImage(image, QUARTER)


def test_images_are_written_by_name_and_the_prompt_says_the_names():
    assert '"target_image": "original_image"' in write(CropImage(0, FULL), MARS)
    assert '"target_image": "observation_3"' in write(CropImage(3, FULL), MARS)
    assert '"target_image": "img_1"' in write(CropImage(0, FULL), NUMBERED)
    assert "original_image (the first one given), observation_1" in system_text(MARS)
    [crop, _] = tool_schemas(MARS)
    assert crop["function"]["parameters"]["properties"]["target_image"]["type"] == "string"


@pytest.mark.parametrize(
    "name", ["img_", "img_x", "original", "img_1 ", "img_-1", "img_٣", "IMG_1", "", "1", 1, 2.0, None]
)
def test_an_unknown_name_is_refused_with_the_names(name):
    action = refused(NUMBERED, bbox_2d=[0.5, 0.5, 1, 1], target_image=name)
    assert action.code == "no_such_image" and "img_1, img_2, ..." in action.reason


def test_an_image_that_does_not_exist_is_refused_with_the_names_of_those_that_do():
    env = PixelEnv([tiny_task()], dialect=MARS)
    env.reset(seed=0)
    call = '<tool_call>{"name": "crop_image", "arguments": {"bbox_2d": [0, 0, 1, 1], "target_image": "%s"}}</tool_call>'
    assert "the only one is original_image" in env.step(call % "observation_7")[0]["text"]
    env.step(call % "original_image")
    assert "images are called original_image to observation_1" in env.step(call % "observation_7")[0]["text"]


def test_the_name_of_an_image_before_the_first_is_no_image():
    action = read(NUMBERED, bbox_2d=[0.5, 0.5, 1, 1], target_image="img_0")
    assert action == CropImage(-1, QUARTER)  # refused when it is executed, as the number 0 is


def test_a_dialect_without_names_reads_none():
    assert refused(DEFAULT, bbox_2d=[0.5, 0.5, 1, 1], target_image="img_1").code == "bad_arguments"


def test_names_need_a_number():
    for later in ("img", "img_{number}_{number}"):
        with pytest.raises(ConfigError, match=r"'img_\{number\}'"):
            ImageNames(later)


def test_a_call_without_an_image_takes_the_default_one():
    optional = dialect(default_image=0)
    assert read(optional, bbox_2d=[0.5, 0.5, 1, 1]) == CropImage(0, QUARTER)
    assert "target_image" not in write(CropImage(0, QUARTER), optional)
    assert '"target_image": 2' in write(CropImage(1, QUARTER), optional)
    assert "target_image (a whole number, optional)" in refused(optional, bbox_2d="x").reason
    assert "target_image (a whole number)" in refused(DEFAULT, bbox_2d=[0.5, 0.5, 1, 1]).reason
    pixels = dialect(default_image=1, coordinates=Coordinates("pixel"))
    assert read(pixels, bbox_2d=[100, 50, 200, 100]) == CropImage(1, QUARTER)


# ----------------------------------------------------------------------------------------------------- digits as text

LENIENT = dialect(digits_as_text=True)


@pytest.mark.parametrize("corners", [["0.5", "0.5", "1", "1.0"], [0.5, " 0.5 ", "1.", "+1"], [".5", 0.5, 1, 1]])
def test_digits_as_text_are_numbers_where_the_dialect_says_so_and_nowhere_else(corners):
    assert read(LENIENT, bbox_2d=corners, target_image="1") == CropImage(0, QUARTER)
    assert refused(DEFAULT, bbox_2d=corners, target_image=1).code == "bad_arguments"


@pytest.mark.parametrize("text", ["1e5", "NaN", "inf", "", " ", "٣", "½", "0x1", "1_0", "1,5", "1.5.", "--1", "1" * 33])
def test_what_is_not_plain_digits_stays_a_text(text):
    assert refused(LENIENT, bbox_2d=[0.1, 0.1, text, 0.9], target_image=1).code == "bad_arguments"
    assert refused(LENIENT, bbox_2d=[0.1, 0.1, 0.5, 0.9], target_image=text).code == "bad_arguments"


def test_a_fraction_as_text_is_no_number_of_an_image():
    assert refused(LENIENT, bbox_2d=[0.1, 0.1, 0.5, 0.9], target_image="1.5").code == "bad_arguments"


# ---------------------------------------------------------------------------------------------------------------- keys


def test_an_ignored_key_means_nothing_and_any_other_is_named():
    ignoring = dialect(ignored_keys=("label", "obj"))
    assert read(ignoring, bbox_2d=[0.5, 0.5, 1, 1], target_image=1, label="a cat", obj=[]) == CropImage(0, QUARTER)
    action = refused(ignoring, bbox_2d=[0.5, 0.5, 1, 1], target_image=1, label="a cat", zoom=2)
    assert action.code == "bad_arguments" and action.reason.endswith("It has no 'zoom'.")
    assert refused(DEFAULT, bbox_2d=[0, 0, 1, 1], target_image=1, label="x").reason.endswith("It has no 'label'.")


@pytest.mark.parametrize("key", ["k" * 10_000, "ключ" * 500, "\n\r", "\ud800", "'", ""])
def test_a_refused_key_is_named_in_short_whatever_it_is(key):
    reason = refused(DEFAULT, **{"bbox_2d": [0, 0, 1, 1], "target_image": 1, key: 1}).reason
    assert "It has no " in reason and len(reason) < 250
    assert "\n" not in reason


@pytest.mark.parametrize("digits", [False, True])
def test_a_box_may_be_four_keys_of_its_corner_and_its_sides(digits):
    four = dialect(box_keys=("x", "y", "width", "height"), digits_as_text=digits)
    assert read(four, x=0.5, y=0.5, width=0.25, height=0.5, target_image=1) == CropImage(0, Box(0.5, 0.5, 0.75, 1.0))
    written = write(CropImage(0, Box(0.1, 0.2, 0.4, 0.9)), four)
    assert '"x": 0.1, "y": 0.2, "width": 0.3, "height": 0.7' in written
    assert parse(written, four).box.corners == pytest.approx((0.1, 0.2, 0.4, 0.9))
    as_text = read(four, x="0.5", y="0.5", width="0.25", height="0.5", target_image=1)
    assert isinstance(as_text, CropImage if digits else Malformed)


def test_four_keys_of_a_box_are_refused_together_and_named():
    four = dialect(box_keys=("x", "y", "width", "height"), ignored_keys=("label",))
    wanted = "crop_image takes x (a number), y (a number), width (a number), height (a number)"
    for arguments in ({"x": 1, "y": 1, "width": 1}, {"x": 1, "y": 1, "width": 1, "height": "tall"}, {}):
        reason = refused(four, **arguments, target_image=1).reason
        assert wanted.replace("crop_image takes ", "") in reason or wanted in reason
        assert "has no" not in reason
    [crop, _] = tool_schemas(four)
    assert crop["function"]["parameters"]["required"] == ["x", "y", "width", "height", "target_image"]


def test_a_box_may_be_a_list_of_its_corner_and_its_sides():
    items = dialect(box_keys=("box[0]", "box[1]", "box[2]", "box[3]"), ignored_keys=("why",))
    assert read(items, box=[0.5, 0.5, 0.25, 0.5], target_image=1, why="") == CropImage(0, Box(0.5, 0.5, 0.75, 1.0))
    written = write(CropImage(0, Box(0.1, 0.2, 0.4, 0.9)), items)
    assert '"box": [0.1, 0.2, 0.3, 0.7]' in written
    assert parse(written, items).box.corners == pytest.approx((0.1, 0.2, 0.4, 0.9))
    [crop, _] = tool_schemas(items)
    assert crop["function"]["parameters"]["required"] == ["box", "target_image"]
    for box in ([0, 0, 1], 7, [0, 0, 1, "tall"]):
        reason = refused(items, box=box, target_image=1).reason
        assert "box (a list of 4 numbers: left, top, width, height)" in reason and "has no" not in reason
    two = dialect(box_keys=("at[0]", "at[1]", "size[0]", "size[1]"))
    assert read(two, at=[0.5, 0.5], size=[0.5, 0.5], target_image=1) == CropImage(0, QUARTER)


def test_a_refused_call_says_that_images_are_named():
    named = dialect(image_names=ImageNames("img_{number}"))
    assert 'target_image (the name of an image, such as "img_1")' in refused(named, target_image="img_1").reason


def test_sides_beyond_all_numbers_are_refused():
    four = dialect(box_keys=("x", "y", "width", "height"))
    assert refused(four, x=10**400, y=0, width=0.5, height=1, target_image=1).code == "box_not_finite"


@pytest.mark.parametrize("value", [10**400, -(10**400), float("nan"), float("inf"), "5", True, None])
def test_an_amount_beyond_its_bounds_or_all_numbers_is_not_well_formed(value):
    amount = Amount(0.5, 10.0, "How much.", "amount")
    assert amount.is_well_formed(0.5) and amount.is_well_formed(10) and not amount.is_well_formed(value)
