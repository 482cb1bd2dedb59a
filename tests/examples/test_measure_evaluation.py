"""The measuring example plays, starts again and writes the page, and tells what each took."""

import runpy

from tests.paths import EXAMPLES


def test_playing_starting_again_and_the_page_are_measured_apart(monkeypatch, capsys, tmp_path):
    monkeypatch.syspath_prepend(EXAMPLES)
    main = runpy.run_path(str(EXAMPLES / "measure_evaluation.py"))["main"]
    assert main(["--questions", "40", "--folder", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    seconds = {line.split()[0]: float(line.split()[1]) for line in lines[1:4]}
    assert list(seconds) == ["play", "again", "page"] and all(value > 0 for value in seconds.values())
