"""The prompt asks for what is graded: a letter, a number, a short text."""

from dataclasses import replace

import pytest

from pixel_env.cli import main
from pixel_env.dialects import DIALECTS, dialect_named
from pixel_env.dialects.checks import checked_operations
from pixel_env.dialects.prompt_files import with_prompt
from pixel_env.dialects.wording import opening_prompt
from pixel_env.env import PixelEnv
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.grading import GRADERS
from pixel_env.testing import tiny_task

DEFAULT = DIALECTS["default"]
ASKING = ("default", "qwen2.5-vl", "qwen3-vl")
REQUESTED = {
    "choice": "Answer with the letter of the option.",
    "number": "Answer with a number.",
    "anls": "Answer with a word or a short phrase from the image.",
    "exact": "Answer with a word, a number or a short phrase.",
}
CHOICE = {"grader": "choice", "options": ("red", "blue"), "answers": ("B",)}


def asked(dialect, **task):
    """The question of the prompt."""
    return opening_prompt(tiny_task(**{"question": "Which?", **task}), dialect).question


def worded(**wording):
    return checked_operations(replace(DEFAULT, wording=replace(DEFAULT.wording, **wording)))


@pytest.mark.parametrize("name", [*ASKING, "default:notool", "qwen3-vl:vcot", "default+rotate"])
@pytest.mark.parametrize("grader", GRADERS)
def test_our_own_rows_ask_for_what_each_grader_grades_below_question_and_options(name, grader):
    dialect = dialect_named(name)
    options = CHOICE["options"] if grader == "choice" else ()
    lines = asked(dialect, grader=grader, options=options, answers=("1",)).split("\n")
    assert lines[: len(options) + 2] == ["Which?", *("(A) red", "(B) blue")[: len(options)], REQUESTED[grader]]


@pytest.mark.parametrize("name", [name for name in DIALECTS if name not in ASKING])
def test_the_tiny_model_and_the_rows_of_other_projects_are_asked_as_before(name):
    dialect = DIALECTS[name]
    assert dialect.wording.requests == {}
    for grader in GRADERS:
        assert asked(dialect, grader=grader) == asked(dialect, grader="own_graders:none")


def test_what_is_requested_is_what_the_grader_takes():
    """An answer of the requested form is graded as right, and one of another form is not."""
    env = PixelEnv([tiny_task(**CHOICE)])
    env.reset(seed=0)
    assert "Answer with the letter of the option." in env.trajectory.prompt.question
    assert env.step(r"\boxed{B}")[1] == 1.0


@pytest.mark.parametrize(
    ("question", "shown"),
    [
        ("{question}\nEnd.", "Which?\n(A) red\n(B) blue\nA letter.\nEnd."),
        ("{request} {question}", "A letter. Which?\n(A) red\n(B) blue"),
        ("{options}\n{question}", "(A) red\n(B) blue\nA letter.\nWhich?"),
        ("{options}\n{question}\n{request}", "(A) red\n(B) blue\nWhich?\nA letter."),
        ("{question} {{request}}", "Which?\n(A) red\n(B) blue\nA letter. {request}"),
    ],
)
def test_the_request_stands_where_the_template_says_and_else_below_the_options(question, shown):
    assert asked(worded(question=question, requests={"choice": "A letter."}), **CHOICE) == shown


def test_a_template_with_options_asks_a_task_without_options_too():
    dialect = worded(question="{question}\n{options}", requests={"number": "A number."})
    assert asked(dialect, grader="number") == "Which?\nA number."


def test_nothing_is_requested_where_there_is_nothing_to_name():
    dialect = worded(question="{question}", requests={"choice": "A letter."})
    assert asked(dialect, grader="choice", options=()) == "Which?"
    assert asked(dialect, grader="number") == "Which?"


def test_a_grader_of_ones_own_has_its_own_request_and_braces_are_doubled():
    dialect = worded(question="{question}", requests={"my_graders:within_one": "A number in {{}}."})
    assert asked(dialect, grader="my_graders:within_one") == "Which?\nA number in {}."


@pytest.mark.parametrize(
    ("requests", "error", "message"),
    [
        ({"choices": "A letter."}, UnknownNameError, "'choices'. Did you mean 'choice'.*'requests' of the dialect"),
        ({"choice": "A letter of {options}."}, ConfigError, "'requests.choice'.*{options}.*can have none"),
        ({"number": "In \\boxed{}."}, ConfigError, "'requests.number'.*Write {{ and }}"),
        ({"number": "In {."}, ConfigError, "'requests.number'.*is no template"),
        ({"number": "\ufffc"}, ConfigError, "'requests.number'.*U\\+FFFC"),
    ],
)
def test_a_request_that_cannot_be_shown_is_refused_in_one_line(requests, error, message):
    with pytest.raises(error, match=message) as raised:
        worded(requests=requests)
    assert "\n" not in str(raised.value)


def test_a_file_gives_its_own_requests_and_the_command_shows_them(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = "base: mini-o3\nwording:\n  requests: {exact: Say one word., choice: Say one letter.}\n"
    (tmp_path / "own.yaml").write_text(text)
    assert asked(dialect_named("own.yaml"), **CHOICE).startswith("Which?\n(A) red\n(B) blue\nSay one letter.\n")
    (tmp_path / "silent.yaml").write_text("base: default\nwording: {requests: {}}\n")
    assert "letter" not in asked(dialect_named("silent.yaml"), **CHOICE)
    assert main(["dialect", "show", "own.yaml"]) == 0
    shown = capsys.readouterr().out
    assert "wording.requests" in shown and "| Say one word." in shown
    (tmp_path / "wrong.yaml").write_text("base: default\nwording: {requests: {exact: 3}}\n")
    with pytest.raises(ConfigError, match=r"'requests' is .*wanted: keys and values that are texts"):
        dialect_named("wrong.yaml")


def test_a_prompt_file_replaces_the_request_or_places_it():
    assert asked(with_prompt(DEFAULT, "\nBe brief."), **CHOICE) == "Which?\n(A) red\n(B) blue\nBe brief."
    placed = with_prompt(DEFAULT, "{question}\nBe brief. {request} \\boxed{}")
    assert asked(placed, **CHOICE) == (
        "Which?\n(A) red\n(B) blue\nBe brief. Answer with the letter of the option. \\boxed{}"
    )
