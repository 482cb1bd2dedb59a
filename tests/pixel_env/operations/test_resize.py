"""`Resize`: the whole image again, in a larger budget."""

import pytest

from pixel_env.boxes import FULL
from pixel_env.dialects import dialect_named
from pixel_env.media import shown_size
from pixel_env.operations.resize import Resize
from pixel_env.testing import PixelSource
from pixel_env.views import View, ViewKind
from tests.pixel_env.operations.chains import after, assert_refused


def test_resize_shows_the_whole_image_again_with_up_to_four_times_the_pixels():
    dialect = dialect_named("tiny")
    budgets = dialect.budgets
    view = after(Resize(0), view=View(PixelSource(512, 512), ViewKind.ORIGINAL))
    assert view.kind is ViewKind.RESIZED and view.box == FULL
    assert shown_size(View(PixelSource(512, 512), ViewKind.ORIGINAL), budgets) == (64, 64)
    assert shown_size(view, budgets) == (128, 128)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ('"target_image": "1"', "bad_arguments", "a whole number"),
        ('"target_image": 0', "no_such_image", "numbered 1 to 1"),
    ],
)
def test_a_bad_call_is_refused_with_what_is_allowed(arguments, code, message):
    assert_refused("resize", arguments, code, message)
