"""Which answers a grader can read: one that it cannot is wrong, and is counted as unparsed."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixel_env.errors import ConfigError
from pixel_env.grading import GRADERS, grade, grader, is_read
from pixel_env.grading.legibility import READS, reads_text
from pixel_env.task import Task
from pixel_env.testing import tiny_task

OPTIONS = ("cat", "dog", "12 m")


def read(grader, answer, **fields):
    options = OPTIONS if grader == "choice" else ()
    return is_read(tiny_task(grader=grader, options=options, answers=("cat",), **fields), answer)


@pytest.mark.parametrize(
    ("grader", "answer"),
    [
        ("choice", "A"),
        ("choice", "(B) dog"),
        ("choice", "I think it is the dog."),
        ("number", "7"),
        ("number", "There are seven of them."),
        ("exact", "red"),
        ("exact", "+"),
        ("exact", "红"),
        ("anls", "12 %"),
    ],
)
def test_an_answer_that_names_something_is_read_right_or_wrong(grader, answer):
    assert read(grader, answer)


@pytest.mark.parametrize(
    ("grader", "answer"),
    [
        ("choice", "a bird"),
        ("choice", "A or B"),
        ("choice", "cat, or perhaps dog"),
        ("choice", "I cannot tell."),
        ("number", "many"),
        ("number", "3 or 4"),
        ("number", "at least 3"),
        *((grader, nothing) for grader in GRADERS for nothing in ("", " \n", "...", r"\boxed{}", "The answer is")),
        *((grader, None) for grader in GRADERS),
    ],
)
def test_an_answer_that_names_nothing_or_several_things_is_not_read(grader, answer):
    assert not read(grader, answer)


def test_every_grader_says_what_it_reads():
    assert READS.keys() == GRADERS.keys()


WORDS = ["the answer is", "A", "(B)", "3", "3 to 5", "no", "cat", "none", "!", "best option", "答案是"]
TEXTS = st.sampled_from(WORDS) | st.text(max_size=30)
# A reference that is nothing but a lead-in is a text like any other: the same text earns its grade, and was read.
REFERENCES = st.lists(TEXTS.filter(lambda text: reads_text(text, tiny_task())), min_size=1, max_size=2)


@settings(max_examples=400)
@given(st.sampled_from(list(GRADERS)), TEXTS, REFERENCES)
def test_what_is_not_read_earns_nothing(grader, answer, references):
    task = Task("a", "How many cats?", tuple(references), grader=grader, options=OPTIONS if grader == "choice" else ())
    assert is_read(task, answer) or grade(task, answer) == 0.0


# ----------------------------------------------------------------------------------------------- a grader of one's own


@grader
def silent(answer, task):
    return float(answer == task.answers[0])


@grader(reads=lambda answer, task: answer.isdigit())
def of_digits(answer, task):
    return float(answer.isdigit() and int(answer) == int(task.answers[0]))


@grader(reads=lambda answer, task: None)
def vague(answer, task):
    return 0.0


@grader(reads=lambda answer, task: int(answer) > 0)
def hasty(answer, task):
    return 0.0


def test_a_grader_that_declares_nothing_reads_every_answer_that_is_given():
    task = tiny_task(grader=f"{__name__}:silent")
    assert is_read(task, "...") and not is_read(task, None)


def test_a_grader_may_declare_what_it_reads():
    task = tiny_task(answers=("7",), grader=f"{__name__}:of_digits")
    assert [is_read(task, answer) for answer in ("7", "8", "seven")] == [True, True, False]
    assert grade(task, "7") == 1.0


@pytest.mark.parametrize(("name", "gave"), [("vague", "None"), ("hasty", "ValueError")])
def test_a_declaration_that_gives_no_bool_is_refused_in_a_line(name, gave):
    with pytest.raises(ConfigError, match=f"'reads' of the grader .*{name}' gave {gave}.*True or False") as refused:
        is_read(tiny_task(grader=f"{__name__}:{name}"), "many " * 5000)
    assert len(str(refused.value)) < 400


def test_this_module_can_be_imported_by_the_name_that_its_graders_have():
    assert sys.modules[__name__].silent is silent
