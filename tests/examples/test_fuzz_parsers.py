"""The script that throws random texts and broken data sets at every parser, in small."""

import runpy
import sys

import pytest

from pixel_env.actions import parse_all
from pixel_env.types import Text
from tests.paths import EXAMPLES

EXAMPLE = EXAMPLES / "fuzz_parsers.py"


def run(monkeypatch, capsys, main, *arguments):
    monkeypatch.setattr(sys, "argv", [str(EXAMPLE), *arguments])
    code = main()
    return code, capsys.readouterr().out


@pytest.fixture
def script(monkeypatch):
    pytest.importorskip("pyarrow")
    monkeypatch.syspath_prepend(EXAMPLE.parent)
    return runpy.run_path(str(EXAMPLE), run_name="example")


def test_five_thousand_cases_reach_every_kind_of_result_and_nothing_raises(script, monkeypatch, capsys):
    code, printed = run(monkeypatch, capsys, script["main"], "--cases", "5000")
    assert code == 0 and "0 failures" in printed and "5000 cases" in printed and "cases a second" in printed
    of_models = ("Answer", "CropImage", "SelectFrames", "Malformed", "Text", "right", "wrong", "partly")
    of_data_sets = ("task", "reason", "index", "none", "rows", "unpacked", "whole", "broken", "cut")
    for result in (*of_models, *of_data_sets):
        assert f"{result} " in printed


def test_turns_are_read_by_all_rows_at_once_and_reach_every_kind_of_result(script, monkeypatch, capsys):
    code, printed = run(monkeypatch, capsys, script["main"], "--cases", "3000", "--only", "turn")
    assert code == 0 and "0 failures" in printed and "parse:" not in printed
    for result in ("called", "refused", "answer"):
        assert f"{result} " in printed


def test_a_row_that_takes_a_call_for_plain_text_fails_the_run(script, monkeypatch, capsys):
    def deaf(text, dialect, *sizes):
        return (Text(text),) if dialect.name == "qwen3-vl" else parse_all(text, dialect, *sizes)

    monkeypatch.setattr("fuzzed_turns.parse_all", deaf)
    code, printed = run(monkeypatch, capsys, script["main"], "--cases", "500", "--only", "turn")
    assert code == 1 and "reads a call and qwen3-vl plain text" in printed


def test_a_reader_that_does_not_exist_is_refused_with_those_that_do(script, monkeypatch, capsys):
    with pytest.raises(SystemExit):
        run(monkeypatch, capsys, script["main"], "--only", "trun")
    assert "parse:default, " in capsys.readouterr().err


def test_a_task_that_shows_what_lies_outside_of_its_folder_fails_the_run(script, monkeypatch, capsys):
    def reach_out(folder, name, is_kind=None):
        return str(folder.root / "../outside.png")

    monkeypatch.setattr("pixel_env.tasks.files.images.ImageFolder.find", reach_out)
    code, printed = run(monkeypatch, capsys, script["main"], "--cases", "3000")
    assert code == 1 and "row:tallyqa" in printed and "lies outside of" in printed


def test_what_a_reader_cannot_read_is_printed_with_its_text_and_fails_the_run(script, monkeypatch, capsys):
    def refuse(text):
        raise ValueError("unreadable")

    main = script["main"]
    monkeypatch.setitem(main.__globals__, "all_readers", lambda folder: {"mine": refuse})
    code, printed = run(monkeypatch, capsys, main, "--cases", "3")
    assert code == 1 and printed.count("ValueError: unreadable") == 3 and "3 failures" in printed
