"""Operations on pixels: rotate, flip, resize, point_zoom, enhance, alone and in chains."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_env.boxes import FULL, Box
from pixel_env.dialects import DIALECTS, dialect_named, view_budgets
from pixel_env.env import PixelEnv
from pixel_env.failures import Failure
from pixel_env.media import show, shown_size
from pixel_env.operations import OPERATIONS, CropImage
from pixel_env.operations.enhance import Enhance
from pixel_env.operations.flip import Flip
from pixel_env.operations.point_zoom import PointZoom
from pixel_env.operations.resize import Resize
from pixel_env.operations.rotate import Rotate
from pixel_env.testing import PixelSource, tiny_task
from pixel_env.views import View, ViewKind

NATIVE = view_budgets((1, 10**8), (1, 10**8), (1, 10**8), (1, 10**8), factor=1)
RULE = DIALECTS["default"].rule
SHOWN_RULE = DIALECTS["released"].rule
SOURCE = PixelSource(200, 120)
WHOLE = View(SOURCE, ViewKind.ORIGINAL)
PIXELS = np.asarray(SOURCE.decode())


def after(*operations, rule=RULE, view=WHOLE):
    """The view after the operations, each on the result of the one before."""
    for operation in operations:
        found = operation.run([view], tiny_task(), rule)
        assert not isinstance(found, Failure), found
        [view] = found
    return view


def shown(view):
    return show(view, NATIVE)


@pytest.mark.parametrize(("degrees", "turns"), [(90, -1), (180, 2), (270, 1)])
def test_a_quarter_turn_is_numpys_and_changes_no_pixel(degrees, turns):
    assert np.array_equal(shown(after(Rotate(0, degrees))), np.rot90(PIXELS, turns))


def test_a_flip_mirrors():
    assert np.array_equal(shown(after(Flip(0, "horizontal"))), PIXELS[:, ::-1])
    assert np.array_equal(shown(after(Flip(0, "vertical"))), PIXELS[::-1])


@pytest.mark.parametrize("back", [Rotate(0, 270), Rotate(0, 90)])
def test_turned_there_and_back_the_pixels_are_those_of_the_source(back):
    there = Rotate(0, 360 - back.degrees)
    assert np.array_equal(shown(after(there, back)), PIXELS)


def test_a_crop_of_a_turned_image_shows_the_sources_own_pixels_at_its_mapped_region():
    view = after(CropImage(0, Box(0.5, 0.0, 1.0, 1.0)), Rotate(0, 90), CropImage(0, Box(0.0, 0.0, 0.5, 0.5)))
    # Turned clockwise, what was at the bottom left is at the top left.
    assert view.box.corners == pytest.approx((0.5, 0.5, 0.75, 1.0))
    region = PIXELS[60:120, 100:150]
    assert np.array_equal(shown(view), np.rot90(region, -1))


@pytest.mark.parametrize("rule", [RULE, SHOWN_RULE])
def test_evidence_keeps_its_position_through_crop_rotate_crop(rule):
    evidence = Box(0.6, 0.55, 0.7, 0.75)
    large = View(PixelSource(1000, 600), ViewKind.ORIGINAL)
    turned = after(CropImage(0, Box(0.4, 0.4, 0.9, 0.9)), Rotate(0, 270), rule=rule, view=large)
    on_turned = turned.from_source(evidence)
    assert on_turned is not None and turned.to_source(on_turned).iou(evidence) == pytest.approx(1.0)
    [last] = CropImage(0, on_turned).run([turned], tiny_task(), DIALECTS["default"].rule)
    assert last.box.iou(evidence) == pytest.approx(1.0)


@given(st.lists(st.sampled_from(["rotate", "flip", "crop", "enhance"]), max_size=5), st.integers(0, 2**32 - 1))
def test_a_box_found_after_any_chain_is_where_its_pixels_come_from(names, seed):
    rng = np.random.default_rng(seed)
    steps = {
        "rotate": lambda: Rotate(0, int(rng.choice([90, 180, 270]))),
        "flip": lambda: Flip(0, str(rng.choice(["horizontal", "vertical"]))),
        "crop": lambda: CropImage(0, Box(*(rng.integers(0, 3, 2) / 8).tolist(), *(rng.integers(5, 9, 2) / 8).tolist())),
        "enhance": lambda: Enhance(0),
    }
    source = PixelSource(256, 256)
    view = View(source, ViewKind.ORIGINAL)
    for name in names:
        found = steps[name]().run([view], tiny_task(), RULE)
        view = view if isinstance(found, Failure) else found[0]
    array = shown(view)
    height, width, _ = array.shape
    column, row = int(rng.integers(width)), int(rng.integers(height))
    pixel = Box(column / width, row / height, (column + 1) / width, (row + 1) / height)
    left, top, *_ = view.to_source(pixel).pixels(256, 256)
    # A crop takes whole pixels, outward: each one may move a pixel by less than one.
    assert abs(int(array[row, column, 0]) - left) <= names.count("crop")
    assert abs(int(array[row, column, 1]) - top) <= names.count("crop")


def test_resize_shows_the_whole_image_again_with_up_to_four_times_the_pixels():
    dialect = dialect_named("tiny")
    budgets = dialect.budgets
    view = after(Resize(0), view=View(PixelSource(512, 512), ViewKind.ORIGINAL))
    assert view.kind is ViewKind.RESIZED and view.box == FULL
    assert shown_size(View(PixelSource(512, 512), ViewKind.ORIGINAL), budgets) == (64, 64)
    assert shown_size(view, budgets) == (128, 128)


def test_a_point_zoom_is_a_window_around_the_point_moved_inside_at_the_border():
    assert after(PointZoom(0, (0.5, 0.5))).box == Box(0.375, 0.375, 0.625, 0.625)
    assert after(PointZoom(0, (0.0, 1.0))).box == Box(0.0, 0.75, 0.25, 1.0)
    assert PointZoom(3, (0.5, 0.5)).region() == (3, Box(0.375, 0.375, 0.625, 0.625))


def test_enhance_changes_nothing_by_default_and_spreads_values_with_more_contrast():
    assert np.array_equal(shown(after(Enhance(0))), PIXELS)
    assert shown(after(Enhance(0, contrast=2.0))).std() > PIXELS.std()
    assert shown(after(Enhance(0, contrast=0.25))).std() < PIXELS.std()


CALL = '<tool_call>{{"name": "{}", "arguments": {{{}}}}}</tool_call>'


@pytest.mark.parametrize(
    ("name", "arguments", "code", "message"),
    [
        ("rotate", '"target_image": 1, "degrees": 45', "bad_arguments", "one of 90, 180, 270"),
        ("rotate", '"target_image": 1, "degrees": true', "bad_arguments", "degrees"),
        ("rotate", '"target_image": 1', "bad_arguments", "rotate takes target_image"),
        ("rotate", '"target_image": 1, "degrees": 90, "angle": 3', "bad_arguments", "rotate takes"),
        ("rotate", '"target_image": 2, "degrees": 90', "no_such_image", "numbered 1 to 1"),
        ("flip", '"target_image": 1, "direction": "diagonal"', "bad_arguments", "horizontal, vertical"),
        ("flip", '"target_image": 1, "direction": 1', "bad_arguments", "direction"),
        ("resize", '"target_image": "1"', "bad_arguments", "a whole number"),
        ("resize", '"target_image": 0', "no_such_image", "numbered 1 to 1"),
        ("point_zoom", '"target_image": 1, "point_2d": [0.5]', "bad_arguments", "a list of 2 numbers"),
        ("point_zoom", '"target_image": 1, "point_2d": [0.5, 7]', "box_outside", "fractions from 0 to 1"),
        ("point_zoom", '"target_image": 1, "point_2d": [NaN, 0.5]', "box_outside", "The point"),
        ("enhance", '"target_image": 1, "contrast": 9', "bad_arguments", "a number from 0.25 to 4, optional"),
        ("enhance", '"target_image": 1, "sharpness": "much"', "bad_arguments", "sharpness"),
    ],
)
def test_a_bad_call_is_refused_with_what_is_allowed_and_the_episode_continues(name, arguments, code, message):
    env = PixelEnv([tiny_task()], dialect=f"default+{name}")
    env.reset(seed=0)
    observation, reward, terminated, truncated, info = env.step(CALL.format(name, arguments))
    assert info["failure"].code == code and message in observation["text"]
    assert (reward, terminated, truncated) == (0.0, False, False)


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in ("crop_image", "select_frames")])
def test_an_operation_that_is_not_switched_on_cannot_be_called(name):
    env = PixelEnv([tiny_task()])
    env.reset(seed=0)
    *_, info = env.step(CALL.format(name, '"target_image": 1'))
    assert info["failure"].code == "unknown_operation"
    assert f'"{name}"' not in env.trajectory.prompt.system


def test_optional_arguments_may_be_left_out():
    env = PixelEnv([tiny_task()], dialect="default+enhance")
    env.reset(seed=0)
    *_, info = env.step(CALL.format("enhance", '"target_image": 1'))
    assert info["failure"] is None and info["action"] == Enhance(0)
