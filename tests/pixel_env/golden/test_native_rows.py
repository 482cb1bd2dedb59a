"""The native rows read the calls that TRL's own templates and response parsers read, where the call is whole."""

import json
from pathlib import Path

import pytest

from pixel_env.dialects.call_syntax import json_or_text
from pixel_env.dialects.table import DIALECTS
from pixel_env.failures import Failure

FOLDER = Path(__file__).parent
ROWS = {"qwen3.5": "qwen3_5.json", "glm-4.5v": "glm_4_5v.json"}
NOT_WHOLE = ("missing", "cut in", "in one call", "in quotes", "alone", "JSON in", "JSON after", "empty call")
"""Kinds of texts that are no whole call: ours tells the model so, theirs guesses or shows them as text."""
ELSE = {
    "glm-4.5v": {
        "two words as name",  # theirs keeps the first word
        "all in one line",  # theirs takes the whole line for the name
        "value before its key",
        "no arguments",  # the value None instead of {}
        "key twice",
        "value of an integer",
        "thought not closed, call",  # a finished turn with a call in an open thought calls
        "value of a number",  # ".5" is no JSON
        "value of a boolean",  # nor is "True"
        "name with blanks",  # ours strips names
        "indented",  # theirs drops the arguments
        "break before the name",
        "no break between key and value",
    },
    "qwen3.5": {
        "value of an integer",  # "+1" is no JSON
        "blank after the equals sign",
        "key twice",
        "thought not closed, call",
        "value of a number",
        "value of a boolean",
        "name with blanks",
    },
}
"""Kinds that ours reads otherwise, on purpose."""


def calls_in(text, dialect):
    """Name and arguments of each call, as the syntax reads it, before operations look at the arguments."""
    said = text.rpartition("</think>")[2]
    _, *parts = said.split(dialect.calls.opening)
    calls = [dialect.calls.parse(dialect.calls.opening + part, (), is_unfinished=False) for part in parts]
    return [None if isinstance(call, Failure) else (call.name, call.arguments) for call in calls]


def as_json(arguments):
    """The arguments without the quotes that a schema decides about: theirs knows one, ours asks the operation later."""
    return {key: unquoted(value) for key, value in arguments.items()}


def unquoted(value):
    while isinstance(value, str) and (read := json_or_text(value)) != value:
        value = read
    return value


@pytest.mark.parametrize("name", ROWS)
def test_whole_calls_have_the_name_and_the_arguments_that_the_models_own_parser_finds(name):
    dialect, differ, count = DIALECTS[name], {}, 0
    for case in json.loads((FOLDER / ROWS[name]).read_text(encoding="utf-8"))["cases"]:
        if any(word in case["kind"] for word in NOT_WHOLE) or case["kind"] in ELSE[name]:
            continue
        if "</think>" in case["text"].rpartition(dialect.calls.opening)[2]:
            continue  # a thought that ends in an argument: ours takes the call for a part of it
        count += 1
        theirs = [(call["name"], as_json(call["arguments"])) for call in case["calls"]]
        ours = calls_in(case["text"], dialect)
        if [(name, as_json(arguments)) for name, arguments in filter(None, ours)] != theirs:
            differ[case["kind"]] = (case["text"][-160:], ours, theirs)
    assert count > 60 and not differ, differ
