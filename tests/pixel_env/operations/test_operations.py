"""Operations: from an action and the views so far to new views, or to the reason why not."""

import dataclasses

import pytest

from pixel_env.boxes import FULL, Box
from pixel_env.dialects.table import DIALECTS
from pixel_env.failures import Failure
from pixel_env.operations.crop_image import CropImage, crop_image
from pixel_env.operations.select_frames import SelectFrames, select_frames
from pixel_env.testing import PixelSource, tiny_task, tiny_video_task
from pixel_env.views import View, ViewKind

DEFAULT = DIALECTS["default"]
SOURCE = PixelSource(1000, 1000)
WHOLE = View(SOURCE, ViewKind.ORIGINAL)
LONG = View(PixelSource(28, 6000), ViewKind.ORIGINAL)


def crop(box, image=0, views=(WHOLE,), dialect=DEFAULT):
    return crop_image(CropImage(image, box), views, dialect)


@pytest.mark.parametrize(
    ("result", "code", "said"),
    [
        (crop(FULL, 1), "no_such_image", "numbered 1 to 1"),
        (crop(FULL, -1), "no_such_image", "numbered 1 to 1"),
        (crop(FULL, 0, ()), "no_such_image", "there are no images"),
        (crop(Box(0, 0, 0.027, 0.5)), "crop_too_small", "27x500 pixels of the source; each side must have at least 28"),
        (crop(Box(0, 0, 1, 1), views=(LONG,)), "crop_too_long", "at most 200 to 1"),
        (select_frames(SelectFrames((0,)), tiny_task(), DEFAULT), "not_a_video", "from a video only"),
        (select_frames(SelectFrames(()), tiny_video_task(), DEFAULT), "no_frames", "name 1 to 8 frames"),
        (select_frames(SelectFrames((16,)), tiny_video_task(16), DEFAULT), "no_such_frame", "numbered 1 to 16"),
        (select_frames(SelectFrames((-1,)), tiny_video_task(16), DEFAULT), "no_such_frame", "numbered 1 to 16"),
        (select_frames(SelectFrames((0,) * 9), tiny_video_task(), DEFAULT), "too_many_frames", "at most 8"),
    ],
)
def test_what_cannot_be_done_says_what_is_allowed(result, code, said):
    assert isinstance(result, Failure)
    assert result.code == code and said in result.message


def test_a_crop_of_exactly_the_minimum_side_is_allowed():
    assert crop(Box(0, 0, 0.028, 0.028)) == View(SOURCE, ViewKind.CROP, Box(0, 0, 0.028, 0.028))


def test_a_crop_of_a_crop_is_a_view_of_the_source():
    first = crop(Box(0.5, 0.5, 1.0, 1.0))
    second = crop(Box(0.5, 0.0, 1.0, 0.5), 1, (WHOLE, first))
    assert second == View(SOURCE, ViewKind.CROP, Box(0.75, 0.5, 1.0, 0.75))


def test_a_dialect_may_pad_and_cut_what_was_shown():
    view = crop(Box(0.4, 0.4, 0.6, 0.6), dialect=DIALECTS["released"])
    assert isinstance(view, View)
    assert view.box.corners == pytest.approx((0.3, 0.3, 0.7, 0.7)) and view.via == WHOLE


def test_the_minimum_side_is_the_dialects():
    loose = dataclasses.replace(DEFAULT, min_crop_side=1)
    assert isinstance(crop(Box(0, 0, 0.001, 0.001), dialect=loose), View)


def test_frames_come_in_the_order_in_which_they_are_named():
    task = tiny_video_task(16)
    views = select_frames(SelectFrames((5, 2, 5)), task, DEFAULT)
    assert views == tuple(View(task.sources[frame], ViewKind.SELECTED_FRAME) for frame in (5, 2, 5))
