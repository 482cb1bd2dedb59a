"""`CropImage`: from a box and the views so far to a new view, or to the reason why not."""

import dataclasses

import pytest

from pixel_env.boxes import FULL, Box
from pixel_env.dialects import DIALECTS
from pixel_env.edges import Edges
from pixel_env.failures import Failure
from pixel_env.operations import CropImage
from pixel_env.testing import PixelSource, tiny_task
from pixel_env.views import View, ViewKind

DEFAULT = DIALECTS["default"]
SOURCE = PixelSource(1000, 1000)
WHOLE = View(SOURCE, ViewKind.ORIGINAL)
LONG = View(PixelSource(28, 6000), ViewKind.ORIGINAL)


def crop(box, image=0, views=(WHOLE,), dialect=DEFAULT):
    return CropImage(image, box).run(views, tiny_task(), dialect.rule)


@pytest.mark.parametrize(
    ("result", "code", "message"),
    [
        (crop(FULL, 1), "no_such_image", "numbered 1 to 1"),
        (crop(FULL, -1), "no_such_image", "numbered 1 to 1"),
        (crop(FULL, 0, ()), "no_such_image", "there are no images"),
        (crop(Box(0, 0, 0.027, 0.5)), "crop_too_small", "27x500 pixels of the source; each side must have at least 28"),
        (crop(Box(0, 0, 1, 1), views=(LONG,)), "crop_too_long", "at most 200 to 1"),
    ],
)
def test_a_crop_that_is_refused_says_what_is_allowed(result, code, message):
    assert isinstance(result, Failure)
    assert result.code == code and message in result.message


def test_a_crop_of_exactly_the_minimum_side_is_allowed():
    assert crop(Box(0, 0, 0.028, 0.028)) == (View(SOURCE, ViewKind.CROP, Box(0, 0, 0.028, 0.028)),)


def test_a_crop_of_a_crop_is_a_view_of_the_source():
    [first] = crop(Box(0.5, 0.5, 1.0, 1.0))
    [second] = crop(Box(0.5, 0.0, 1.0, 0.5), 1, (WHOLE, first))
    assert second == View(SOURCE, ViewKind.CROP, Box(0.75, 0.5, 1.0, 0.75))


def test_a_dialect_may_pad_and_crop_what_was_shown():
    [view] = crop(Box(0.4, 0.4, 0.6, 0.6), dialect=DIALECTS["released"])
    assert view.box.corners == pytest.approx((0.3, 0.3, 0.7, 0.7)) and view.via == WHOLE


def test_the_minimum_side_is_the_dialects():
    loose = dataclasses.replace(DEFAULT, edges=Edges(min_side=1))
    assert not isinstance(crop(Box(0, 0, 0.001, 0.001), dialect=loose), Failure)


def test_the_region_of_a_crop_is_the_box_without_padding():
    assert CropImage(2, Box(0.4, 0.4, 0.6, 0.6)).region() == (2, Box(0.4, 0.4, 0.6, 0.6))
