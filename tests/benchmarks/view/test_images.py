"""The names of a page's pictures: equal names mean equal pixels."""

from dataclasses import replace

from benchmarks.view.images import ImageList
from pixel_env.boxes import FULL, Box
from pixel_env.dialects.table import dialect_named
from pixel_env.testing import PixelSource
from pixel_env.views import View, ViewKind

BUDGETS = dialect_named("default").budgets
CROP = View(PixelSource(1120, 1120), ViewKind.CROP, Box(0.25, 0.25, 0.75, 0.75))


def test_runs_that_show_the_same_view_at_other_sizes_share_no_picture():
    smaller = replace(BUDGETS, crop=replace(BUDGETS.crop, max_pixels=BUDGETS.crop.min_pixels))
    pictures, kept = ImageList(), {}
    names = [pictures.of_view(CROP, budgets) for budgets in (BUDGETS, smaller)]
    sizes = dict(pictures.make(kept.__setitem__))
    assert len(set(names)) == 2 and kept.keys() == set(names)
    assert sizes[names[0]] != sizes[names[1]]


def test_runs_that_show_the_same_view_in_other_colours_share_no_picture():
    pictures = ImageList()
    assert pictures.of_view(CROP, BUDGETS) != pictures.of_view(CROP, replace(BUDGETS, colors="stored"))


def test_a_view_that_runs_show_alike_is_one_picture():
    other_elsewhere = replace(BUDGETS, original=replace(BUDGETS.original, max_pixels=BUDGETS.original.min_pixels))
    pictures = ImageList()
    assert pictures.of_view(CROP, BUDGETS) == pictures.of_view(CROP, other_elsewhere) and len(pictures) == 1


def test_the_size_of_the_view_that_was_cropped_counts_where_its_pixels_were_cut():
    cut = replace(CROP, via=View(CROP.source, ViewKind.ORIGINAL, FULL))
    smaller = replace(BUDGETS, original=replace(BUDGETS.original, max_pixels=BUDGETS.original.min_pixels))
    pictures = ImageList()
    assert pictures.of_view(cut, BUDGETS) != pictures.of_view(cut, smaller)
