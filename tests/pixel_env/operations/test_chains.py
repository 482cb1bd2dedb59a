"""Chains of operations: boxes stay where their pixels come from; what is off cannot be called."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_env.boxes import Box
from pixel_env.dialects import DIALECTS
from pixel_env.env import PixelEnv
from pixel_env.failures import Failure
from pixel_env.operations import OPERATIONS, CropImage
from pixel_env.operations.enhance import Enhance
from pixel_env.operations.flip import Flip
from pixel_env.operations.rotate import Rotate
from pixel_env.testing import PixelSource, tiny_task
from pixel_env.views import View, ViewKind
from tests.pixel_env.operations.chains import (
    CALL,
    RULE,
    SHOWN_RULE,
    after,
    shown,
)


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


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in ("crop_image", "select_frames")])
def test_an_operation_that_is_not_switched_on_cannot_be_called(name):
    env = PixelEnv([tiny_task()])
    env.reset(seed=0)
    *_, info = env.step(CALL.format(name, '"target_image": 1'))
    assert info["failure"].code == "unknown_operation"
    assert f'"{name}"' not in env.trajectory.prompt.system
