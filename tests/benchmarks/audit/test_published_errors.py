"""Errors of published tools that nobody saw in their scores: the audit shows them."""

import pytest

from benchmarks.audit.command import main
from pixel_env.media.sizes import fitted_size
from tests.benchmarks.audit.published import DEEPEYES
from tests.benchmarks.audit.runs import answer, call, figures_in, write_run, write_tasks

TARGET = (0.75, 0.40, 0.80, 0.45)
"""5 % of the width, as in the table of overlaps."""
SIZES = {
    (2246, 1582): (2240, 1568),
    (4032, 4032): (3584, 3584),
    (7680, 4320): (4760, 2688),
    (8192, 5464): (4368, 2912),
}
"""Images and the sizes at which smart_resize shows them."""


def audit(tmp_path, size, dialect, box, *words, **further):
    run = write_run(
        tmp_path / "run", write_tasks(tmp_path / "tasks", [size]), [[[call(box, **further), answer("7")]]], dialect
    )
    assert main([str(run), "--output", str(tmp_path / "audit.json"), *words]) == 0
    return figures_in(tmp_path / "audit.json")["overlaps"]


def shown_pixels(box, size):
    width, height = fitted_size(*size, DEEPEYES.budgets.original)
    return tuple(round(corner * side) for corner, side in zip(box, (width, height) * 2, strict=True))


@pytest.mark.parametrize(("size", "covered"), list(zip(SIZES, (0.949, 0.0, 0.0, 0.0), strict=True)))
def test_shown_pixels_cut_from_the_unscaled_original_miss_the_target_on_large_images(tmp_path, size, covered, capsys):
    assert fitted_size(*size, DEEPEYES.budgets.original) == SIZES[size]
    named = "tests.benchmarks.audit.published:DEEPEYES"
    # At the upper border 96 % of the width and 99 % of the height are delivered.
    box = (TARGET[0], 0.0, TARGET[2], 0.3)
    arguments = {"name": "image_zoom_in_tool", "label": "the card"}
    overlaps = audit(tmp_path, size, named, shown_pixels(box, size), "--asked", "shown", **arguments)
    assert overlaps["delivered"]["covered"] == pytest.approx(covered, abs=0.001)
    assert overlaps["delivered"]["apart"] == float(covered == 0)
    assert ("Worst crops" in capsys.readouterr().out) == (covered == 0)


def test_in_its_own_unit_such_a_tool_seems_right_and_the_audit_says_so(tmp_path, capsys):
    size, named = (4032, 4032), "tests.benchmarks.audit.published:DEEPEYES"
    box = shown_pixels(TARGET, size)
    assert audit(tmp_path, size, named, box, name="image_zoom_in_tool")["delivered"]["apart"] == 0.0
    assert "--asked shown audits a model that means pixels of the image as shown" in capsys.readouterr().out


def test_a_fraction_box_that_touches_the_border_gets_the_corner_from_a_tool_that_guesses(tmp_path, capsys):
    named = "tests.benchmarks.audit.published:VERL_TOOL"
    overlaps = audit(tmp_path / "border", (2246, 1582), named, (0.5, 0.5, 1, 1))
    assert overlaps["delivered"]["apart"] == 1.0
    # 225 x 159 pixels: one pixel, and the padding.
    assert "asked [0.500 0.500 1.000 1.000], delivered [0.000 0.000 0.100 0.101]" in capsys.readouterr().out
    overlaps = audit(tmp_path / "inside", (2246, 1582), named, (0.5, 0.5, 0.9, 0.9))
    assert overlaps["delivered"]["covered"] == pytest.approx(1.0)


def test_a_run_of_an_honest_tool_tells_which_of_its_calls_a_guess_would_have_cut_elsewhere(tmp_path):
    guessed = audit(tmp_path / "border", (640, 480), "default", (0.5, 0.5, 1, 1))["guessed"]
    assert (guessed["n"], guessed["apart"]) == (1, 1.0)
    assert audit(tmp_path / "inside", (640, 480), "default", (0.5, 0.5, 0.9, 0.9))["guessed"]["apart"] == 0.0
    assert audit(tmp_path / "pixels", (640, 480), "qwen2.5-vl", (100, 100, 400, 400))["guessed"]["n"] == 0
