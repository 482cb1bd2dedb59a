"""The edge rules of boxes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_env.boxes import FULL, OVERHANG, Box, read_box
from pixel_env.failures import Failure

ANY_NUMBER = st.floats(allow_nan=True, allow_infinity=True)
NEAR = st.floats(-0.1, 1.1)


def boxes():
    edges = st.floats(0, 1)
    return st.builds(lambda a, b, c, d: read_box([min(a, b), min(c, d), max(a, b), max(c, d)]), *[edges] * 4).filter(
        lambda box: isinstance(box, Box)
    )


@pytest.mark.parametrize(
    ("corners", "code", "said"),
    [
        ([0.1, 0.1, 0.5], "box_length", "4 numbers"),
        ([], "box_length", "got 0"),
        ([0.1, 0.1, 0.5, 0.5, 0.5], "box_length", "got 5"),
        ([0.1, math.nan, 0.5, 0.5], "box_not_finite", "finite"),
        ([0.1, 0.1, math.inf, 0.5], "box_not_finite", "finite"),
        ([0.5, 0.1, 0.5, 0.5], "box_empty", "x0 must be smaller than x1"),
        ([0.1, 0.3, 0.5, 0.3], "box_empty", "y0 smaller than y1"),
        ([0.1, 0.3, 0.1 + 1e-12, 0.5], "box_empty", "smaller"),
        ([0.5, 0.1, 0.1, 0.5], "box_inverted", "top left to the bottom right"),
        ([0.1, 0.5, 0.5, 0.1], "box_inverted", "top left to the bottom right"),
        ([-0.021, 0.1, 0.5, 0.5], "box_outside", "2% of the side"),
        ([0.5, 0.1, 1.021, 0.5], "box_outside", "2% of the side"),
        ([-0.02, 0.1, 0.0, 0.5], "box_outside", "inside of the image"),
        ([1.0, 0.1, 1.02, 0.5], "box_outside", "inside of the image"),
    ],
)
def test_a_box_that_breaks_a_rule_is_refused_with_what_is_allowed(corners, code, said):
    refused = read_box(corners)
    assert isinstance(refused, Failure)
    assert refused.code == code and said in refused.message


def test_an_overhang_of_two_per_cent_is_moved_onto_the_border():
    assert read_box([-OVERHANG, -0.001, 1 + OVERHANG, 1.0]) == FULL


def test_a_legal_box_is_kept_as_it_is():
    assert read_box([0.25, 0.5, 0.75, 1.0]) == Box(0.25, 0.5, 0.75, 1.0)


@given(st.lists(st.one_of(ANY_NUMBER, NEAR), max_size=6))
def test_any_numbers_give_a_box_inside_of_the_image_or_a_failure(corners):
    result = read_box(corners)
    assert isinstance(result, Box | Failure)


def test_a_box_made_by_hand_must_be_legal():
    with pytest.raises(ValueError, match="read_box"):
        Box(0.5, 0.0, 0.2, 1.0)
    with pytest.raises(ValueError):
        Box(math.nan, 0.0, 0.2, 1.0)


@given(boxes(), boxes())
def test_relative_to_undoes_within(inner, outer):
    back = inner.within(outer).relative_to(outer)
    slack = 1e-9 / min(outer.width, outer.height)
    assert back.corners == pytest.approx(inner.corners, abs=slack)


@given(boxes(), st.integers(1, 5000), st.integers(1, 5000))
def test_the_pixels_of_a_box_are_at_least_one_and_inside_of_the_image(box, width, height):
    left, top, right, bottom = box.pixels(width, height)
    assert 0 <= left < right <= width and 0 <= top < bottom <= height


def test_every_pixel_that_a_box_touches_belongs_to_it():
    assert Box(0.25, 0.25, 0.75, 0.75).pixels(10, 10) == (2, 2, 8, 8)


def test_fractions_that_are_off_by_rounding_do_not_touch_another_pixel():
    assert Box(0.1 + 0.2, 0.0, 0.7, 1.0).pixels(10, 10) == (3, 0, 7, 10)
    assert Box(0.0, 0.0, 0.1 + 0.2, 1.0).pixels(10, 10) == (0, 0, 3, 10)


def test_a_box_at_the_very_edge_of_a_single_pixel_is_that_pixel():
    assert Box(0.9999995, 0.9999995, 1.0, 1.0).pixels(1, 1) == (0, 0, 1, 1)


def test_padding_stops_at_the_border():
    assert Box(0.05, 0.4, 0.95, 0.6).padded(0.1).corners == pytest.approx((0.0, 0.3, 1.0, 0.7))


@given(boxes(), boxes())
def test_overlap_is_symmetric_and_one_for_equal_boxes(first, second):
    assert first.iou(second) == pytest.approx(second.iou(first))
    assert first.iou(first) == pytest.approx(1.0)
    assert 0.0 <= first.iou(second) <= 1.0 + 1e-9


def test_the_covered_share_of_a_box_is_its_own_area_that_lies_in_the_other():
    evidence = Box(0.2, 0.2, 0.4, 0.4)
    assert evidence.covered_by(Box(0.3, 0.0, 1.0, 1.0)) == pytest.approx(0.5)
    assert evidence.covered_by(FULL) == pytest.approx(1.0)
    assert FULL.covered_by(evidence) == pytest.approx(0.04)
    assert evidence.covered_by(Box(0.5, 0.5, 0.6, 0.6)) == 0.0
