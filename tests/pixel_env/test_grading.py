"""Graders: answers against references."""

import pytest

from pixel_env.errors import UnknownNameError
from pixel_env.grading import GRADERS, grade
from pixel_env.testing import tiny_task


def graded(grader, answer, *references, options=()):
    return grade(tiny_task(answers=references, grader=grader, options=options), answer)


@pytest.mark.parametrize(
    ("answer", "references", "reward"),
    [
        ("7", ["7"], 1.0),
        (" Left ", ["left"], 1.0),
        ("left half.", ["Left  half"], 1.0),
        ("７", ["7"], 1.0),  # full-width digit
        ("STRASSE", ["straße"], 1.0),
        ("b", ["a", "b"], 1.0),
        ("77", ["7"], 0.0),
        ("the left", ["left"], 0.0),
        ("", ["7"], 0.0),
    ],
)
def test_exact_forgives_case_spaces_and_a_full_stop_only(answer, references, reward):
    assert graded("exact", answer, *references) == reward


COLOURS = ("red", "blue", "a dog", "E")


@pytest.mark.parametrize(
    ("answer", "reference", "reward"),
    [
        ("B", "blue", 1.0),
        ("b", "blue", 1.0),
        ("(B)", "blue", 1.0),
        ("B.", "blue", 1.0),
        ("(B) blue", "blue", 1.0),
        ("B. blue\nbecause of the sky", "blue", 1.0),
        ("Blue", "blue", 1.0),
        ("B", "B", 1.0),
        ("A", "blue", 0.0),
        ("red", "blue", 0.0),
        ("A dog", "red", 0.0),  # the article is not the letter
        ("A dog", "a dog", 1.0),
        ("E", "E", 1.0),  # an option that reads like a letter beyond the list
        ("blue or red", "blue", 0.0),
        ("B or A", "blue", 0.0),
        ("Z", "blue", 0.0),
        ("", "blue", 0.0),
    ],
)
def test_choice_takes_the_letter_or_the_text_of_the_right_option(answer, reference, reward):
    assert graded("choice", answer, reference, options=COLOURS) == reward


@pytest.mark.parametrize(
    ("answer", "reference", "reward"),
    [
        ("7", "7", 1.0),
        ("7.0", "7", 1.0),
        ("There are 7 cards.", "7", 1.0),
        ("seven", "7", 1.0),
        ("1,250", "1250", 1.0),
        ("-3", "-3", 1.0),
        ("0.1", ".1", 1.0),
        ("7 or 8", "7", 0.0),
        ("seven, or 7", "7", 0.0),
        ("none", "0", 0.0),
        ("17", "7", 0.0),
        ("nan", "7", 0.0),
    ],
)
def test_number_takes_exactly_one_number(answer, reference, reward):
    assert graded("number", answer, reference) == reward


@pytest.mark.parametrize(
    ("answer", "references", "reward"),
    [
        ("hello", ["hello"], 1.0),
        ("Hello ", ["hello"], 1.0),
        ("hallo", ["hello"], 0.8),
        ("hallo", ["goodbye", "hello"], 0.8),
        ("hexxo", ["hello"], 0.6),
        ("hxxxo", ["hello"], 0.0),  # 3 of 5 wrong: below a half
        ("ab", ["abcd"], 0.0),  # exactly a half is below
        ("", ["hello"], 0.0),
        ("x" * 100_000, ["hello"], 0.0),
    ],
)
def test_anls_is_the_similarity_to_the_closest_reference_above_a_half(answer, references, reward):
    assert graded("anls", answer, *references) == pytest.approx(reward)


@pytest.mark.parametrize("grader", GRADERS)
def test_a_task_without_references_earns_nothing(grader):
    assert graded(grader, "7") == 0.0


def test_a_misspelt_grader_gets_a_suggestion():
    with pytest.raises(UnknownNameError, match=r"'exat'.*Did you mean 'exact'.*tiny-0"):
        graded("exat", "7", "7")
