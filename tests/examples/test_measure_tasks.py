"""The script that measures how many tasks are loaded in a second, in small."""

import runpy
import sys

import pytest

from tests.paths import EXAMPLES

EXAMPLE = EXAMPLES / "measure_tasks.py"


def test_every_format_is_written_loaded_prepared_and_loaded_again(monkeypatch, capsys, tmp_path):
    pytest.importorskip("av")
    pytest.importorskip("pyarrow")
    script = runpy.run_path(str(EXAMPLE), run_name="example")
    monkeypatch.setattr(sys, "argv", ["measure", "--rows", "3", "--repeats", "1", "--folder", str(tmp_path)])
    assert script["main"]() == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:22].strip() for line in lines[1:]] == list(script["SETS"]) and len(lines[1].split()) == 5
    assert list(tmp_path.iterdir()) == []


def test_a_row_that_is_not_loaded_stops_the_measurement(tmp_path):
    pytest.importorskip("pyarrow")
    script = runpy.run_path(str(EXAMPLE), run_name="example")
    script["SETS"]["tallyqa"](tmp_path, 3)
    with pytest.raises(AssertionError, match="3 tasks were loaded, of 4"):
        script["load_s"](tmp_path, 4)
