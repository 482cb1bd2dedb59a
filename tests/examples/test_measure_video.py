"""The measuring example times every decoder that is installed on the same film."""

import runpy

import pytest

from tests.paths import EXAMPLES


def test_every_installed_decoder_is_timed(capsys):
    pytest.importorskip("av")
    main = runpy.run_path(str(EXAMPLES / "measure_video.py"))["main"]
    assert main(["--frames", "40", "--size", "128", "72"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.startswith("16 of 40") and {"av", "decord"} >= {line.split()[0].rstrip(",") for line in lines}
    assert all(float(line.split()[-1]) >= 0 for line in lines)
