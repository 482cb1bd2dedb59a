"""`Rotate`: quarter turns that change no pixel."""

import numpy as np
import pytest

from pixel_env.boxes import Box
from pixel_env.operations import CropImage
from pixel_env.operations.rotate import Rotate
from tests.pixel_env.operations.chains import (
    PIXELS,
    after,
    assert_refused,
    shown,
)


@pytest.mark.parametrize(("degrees", "turns"), [(90, -1), (180, 2), (270, 1)])
def test_a_quarter_turn_is_numpys_and_changes_no_pixel(degrees, turns):
    assert np.array_equal(shown(after(Rotate(0, degrees))), np.rot90(PIXELS, turns))


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


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ('"target_image": 1, "degrees": 45', "bad_arguments", "one of 90, 180, 270"),
        ('"target_image": 1, "degrees": true', "bad_arguments", "degrees"),
        ('"target_image": 1', "bad_arguments", "rotate takes target_image"),
        ('"target_image": 1, "degrees": 90, "angle": 3', "bad_arguments", "rotate takes"),
        ('"target_image": 2, "degrees": 90', "no_such_image", "numbered 1 to 1"),
    ],
)
def test_a_bad_call_is_refused_with_what_is_allowed(arguments, code, message):
    assert_refused("rotate", arguments, code, message)
