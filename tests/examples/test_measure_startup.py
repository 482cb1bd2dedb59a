"""The measuring example starts each process and prints what it cost, beside Python alone."""

import runpy

from tests.paths import EXAMPLES


def test_every_start_is_measured_beside_python_alone(capsys, monkeypatch):
    main = runpy.run_path(str(EXAMPLES / "measure_startup.py"))["main"]
    rows = main.__globals__["STARTS"]
    for title in [title for title in rows if "eval" in title or ("--help" in title and title != "pixel-env --help")]:
        monkeypatch.delitem(rows, title)
    assert main(["--runs", "1"]) == 0
    _, *lines = capsys.readouterr().out.splitlines()
    seconds = {line[:42].strip(): float(line[42:].split()[0]) for line in lines}
    assert seconds.keys() == rows.keys() and seconds["pixel-env --help"] < seconds["python -c 'import gymnasium'"]
