"""A last text is read for the answer that it ends in."""

import pytest

from pixel_env.testing import tiny_task
from synth.text_only.tasks import solution, text_tasks
from synth.verification.conclusions import contradiction_in, states_the_answer

COUNT = tiny_task("count", question="How many cards show a 2?", answers=("7",), grader="number")
NEGATIVE = tiny_task("negative", question="How much is it?", answers=("-91",), grader="number")
DAY = tiny_task("day", question="Which day is it?", answers=("Tuesday",), grader="exact")
SHARE = tiny_task("share", question="Which share?", answers=("45%",), grader="anls")
CHOICE = tiny_task(
    "choice", question="Which colour?", options=("red", "blue", "dark red"), answers=("B",), grader="choice"
)


@pytest.mark.parametrize(
    ("task", "text"),
    [
        (COUNT, "So the answer is clearly 3141."),
        (COUNT, "I count 7 cards. The answer is 5."),
        (COUNT, "The answer is 3141, not 7."),
        (COUNT, "I see them all, so it is nine."),
        (COUNT, "There are some in each group. So that makes 4 + 4 = 8."),
        (NEGATIVE, "The answer is 91."),
        (DAY, "The final answer: Monday, as I counted. It follows on Tuesday."),
        (SHARE, "The answer is 54%."),
        (CHOICE, "The answer is A."),
        (CHOICE, "Beside the blue one there is more. The right option is dark red."),
        (CHOICE, "So it must be red."),
    ],
)
def test_an_announcement_of_another_answer_is_found(task, text):
    assert contradiction_in(text, task)


@pytest.mark.parametrize(
    ("task", "text"),
    [
        (COUNT, "Of 12 cards I find 7 with a 2. So the answer is 7."),
        (COUNT, "The answer is seven, of 12 cards."),
        (COUNT, "The answer is 3 + 4 = 7."),
        (COUNT, "So it is 5 there and 2 here: that makes 7."),
        (COUNT, "The answer is not 5. It is 7."),
        (COUNT, "So that is 5 on this side. And two more: seven."),
        (COUNT, "I see a field of colours."),
        (COUNT, "So it is the red one."),
        (COUNT, "I find twenty-one here and one more. So that is three of each, seven in all."),
        (NEGATIVE, "The answer is -91."),
        (NEGATIVE, "The answer is minus 91."),
        (DAY, "Three days after Saturday, so the answer is Tuesday."),
        (SHARE, "The answer is 45% of all."),
        (CHOICE, "The answer is B."),
        (CHOICE, "The right option is (B), blue, since the frame is dark red."),
        (CHOICE, "The answer is not A."),
        (CHOICE, "The answer is A or B, and I see blue."),
    ],
)
def test_a_text_that_announces_the_answer_or_none_contradicts_nothing(task, text):
    assert not contradiction_in(text, task)


@pytest.mark.parametrize(
    ("text", "states"),
    [
        ("3 + 4 makes 7.", True),
        ("The answer is 7. That is what I found.", True),
        ("The answer is seven.", True),
        ("3 + 4 makes 7. That is how it is done.", False),
        ("3 + 4 makes 7. The answer is hidden.", False),
        ("The answer is 17.", False),
        ("", False),
    ],
)
def test_the_answer_is_stated_in_the_announcement_or_else_in_the_last_sentence(text, states):
    assert states_the_answer(text, COUNT) is states


def test_our_own_solutions_end_in_their_answers_and_in_no_other():
    tasks = text_tasks(550)
    for task, other in zip(tasks, tasks[11:], strict=False):
        steps = solution(task)
        assert states_the_answer(steps, task) and not contradiction_in(steps, task)
        if other.answers != task.answers:
            assert contradiction_in(f"{steps} So the answer is clearly {other.answers[0]}.", task)
