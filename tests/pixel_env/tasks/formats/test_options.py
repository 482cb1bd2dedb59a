"""Lettered options and boxed answers inside of texts."""

import pytest

from pixel_env.grading import GRADERS
from pixel_env.tasks.formats.options import (
    accepted_answers,
    reference_answers,
    without_letter_request,
    without_options,
)
from tests.cpu_time import NOT_QUADRATIC, growth


@pytest.mark.parametrize(
    ("question", "stem", "options"),
    [
        ("Which?\nOptions:\nA. red\nB. blue sky\nC. green", "Which?", ("red", "blue sky", "green")),
        ("Which one? A) red, B) blue", "Which one?", ("red", "blue")),
        ("Is vitamin A. good? Options: (A) yes (B) no", "Is vitamin A. good?", ("yes", "no")),
        ("What does plan A. say?", "What does plan A. say?", ()),
        ("A. red\nB. blue", "A. red\nB. blue", ()),
        ("Which?\n(A) red\n(C) blue", "Which?\n(A) red\n(C) blue", ()),
        ("Options:\n(A) red\n(B) blue", "Options:\n(A) red\n(B) blue", ()),
        ("Who is it?\n(A) Mr. B. Smith (B) Mrs. C. Jones", "Who is it?", ("Mr. B. Smith", "Mrs. C. Jones")),
        ("Who is it?\n(A) Mr. A. Smith (B) Mr. B. Jones", "Who is it?", ("Mr. A. Smith", "Mr. B. Jones")),
        ("Who is it?\nA) Mr. A. Smith\nB) Mrs. C. Jones", "Who is it?", ("Mr. A. Smith", "Mrs. C. Jones")),
        ("Is A. or B. right? Options: A: yes B: no", "Is A. or B. right?", ("yes", "no")),
        ("Vitamin A. or B. ?", "Vitamin A. or B. ?", ()),
        ("Which?\nA. red\nB. -", "Which?\nA. red\nB. -", ()),
        ("Which?\n(A) 红\n(B) 3", "Which?", ("红", "3")),
    ],
)
def test_lettered_options_are_separated_from_the_question(question, stem, options):
    assert without_options(question) == (stem, options)


@pytest.mark.parametrize(
    ("given", "answers"),
    [
        ("\\boxed{B}", ("B",)),
        ("plain", ("plain",)),
        (["\\boxed{12%}"], ("12%",)),
        (["\\boxed{['a', 'b']}", "a"], ("a", "b")),
        (["\\boxed{[unquoted}"], ("[unquoted",)),
        (["\\boxed{}"], ()),
        ("[" * 5000, ("[" * 5000,)),
        ("[1, 2]", ("1", "2")),
        ("{'a': 1}", ("{'a': 1}",)),
    ],
)
def test_reference_answers_are_what_stands_in_the_boxes(given, answers):
    assert reference_answers(given) == answers


@pytest.mark.parametrize("grader", GRADERS)
def test_an_answer_without_its_percent_sign_is_accepted_by_exact_alone(grader):
    bare = ("12", "0.5") if grader == "exact" else ()
    assert accepted_answers(("12%", "0.5 %", "%", "red"), grader) == ("12%", "0.5 %", "%", "red", *bare)


def test_the_closing_request_for_a_letter_goes_and_nothing_else_does():
    asked = "What is it?\n(A) x\n(B) y\nAnswer with the option's letter from the given choices directly."
    assert without_letter_request(asked) == "What is it?\n(A) x\n(B) y"
    assert without_letter_request("Does the answer with the option's letter A help?\nYes") != ""
    assert without_letter_request("Who can answer with the options?") == "Who can answer with the options?"


@pytest.mark.parametrize(
    ("piece", "times"), [(" ", 20_000), ("A. ", 5_000), ("options ", 2_000), ("answer with the option's letter ", 200)]
)
def test_long_questions_cost_no_more_than_they_are_long(piece, times):
    assert growth(lambda count: without_options("q " + without_letter_request(piece * count + "x")), times) < (
        NOT_QUADRATIC
    )
