"""What a model thinks is not graded, and a cut turn is no answer: in every dialect, through the environment."""

import pytest

from pixel_env.actions import write
from pixel_env.dialects.table import DIALECTS, dialect_named
from pixel_env.env import PixelEnv
from pixel_env.testing import tiny_task
from pixel_env.types import Answer, Stop, Unfinished

THINKING = sorted(name for name, dialect in DIALECTS.items() if dialect.thought_closing)
KINDS = {
    "choice": ("B", "C", ("red", "blue", "green")),
    "number": ("7", "8", ()),
    "exact": ("red", "blue", ()),
    "anls": ("a red car", "forty", ()),
}


def played(name, turn, grader):
    right, _, options = KINDS[grader]
    task = tiny_task(answers=(right,), grader=grader, options=options, question="How many, or which?")
    env = PixelEnv([task], dialect=name)
    env.reset(seed=0)
    _, reward, terminated, _, _ = env.step(turn)
    return env.trajectory, reward, terminated


@pytest.mark.parametrize("grader", KINDS)
@pytest.mark.parametrize("name", THINKING)
def test_the_answer_after_a_thought_is_graded_and_no_answer_within_it(name, grader):
    dialect, (right, wrong, _) = dialect_named(name), KINDS[grader]
    opening = dialect.thought_closing.replace("</", "<", 1)
    marked = {
        answer: write(Answer(answer), dialect).rpartition(dialect.thought_closing)[2] for answer in (right, wrong)
    }
    for thought, said, expected in ((wrong, right, 1.0), (right, wrong, 0.0)):
        turn = f"{opening}It may be {marked[thought]}{dialect.thought_closing}{marked[said]}"
        trajectory, reward, terminated = played(name, turn, grader)
        assert (reward, terminated, trajectory.answer) == (expected, True, said)


@pytest.mark.parametrize("grader", KINDS)
@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_a_turn_that_was_cut_is_no_answer_whatever_it_says(name, grader):
    dialect, (right, _, _) = dialect_named(name), KINDS[grader]
    turn = write(Answer(right), dialect)
    for cut in (turn, f"<think>It is {turn}", f"{right}. So the answer is {right}"):
        trajectory, reward, _ = played(name, Unfinished(cut), grader)
        assert reward == 0.0 and trajectory.answer is None and trajectory.stop is not Stop.ANSWERED
