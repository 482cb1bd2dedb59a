"""The measuring example shows the same pixels both ways, and copies of the pictures take more memory."""

import runpy

from tests.paths import EXAMPLES


def test_pictures_by_reference_and_copied_are_measured_on_the_same_pixels(monkeypatch, capsys):
    monkeypatch.syspath_prepend(EXAMPLES)
    main = runpy.run_path(str(EXAMPLES / "measure_memory.py"))["main"]
    ways = main(["--episodes", "24", "--pictures", "2", "--size", "2048", "1365", "--dialect", "tiny"])
    ours, copies = ways["by reference"], ways["copies"]
    assert ours.shown_digest == copies.shown_digest
    assert copies.peak_mib > 24 * 2048 * 1365 * 3 / 2**20 > ours.peak_mib > 0
    assert "of the copies' memory" in capsys.readouterr().out
