"""`Enhance`: contrast and sharpness within bounds."""

import numpy as np
import pytest

from pixel_env.env import PixelEnv
from pixel_env.operations.enhance import Enhance
from pixel_env.testing import tiny_task
from tests.pixel_env.operations.chains import (
    CALL,
    PIXELS,
    after,
    assert_refused,
    shown,
)


def test_enhance_changes_nothing_by_default_and_spreads_values_with_more_contrast():
    assert np.array_equal(shown(after(Enhance(0))), PIXELS)
    assert shown(after(Enhance(0, contrast=2.0))).std() > PIXELS.std()
    assert shown(after(Enhance(0, contrast=0.25))).std() < PIXELS.std()


def test_optional_arguments_may_be_left_out():
    env = PixelEnv([tiny_task()], dialect="default+enhance")
    env.reset(seed=0)
    *_, info = env.step(CALL.format("enhance", '"target_image": 1'))
    assert info["failure"] is None and info["action"] == Enhance(0)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ('"target_image": 1, "contrast": 9', "bad_arguments", "a number from 0.25 to 4, optional"),
        ('"target_image": 1, "sharpness": "much"', "bad_arguments", "sharpness"),
        ('"target_image": 1, "sharpness": 1' + "0" * 400, "bad_arguments", "sharpness"),  # beyond all floats
    ],
)
def test_a_bad_call_is_refused_with_what_is_allowed(arguments, code, message):
    assert_refused("enhance", arguments, code, message)
