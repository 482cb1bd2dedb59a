"""`Flip`: a mirror image."""

import numpy as np
import pytest

from pixel_env.operations.flip import Flip
from tests.pixel_env.operations.chains import (
    PIXELS,
    after,
    assert_refused,
    shown,
)


def test_a_flip_mirrors():
    assert np.array_equal(shown(after(Flip(0, "horizontal"))), PIXELS[:, ::-1])
    assert np.array_equal(shown(after(Flip(0, "vertical"))), PIXELS[::-1])


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ('"target_image": 1, "direction": "diagonal"', "bad_arguments", "horizontal, vertical"),
        ('"target_image": 1, "direction": 1', "bad_arguments", "direction"),
    ],
)
def test_a_bad_call_is_refused_with_what_is_allowed(arguments, code, message):
    assert_refused("flip", arguments, code, message)
