"""Flags as every command reads them: either spelling, no completion, values that are what their field means."""

from pathlib import Path
from typing import Annotated, Literal

import pytest

from pixel_env.command_line.names import field_name, flag_name, shown_name, suggestion
from pixel_env.command_line.parser import CommandParser, value
from pixel_env.command_line.values import AtLeastOne, Bounds, NameOf, Positive, Share, read_value
from pixel_env.errors import UnknownNameError, UsageError


def parser():
    made = CommandParser("play", usage="[--NAME VALUE ...]", description="A command.")
    made.add_argument("words", nargs="*")
    made.add_argument("--output_dir", type=Path)
    made.add_argument("--learning_rate", type=value(float))
    made.add_argument("--max_turns", type=value(AtLeastOne))
    return made


@pytest.mark.parametrize(
    ("word", "name"),
    [("--max-turns", "max_turns"), ("--max_turns=4", "max_turns"), ("--a=-b_c", "a"), ("-5", None), ("--", None)],
)
def test_a_word_is_a_flag_by_its_dashes_and_its_name_has_one_spelling(word, name):
    assert flag_name(word) == name


def test_names_are_found_in_both_directions():
    assert shown_name("out", "play") == shown_name("output_dir", "play") == "output_dir"
    assert shown_name("out", "eval") == "out"
    assert (
        field_name("limit", ["task_count"], "eval") == "task_count" == field_name("task_count", ["task_count"], "eval")
    )
    assert field_name("out", ["output_dir"], "play") == "output_dir" and field_name("none", ["a"], "eval") == "none"


def test_a_suggestion_is_a_name_that_the_help_shows():
    assert suggestion("task_cuont", ["limit"], "eval") == "Did you mean limit?"
    assert suggestion("zzzz", ["limit"], "eval") == ""


@pytest.mark.parametrize("flag", ["--output-dir", "--output_dir", "--out"])
@pytest.mark.parametrize("joined", [True, False])
def test_a_flag_is_taken_in_every_spelling(flag, joined):
    words = [f"{flag}=a-b_c"] if joined else [flag, "a-b_c"]
    assert parser().parse_args(words).output_dir == Path("a-b_c")


@pytest.mark.parametrize("number", ["-1e-3", "-0.5", "-.5", "-2"])
def test_a_negative_number_is_a_value_and_no_flag(number):
    assert parser().parse_args(["--learning_rate", number]).learning_rate == float(number)


def test_words_after_two_dashes_stay_as_they_are():
    assert parser().parse_args(["--", "--learning-rat"]).words == ["--learning-rat"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--max_turn", "3"], "play: there is no flag --max_turn. Did you mean --max_turns?"),
        (["--zzzz"], "play: there is no flag --zzzz."),
        (["--max_turns"], "play: --max_turns: expected one argument"),
        (["--max_turns", "0"], "play: --max_turns: got '0'; wanted: a whole number, at least 1"),
        (["--learning_rate", "nan"], "play: --learning_rate: got 'nan'; wanted: a number"),
        (["-x"], "play: unexpected -x"),
    ],
)
def test_a_mistake_is_one_line_and_a_short_usage(words, message):
    with pytest.raises(UsageError) as raised:
        parser().parse_args(words)
    first, *usage = str(raised.value).splitlines()
    assert first == message
    assert usage == ["usage: pixel-env play [--NAME VALUE ...]", "All flags: pixel-env play --help"]


def find(name):
    if name != "known":
        raise UnknownNameError.among("thing", name, ["known"])


@pytest.mark.parametrize(
    ("given", "kind", "read"),
    [
        ("3", int, 3),
        (3, float, 3.0),
        ("3e-4", float, 3e-4),
        (None, int | None, None),
        ("7", AtLeastOne | None, 7),
        ("yes", bool, True),
        ("FALSE", bool, False),
        (False, bool | None, False),
        ("b", Literal["a", "b"], "b"),
        (["1", 2], tuple[int, ...], (1, 2)),
        (5, str, "5"),
        ("x", Path, Path("x")),
        ({"a": 1}, dict[str, int] | str | None, {"a": 1}),
        ('{"a": 1}', dict[str, int] | str | None, {"a": 1}),
        ("known", Annotated[str, NameOf(find)] | None, "known"),
    ],
)
def test_a_value_becomes_what_its_field_declares(given, kind, read):
    found = read_value(given, kind)
    assert found == read and type(found) is type(read)


@pytest.mark.parametrize(
    ("given", "kind", "wanted"),
    [
        (True, int, "a whole number"),
        (2.5, int, "a whole number"),
        ("2.0", int, "a whole number"),
        (None, int, "a whole number"),
        (float("nan"), float, "a number"),
        ("1e999", float, "a number"),
        (10**400, float, "a number"),
        (2**63, AtLeastOne, "a whole number, at least 1, at most 9223372036854775807"),
        (0, Positive, "a number, above 0"),
        (1.5, Share, "a number, at least 0 and at most 1"),
        (9, Annotated[int, Bounds(most=8)], "a whole number, at most 8"),
        (1, bool, "true or false"),
        ("c", Literal["alpha", "beta"], "alpha or beta"),
        ("alhpa", Literal["alpha", "beta"], "alpha or beta. Did you mean alpha?"),
        (True, str, "a text; put it in quotes"),
        (["a"], str, "a text; put it in quotes"),
        (None, str, "a text; put it in quotes"),
        ("abc", tuple[str, ...], "a list"),
        ([0], tuple[AtLeastOne, ...], "a whole number, at least 1"),
        ("[1]", dict[str, int] | str, "a mapping, in YAML or as JSON"),
    ],
)
def test_another_value_is_refused_with_what_is_wanted(given, kind, wanted):
    with pytest.raises(ValueError) as raised:
        read_value(given, kind)
    assert str(raised.value) == wanted


def test_an_unknown_name_is_refused_as_the_set_refuses_it():
    with pytest.raises(UnknownNameError, match="Did you mean 'known'"):
        read_value("knwon", Annotated[str, NameOf(find)])
