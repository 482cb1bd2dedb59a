"""The script that throws random texts at every reader, in small."""

import runpy
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "fuzz_parsers.py"


def run(monkeypatch, capsys, main, *arguments):
    monkeypatch.setattr(sys, "argv", [str(EXAMPLE), *arguments])
    code = main()
    return code, capsys.readouterr().out


@pytest.fixture
def script():
    return runpy.run_path(str(EXAMPLE), run_name="example")


def test_two_thousand_random_texts_reach_every_kind_of_result_and_nothing_raises(script, monkeypatch, capsys):
    code, printed = run(monkeypatch, capsys, script["main"], "--cases", "2000")
    assert code == 0 and "0 failures" in printed and "2000 cases" in printed and "cases a second" in printed
    for result in ("Answer", "CropImage", "SelectFrames", "Malformed", "Text", "right", "wrong", "partly"):
        assert f"{result} " in printed


def test_what_a_reader_cannot_read_is_printed_with_its_text_and_fails_the_run(script, monkeypatch, capsys):
    def refuse(text):
        raise ValueError("unreadable")

    main = script["main"]
    monkeypatch.setitem(main.__globals__, "all_readers", lambda: {"mine": refuse})
    code, printed = run(monkeypatch, capsys, main, "--cases", "3")
    assert code == 1 and printed.count("ValueError: unreadable") == 3 and "3 failures" in printed
