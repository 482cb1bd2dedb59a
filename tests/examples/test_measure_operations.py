"""The measuring examples show what they time: the same crop on every side, and files that lose nothing."""

import runpy

import pytest
from PIL import Image

from tests.paths import EXAMPLES


def test_calls_and_resets_are_timed_in_dialects_that_cut_the_source_what_was_shown_and_nothing(capsys):
    main = runpy.run_path(str(EXAMPLES / "measure_operations.py"))["main"]
    names = ["default", "released", "vigorl", "visionthink"]
    rows = main(["--sizes", "640x480", "--repeats", "2", "--dialects", *names])
    assert [row.dialect for row in rows] == names
    assert all(row.crop.ours_ms > 0 and row.crop.naive_ms > row.crop.floor_ms > 0 for row in rows)
    assert all(row.reset.first_ms > row.reset.seen_ms for row in rows)
    assert len(capsys.readouterr().out.splitlines()) == 2 + len(rows)


def test_every_way_to_write_an_image_gives_its_pixels_back(tmp_path, capsys):
    Image.effect_noise((300, 200), 40).convert("RGB").save(tmp_path / "noise.png")
    main = runpy.run_path(str(EXAMPLES / "measure_encoding.py"))["main"]
    rows = main(["--sets", "vstar-tiny", "--repeats", "1", "--pictures", str(tmp_path / "noise.png")])
    kib = {(row.group, row.way): row.kib for row in rows}
    assert kib["noise.png", "png 6"] == pytest.approx(kib["noise.png", "png 1"], rel=0.2)
    assert "png 1" in capsys.readouterr().out
