"""The questions of an evaluation: options in drawn orders."""

from collections import Counter
from dataclasses import replace

import pytest

from benchmarks.evaluation.questions import right_position, shuffled, with_options_shuffled
from pixel_env.grading import grade
from pixel_env.task import Task, TaskSet

COLOURS = ("red", "green", "blue", "white")


def question(number, *, answers=("red",), options=COLOURS):
    return Task(f"q{number}", "Which?", answers, grader="choice", options=options)


def test_the_right_option_comes_to_every_place_about_equally_often():
    tasks = shuffled(TaskSet("s", [question(n) for n in range(800)]), seed=0).tasks
    places = Counter(right_position(task) for task in tasks)
    assert set(places) == {0, 1, 2, 3} and min(places.values()) > 160
    assert all(sorted(task.options) == sorted(COLOURS) for task in tasks)


@pytest.mark.parametrize("answers", [("red",), ("A",), ("(A) red",)])
def test_the_right_answer_stays_right_by_text_and_by_the_letter_that_is_shown_now(answers):
    for number in range(20):
        task = with_options_shuffled(question(number, answers=answers), seed=1)
        letter = "ABCD"[task.options.index("red")]
        assert [grade(task, given) for given in ("red", letter, f"({letter}) red")] == [1.0, 1.0, 1.0]
        assert sum(grade(task, other) for other in "ABCD") == 1.0


def test_the_order_goes_by_seed_and_id_alone():
    first = with_options_shuffled(question(3), seed=0)
    assert first == with_options_shuffled(question(3), seed=0)
    assert len({with_options_shuffled(question(3), seed=seed).options for seed in range(50)}) > 10
    assert len({with_options_shuffled(question(n), seed=0).options for n in range(50)}) > 10


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("A. red", "B. green", "C. blue"),
        ("(A) red", "(B) green"),
        ("red", "green", "all of the above"),
        ("red", "green", "both A and B"),
        ("A", "B", "C"),
        ("(x)", "(y)"),
        ("b.", "c."),
        *(
            ("red", "green", about_others)
            for about_others in (
                "None of the Above",
                "ALL OF THE ABOVE",
                "Both of the above are true",
                "None above.",
                "Both A and B",
                "A and B",
                "A, B",
                "A or C",
                "Neither A nor B",
                "(a) and (b)",
                "Only A",
                "Option C",
                "All of these",
                "None of these options",
                "none of the other options",
                "One of the others",
                "Two of these",
                "Both",
                "Neither.",
                "None",
                "The previous two",
                "The two above",
            )
        ),
    ],
)
def test_options_that_are_bound_to_their_places_stay_there(options):
    task = Task("q", "Which?", (options[0],) if options else ("4",), grader="choice", options=options)
    assert all(with_options_shuffled(task, seed) == task for seed in range(10))


@pytest.mark.parametrize(
    "option",
    [
        "The lamp is above the shelf.",
        "below the shelf",
        "Above",
        "One above the other",
        "both below the shelf",
        "The other man",
        "They look at each other",
        "One of the men",
        "All of these animals",
        "Both dogs",
        "Neither of the two men",
        "None of the other men",
        "The previous page",
        "Either a dog or a cat",
        "vitamin A",
        "a cat and a dog",
    ],
)
def test_an_option_that_only_sounds_as_if_it_spoke_of_others_is_moved(option):
    task = Task("q", "Which?", (option,), grader="choice", options=(option, "red", "green", "blue"))
    assert len({with_options_shuffled(task, seed).options.index(option) for seed in range(40)}) == 4


def test_a_reference_that_is_no_option_leaves_the_question_as_it_is():
    task = question(0, answers=("purple",))
    assert with_options_shuffled(task, 0) == task and right_position(task) is None
    assert right_position(replace(task, answers=("red", "blue"))) is None
