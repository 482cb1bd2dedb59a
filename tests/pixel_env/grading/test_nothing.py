"""Nothing is worth nothing: what says no answer earns nothing under every grader, whatever the references are."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pixel_env.grading import GRADERS, grade
from pixel_env.grading.answers import folded, without_markup
from pixel_env.testing import tiny_task

LEAD_INS = [
    r"The answer is",
    r"the answer is:",
    r"Answer:",
    r"answer: ",
    r"Final answer:",
    r"The final answer is",
    r"My answer is",
    r"best option",
    r"best choice",
    r"correct answer",
    r"The correct answer",
    r"the best answer",
    r"The right option is",
    r"Option:",
    r"the best answer is",
    r"So the answer is",
    r"The answer is: answer:",
    r"\boxed{}",
    r"\boxed{\text{}}",
    r"\boxed{The answer is}",
    r"<answer></answer>",
    r"**Answer:**",
    r"答案是",
    r"答案：",
    r"正确答案是",
    r"正确选项是",
    r"答えは",
    r"正解は",
    r"正解：",
    r"Die Antwort ist",
    r"Antwort:",
    r"Die richtige Antwort lautet",
    r"La réponse est",
    r"Réponse :",
    r"La bonne réponse est",
    r"La respuesta es",
    r"Respuesta:",
    r"La respuesta correcta es",
]
PUNCTUATION = [
    "",
    " ",
    "\n",
    ".",
    "...",
    "?",
    "!",
    "-",
    "()",
    "**",
    '""',
    "：",
    "。",
    "、",
    "…",
    "**.**",
    "<answer>.</answer>",
]
REFERENCES = st.one_of(
    st.text(max_size=20),
    st.sampled_from([*LEAD_INS, *PUNCTUATION, "best choice", "correct answer", "the best answer", "the answer is"]),
    st.sampled_from(["7", "0", "red", "B", "none", "answer", "option"]),
)


def graded(grader, answer, references, options=()):
    return grade(tiny_task(answers=tuple(references), grader=grader, options=tuple(options)), answer)


@given(st.sampled_from(sorted(GRADERS)), st.sampled_from(PUNCTUATION), st.lists(REFERENCES, max_size=4), st.data())
@settings(max_examples=300)
def test_punctuation_and_space_earn_nothing(grader, answer, references, data):
    options = data.draw(st.lists(REFERENCES, max_size=5))
    assert graded(grader, answer, [*references, *options], options) == 0.0


@given(st.sampled_from(sorted(GRADERS)), st.sampled_from(LEAD_INS), st.lists(REFERENCES, max_size=4), st.data())
@settings(max_examples=300)
def test_a_lead_in_to_nothing_earns_nothing_unless_it_is_the_reference_itself(grader, answer, references, data):
    options = data.draw(st.lists(REFERENCES, max_size=5))
    said = bare(answer)
    assume(not said or said not in {bare(text) for text in [*references, *options]})
    assert graded(grader, answer, [*references, *options], options) == 0.0


def bare(text):
    return folded(without_markup(text)).rstrip(".").strip()


@pytest.mark.parametrize("grader", ["exact", "choice"])
@pytest.mark.parametrize("text", ["correct answer", "the best answer", "best choice"])
def test_a_reference_that_reads_like_a_lead_in_is_reached_by_its_own_words(grader, text):
    options = (text, "something else") if grader == "choice" else ()
    assert graded(grader, text, [text], options) == 1.0
