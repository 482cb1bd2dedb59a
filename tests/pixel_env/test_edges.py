"""Edge rules: which pixels are cut for the corners that a model wrote, field by field, with hand-computed pixels."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pixel_env.actions import parse, write
from pixel_env.boxes import FULL, Box, PaddedBox
from pixel_env.dialects.table import DIALECTS
from pixel_env.edges import Edges
from pixel_env.env import PixelEnv
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.interventions import random_position
from pixel_env.media.sizes import native_size
from pixel_env.operations.coordinates import Coordinates
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.point_zoom import PointZoom
from pixel_env.store import row_of, trajectory_of
from pixel_env.testing import PixelSource, tiny_task
from pixel_env.types import Limits
from pixel_env.views import Cut, Magnified, View, ViewKind
from tests.pixel_env.operations.chains import NATIVE

DEFAULT, RELEASED = DIALECTS["default"], DIALECTS["released"]
WIDTH, HEIGHT = 100, 80
SOURCE = PixelSource(WIDTH, HEIGHT)
PIXELS = np.asarray(SOURCE.decode())
TASK = tiny_task(sources=(SOURCE,))


def with_edges(base=DEFAULT, *, unit="pixel", **edges):
    """A dialect of pixels with these edge rules; every view is shown pixel by pixel."""
    given = {"min_side": 1, **edges}
    return replace(base, coordinates=Coordinates(unit), edges=replace(base.edges, **given), budgets=NATIVE)


def call(corners, image=1, name="crop_image"):
    return (
        f'<tool_call>{{"name": "{name}", "arguments": {{"bbox_2d": {corners}, "target_image": {image}}}}}</tool_call>'
    )


def played(*texts, dialect, task=TASK, **options):
    env = PixelEnv([task], dialect=dialect, limits=Limits(9), **options)
    env.reset(seed=0)
    return env, [env.step(text) for text in texts]


def cut_by(corners, **edges):
    """Left, top, right, bottom of the pixels that come back; the code of the failure if none do."""
    _, [(observation, *_, info)] = played(call(corners), dialect=with_edges(**edges))
    if info["failure"] is not None:
        return info["failure"].code.value
    [image] = observation["images"]
    left, top = (int(value) for value in image[0, 0, :2])
    height, width, _ = image.shape
    assert np.array_equal(image, PIXELS[top : top + height, left : left + width])
    return left, top, left + width, top + height


# ---------------------------------------------------------------------------------------------------- field by field


@pytest.mark.parametrize(
    ("overhang", "corners", "pixels"),
    [
        (0.0, [-1, 0, 50, 40], "box_outside"),
        (0.02, [-2, 0, 50, 40], (0, 0, 50, 40)),
        (0.02, [-3, 0, 50, 40], "box_outside"),
        (0.1, [-10, -8, 110, 88], (0, 0, 100, 80)),
        (math.inf, [-900, 10, 50, 4000], (0, 10, 50, 80)),
        (math.inf, [-900, 10, -5, 40], "box_outside"),
        (math.inf, [100, 10, 300, 40], "box_outside"),
    ],
)
def test_an_edge_outside_of_the_image_is_refused_or_moved_onto_the_border(overhang, corners, pixels):
    assert cut_by(corners, overhang=overhang) == pixels


@pytest.mark.parametrize(
    ("factor", "pixels"),
    [(1.0, (40, 20, 60, 60)), (1.5, (35, 10, 65, 70)), (3.0, (20, 0, 80, 80)), (0.5, (45, 30, 55, 50))],
)
def test_a_box_is_enlarged_about_its_centre_up_to_the_border(factor, pixels):
    assert cut_by([40, 20, 60, 60], enlarge=factor) == pixels


@pytest.mark.parametrize(
    ("rules", "pixels"),
    [
        ({"padding": 0.1}, (30, 12, 70, 68)),
        ({"padding": 0.5}, (0, 0, 100, 80)),
        ({"padding": 0.1, "padding_pixels": 4}, (36, 16, 64, 64)),
        ({"padding": 0.1, "padding_pixels": 9}, (31, 12, 69, 68)),  # 8 pixels of the height are less than 9
        ({"padding": 0.1, "enlarge": 1.5}, (25, 2, 75, 78)),  # enlarged, then padded
    ],
)
def test_padding_is_a_share_of_the_image_s_side_and_at_most_so_many_pixels(rules, pixels):
    assert cut_by([40, 20, 60, 60], **rules) == pixels


@pytest.mark.parametrize(
    ("corners", "without", "with_padding_first"),
    [
        ([40, 20, 60, 60], (30, 12, 70, 68), (30, 12, 70, 68)),
        ([50, 20, 50, 60], "box_empty", (40, 12, 60, 68)),
        ([60, 20, 50, 60], "box_inverted", (50, 12, 60, 68)),
        ([90, 20, 60, 60], "box_inverted", "box_inverted"),  # 80 to 70 after padding
        ([105, 20, 120, 60], "box_outside", (95, 12, 100, 68)),
        ([115, 20, 130, 60], "box_outside", "box_outside"),
    ],
)
def test_padding_that_comes_first_repairs_boxes_that_it_makes_a_region_and_is_added_once(
    corners, without, with_padding_first
):
    assert cut_by(corners, padding=0.1) == without
    assert cut_by(corners, padding=0.1, pads_first=True) == with_padding_first


@pytest.mark.parametrize(
    ("corners", "refused", "expanded"),
    [
        ([40, 20, 60, 60], "crop_too_small", (36, 20, 64, 60)),
        ([50, 40, 51, 41], "crop_too_small", (36, 26, 65, 55)),  # about 50.5: 36.5 to 64.5
        ([0, 0, 4, 4], "crop_too_small", (0, 0, 28, 28)),
        ([96, 76, 100, 80], "crop_too_small", (72, 52, 100, 80)),
        ([10, 10, 60, 60], (10, 10, 60, 60), (10, 10, 60, 60)),
    ],
)
def test_a_small_box_is_refused_or_expanded_about_its_centre(corners, refused, expanded):
    assert cut_by(corners, min_side=28) == refused
    assert cut_by(corners, min_side=28, small_box="expand") == expanded


def test_a_box_is_not_expanded_beyond_an_image_that_is_too_small_itself():
    assert cut_by([40, 20, 50, 30], min_side=90, small_box="expand") == "crop_too_small"


@pytest.mark.parametrize("rounding", ["outward", "inward", "down", "up", "nearest"])
@pytest.mark.parametrize("corners", [[50, 40, 51, 41], [50.5, 40, 51, 41.25], [3, 3, 4, 4], [98, 78, 99, 79]])
def test_an_expanded_box_has_the_least_side_whatever_the_rounding(rounding, corners):
    left, top, right, bottom = cut_by(corners, min_side=27, small_box="expand", rounding=rounding)
    assert right - left in (27, 28) and bottom - top in (27, 28)


def test_a_region_that_is_too_long_is_refused():
    assert cut_by([0, 0, 80, 20], max_aspect=4.0) == (0, 0, 80, 20)
    assert cut_by([0, 0, 81, 20], max_aspect=4.0) == "crop_too_long"
    assert cut_by([0, 0, 10, 60], max_aspect=5.0) == "crop_too_long"


@pytest.mark.parametrize(
    ("rounding", "pixels"),
    [
        ("outward", (10, 20, 51, 61)),
        ("inward", (11, 21, 50, 60)),
        ("down", (10, 20, 50, 60)),
        ("up", (11, 21, 51, 61)),
        ("nearest", (10, 20, 51, 60)),  # 10.5 -> 10, 20.5 -> 20, 50.75 -> 51, 60.25 -> 60
    ],
)
def test_edges_become_whole_pixels_by_the_rounding(rounding, pixels):
    assert cut_by([10.5, 20.5, 50.75, 60.25], rounding=rounding) == pixels


def test_the_nearest_pixel_of_a_half_is_the_even_one_as_python_rounds():
    assert cut_by([10.5, 11.5, 20.5, 21.5], rounding="nearest") == (10, 12, 20, 22)


def test_a_region_that_rounding_leaves_without_a_pixel_is_refused():
    assert cut_by([10.2, 20.2, 10.6, 20.6], rounding="inward") == "crop_too_small"
    assert cut_by([10.2, 20.2, 10.6, 20.6], rounding="down") == "crop_too_small"
    assert cut_by([10.2, 20.2, 10.6, 20.6], rounding="outward") == (10, 20, 11, 21)


def test_the_last_row_and_column_can_be_left_out():
    assert cut_by([50, 40, 100, 80], last_pixel=True) == (50, 40, 99, 79)
    assert cut_by([50, 40, 98, 78], last_pixel=True) == (50, 40, 98, 78)
    assert cut_by([99.5, 40, 100, 80], last_pixel=True) == (98, 40, 99, 79)


def test_a_box_that_would_be_refused_can_show_the_whole_image():
    for corners in ([60, 20, 50, 60], [0, 0, 400, 400], [1, 1, 1, 1]):
        assert cut_by(corners, whole_image_on_failure=True) == (0, 0, 100, 80)
    assert cut_by([1, 1, 5, 5], min_side=28, whole_image_on_failure=True) == (0, 0, 100, 80)
    assert cut_by([1, 1, 50, 50], whole_image_on_failure=True) == (1, 1, 50, 50)
    assert cut_by('["1", 1, 5, 5]', whole_image_on_failure=True) == "bad_arguments"  # no box at all


@pytest.mark.parametrize(
    ("rules", "size"),
    [
        ({"magnify": 2.0}, (40, 80)),
        ({"magnify": 0.5}, (10, 20)),
        ({"magnify": 2.0, "magnified_pixels": 1800}, (30, 60)),  # sqrt(1800 / 800) = 1.5
        ({"magnify": 2.0, "magnified_pixels": 10**6}, (40, 80)),
    ],
)
def test_a_region_is_magnified_up_to_so_many_pixels(rules, size):
    env, [(observation, *_)] = played(call([40, 20, 60, 60]), dialect=with_edges(**rules))
    assert observation["images"][0].shape[1::-1] == size
    [view] = env.trajectory.turns[0].views
    assert view.box == Box(0.4, 0.25, 0.6, 0.75)  # where it lies on the source is unchanged


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [(None, Box(0.375, 0.375, 0.625, 0.625)), (40, Box(0.3, 0.25, 0.7, 0.75))],
)
def test_the_window_around_a_point_can_be_a_fixed_square_of_pixels(pixels, expected):
    whole = View(SOURCE, ViewKind.ORIGINAL)
    [view] = PointZoom(0, (0.5, 0.5)).run([whole], TASK, with_edges(window_pixels=pixels).rule)
    assert view.box.corners == pytest.approx(expected.corners)
    [at_border] = PointZoom(0, (1.0, 0.0)).run([whole], TASK, with_edges(window_pixels=40).rule)
    assert native_size(at_border) == (40, 40) and at_border.box.corners == pytest.approx((0.6, 0.0, 1.0, 0.5))


@pytest.mark.parametrize(
    ("edges", "error", "said"),
    [
        ({"small_box": "grow"}, UnknownNameError, "expand"),
        ({"rounding": "outwards"}, UnknownNameError, "outward"),
        ({"overhang": -0.1}, ConfigError, "overhang is -0.1; give 0 or more"),
        ({"padding": math.nan}, ConfigError, "padding"),
        ({"min_side": 0}, ConfigError, "min_side is 0; give 1 or more"),
        ({"max_aspect": 0.5}, ConfigError, "max_aspect"),
        ({"magnify": 0.0}, ConfigError, "magnify is 0.0; give a factor of 0.001 or more"),
        ({"enlarge": 1e-300, "small_box": "scale"}, ConfigError, "enlarge is 1e-300; give a factor of 0.001 or more"),
        ({"padding_pixels": -50}, ConfigError, "padding_pixels is -50; give 0 or more, or leave it out"),
        ({"magnified_pixels": 0}, ConfigError, "magnified_pixels is 0; give 1 or more, or leave it out"),
        ({"window_pixels": 0}, ConfigError, "window_pixels is 0; give 1 or more, or leave it out"),
        ({"enlarge": math.inf}, ConfigError, "enlarge"),
    ],
)
def test_edge_rules_that_mean_nothing_are_refused(edges, error, said):
    with pytest.raises(error, match=said):
        Edges(**edges)


# -------------------------------------------------------------------------------------------------- a crop of a crop


@pytest.mark.parametrize("crops_source", [True, False])
@pytest.mark.parametrize("rounding", ["outward", "down", "nearest"])
def test_a_crop_of_a_crop_is_cut_from_whole_pixels_and_lies_where_its_box_says(crops_source, rounding):
    dialect = replace(with_edges(rounding=rounding), crops_source=crops_source)
    env, steps = played(call([10, 8, 70, 68]), call([15, 15, 45, 30], image=2), dialect=dialect)
    assert np.array_equal(steps[1][0]["images"][0], PIXELS[23:38, 25:55])
    assert env.trajectory.turns[1].views[0].box.corners == pytest.approx((0.25, 23 / 80, 0.55, 38 / 80))


@pytest.mark.parametrize("rounding", ["down", "inward"])
def test_a_crop_of_a_rounded_crop_counts_from_its_whole_pixels(rounding):
    """A list of corners is rounded, cut, and the next box is a box on that result: 10.5 is 10 down, 11 inward."""
    env, steps = played(call([10.5, 8, 70, 68]), call([0, 0, 30, 30], image=2), dialect=with_edges(rounding=rounding))
    left = {"down": 10, "inward": 11}[rounding]
    assert steps[0][0]["images"][0].shape[1] == 70 - left
    assert np.array_equal(steps[1][0]["images"][0], PIXELS[8:38, left : left + 30])
    assert env.trajectory.stop is None


@pytest.mark.parametrize("crops_source", [True, False])
def test_a_trajectory_with_every_kind_of_cut_is_written_and_read_again(crops_source):
    rules = {"rounding": "nearest", "magnify": 2.0, "magnified_pixels": 9000, "padding": 0.1, "pads_first": True}
    dialect = replace(with_edges(**rules), crops_source=crops_source)
    env, _ = played(call([10, 10, 60, 60]), call([5, 5, 40, 40], 2), call([50, 40, 50, 40]), dialect=dialect)
    turns = env.trajectory.turns
    assert all(turn.failure is None for turn in turns) and isinstance(turns[2].action.box, PaddedBox)
    first, second = turns[0].views[0], turns[1].views[0]
    assert first.steps[-1] == Magnified(2.0, 9000) and isinstance(first.steps[0], Cut)
    assert second.steps[-2].rounding == "nearest"
    assert trajectory_of(row_of(env.trajectory), TASK) == env.trajectory


@pytest.mark.parametrize("crops_source", [True, False])
@pytest.mark.parametrize("rounding", ["outward", "down"])
def test_a_random_position_of_a_magnified_crop_has_its_size_and_shows_another_part(crops_source, rounding):
    dialect = replace(with_edges(rounding=rounding, magnify=2.0), crops_source=crops_source)
    texts = (call([20, 16, 60, 48]), call([10, 8, 30, 28], image=2))
    _, as_it_is = played(*texts, dialect=dialect)
    env, moved = played(*texts, dialect=dialect, intervention=random_position(1))
    for ours, theirs in zip(as_it_is, moved, strict=True):
        assert ours[0]["images"][0].shape == theirs[0]["images"][0].shape
        assert not np.array_equal(ours[0]["images"][0], theirs[0]["images"][0])
    first, second = (turn.views[0] for turn in env.trajectory.turns)
    assert first.box.width == pytest.approx(0.4) and first.steps[-1] == Magnified(2.0)
    assert first.box.contains(second.box)


# -------------------------------------------------------------------------------------------------------- properties

SIDES = st.integers(1, 3000)
FRACTIONS = st.floats(0.0, 1.0).map(lambda value: round(value, 4))


@st.composite
def boxes(draw):
    xs, ys = (sorted(draw(st.lists(FRACTIONS, min_size=2, max_size=2, unique=True))) for _ in range(2))
    return Box(xs[0], ys[0], xs[1], ys[1])


RULES = st.builds(
    Edges,
    enlarge=st.sampled_from([0.5, 1.0, 1.5, 10.0]),
    padding=st.sampled_from([0.0, 0.1, 0.9]),
    padding_pixels=st.sampled_from([None, 0, 7]),
    min_side=st.sampled_from([1, 27, 28, 200]),
    small_box=st.sampled_from(["refuse", "expand"]),
    rounding=st.sampled_from(["outward", "inward", "down", "up", "nearest"]),
    last_pixel=st.booleans(),
)


@given(boxes(), SIDES, SIDES, RULES)
def test_a_region_lies_inside_of_the_image_and_has_a_pixel(box, width, height, edges):
    left, top, right, bottom = edges.region(box, width, height).pixels(width, height, edges.rounding)
    assert 0 <= left < right <= width and 0 <= top < bottom <= height


@given(boxes(), SIDES, SIDES, RULES)
@example(Box(0.0, 0.5332, 1.0, 1.0), 200, 857, Edges(enlarge=0.5, min_side=200, rounding="inward"))
def test_expanding_gives_the_least_side_wherever_the_image_has_it(box, width, height, edges):
    edges = replace(edges, small_box="expand")
    left, top, right, bottom = edges.region(box, width, height).pixels(width, height, edges.rounding)
    assert right - left >= min(width, edges.min_side) - 1 * (edges.last_pixel and width <= edges.min_side)
    if min(width, height) >= edges.min_side:
        fault = edges.fault(right - left, bottom - top)
        assert fault is None or fault.code.value == "crop_too_long"


@given(boxes(), boxes(), st.sampled_from(["outward", "down"]), st.sampled_from([1.0, 2.0]), st.booleans())
def test_a_box_on_a_view_comes_back_from_the_source(outer, inner, rounding, factor, of_shown):
    view = View(SOURCE, ViewKind.ORIGINAL).cut(outer, rounding=rounding, of_shown=of_shown).magnified(factor)
    source = view.to_source(inner)
    assert outer.contains(source)
    back = view.from_source(source)
    assert back is not None and back.corners == pytest.approx(inner.corners, abs=1e-6)


def test_a_padded_box_and_a_plain_one_differ_where_padding_is_added():
    edges = Edges(padding=0.1)
    assert edges.region(Box(0.4, 0.4, 0.6, 0.6), 100, 100).x0 == pytest.approx(0.3)
    assert edges.region(PaddedBox(0.4, 0.4, 0.6, 0.6), 100, 100).x0 == pytest.approx(0.4)


def test_what_the_released_dialect_repairs_is_a_padded_box():
    text = call([0.5, 0.5, 0.5, 0.5], name="crop_image_normalized")
    action = parse(text, RELEASED, [(560, 560)])
    assert action == CropImage(0, PaddedBox(0.4, 0.4, 0.6, 0.6))
    assert parse(write(CropImage(0, FULL), RELEASED), RELEASED) == CropImage(0, FULL)
