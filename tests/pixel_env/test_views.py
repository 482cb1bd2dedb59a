"""Views: references whose keys name what is shown."""

import pickle

from pixel_env.boxes import FULL, Box
from pixel_env.testing import PixelSource
from pixel_env.views import View, ViewKind

QUARTER = Box(0.0, 0.0, 0.5, 0.5)


def test_views_of_equal_sources_share_a_key_and_anything_else_that_differs_changes_it():
    view = View(PixelSource(8, 8), ViewKind.CROP, QUARTER)
    assert view.key == pickle.loads(pickle.dumps(view)).key
    others = [
        View(PixelSource(8, 9), ViewKind.CROP, QUARTER),
        View(PixelSource(8, 8), ViewKind.ORIGINAL, QUARTER),
        View(PixelSource(8, 8), ViewKind.CROP, FULL),
        View(PixelSource(8, 8), ViewKind.CROP, QUARTER, via=View(PixelSource(8, 8), ViewKind.ORIGINAL)),
        View(PixelSource(8, 8), ViewKind.CROP, QUARTER, via=View(PixelSource(8, 8), ViewKind.CROP)),
    ]
    keys = [one.key for one in [view, *others]]
    assert len(set(keys)) == len(keys)
