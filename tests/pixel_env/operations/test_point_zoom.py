"""`PointZoom`: a fixed window around a point."""

import pytest

from pixel_env.boxes import Box
from pixel_env.operations.point_zoom import PointZoom
from tests.pixel_env.operations.chains import after, assert_refused


def test_a_point_zoom_is_a_window_around_the_point_moved_inside_at_the_border():
    assert after(PointZoom(0, (0.5, 0.5))).box == Box(0.375, 0.375, 0.625, 0.625)
    assert after(PointZoom(0, (0.0, 1.0))).box == Box(0.0, 0.75, 0.25, 1.0)
    assert PointZoom(3, (0.5, 0.5)).region() == (3, Box(0.375, 0.375, 0.625, 0.625))


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ('"target_image": 1, "point_2d": [0.5]', "bad_arguments", "a list of 2 numbers"),
        ('"target_image": 1, "point_2d": [0.5, 7]', "box_outside", "fractions from 0 to 1"),
        ('"target_image": 1, "point_2d": [NaN, 0.5]', "box_outside", "The point"),
    ],
)
def test_a_bad_call_is_refused_with_what_is_allowed(arguments, code, message):
    assert_refused("point_zoom", arguments, code, message)
