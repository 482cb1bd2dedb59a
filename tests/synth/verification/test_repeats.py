from agents.traces.trace import Trace, TraceTurn
from pixel_env.dialects.table import dialect_named
from pixel_env.testing import PixelSource, tiny_task
from synth.verification.repeats import Repeats

OVERVIEW = "I look at the whole picture and see a street with cars, a tree and a red card far behind it."


def trace(said, task=None):
    return Trace(task or tiny_task(), (TraceTurn(f"{said}\n\\boxed{{7}}"),))


def test_the_same_actions_on_the_same_image_are_a_repetition_whatever_is_reported():
    repeats = Repeats(dialect_named("default"))
    assert not repeats.holds(trace(OVERVIEW), "same")
    assert repeats.holds(trace("Quite another text about the same thing."), "same")


def test_nearly_the_same_words_about_the_same_question_and_image_are_a_repetition():
    repeats = Repeats(dialect_named("default"))
    assert not repeats.holds(trace(OVERVIEW), "one")
    assert repeats.holds(trace(OVERVIEW.replace(".", "!")), "two")
    assert not repeats.holds(trace("There is a red card; its digit is too small to be read."), "three")


def test_the_same_words_about_another_image_or_question_are_none():
    repeats = Repeats(dialect_named("default"))
    assert not repeats.holds(trace(OVERVIEW), "one")
    assert not repeats.holds(trace(OVERVIEW, tiny_task(sources=(PixelSource(shade=3),))), "two")
    assert not repeats.holds(trace(OVERVIEW, tiny_task(question="Which digit is on the blue card?")), "three")
