"""Nothing is worth nothing: what says no answer earns nothing under every grader, whatever the references are."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pixel_env.grading import GRADERS, grade
from pixel_env.grading.answers import folded, without_markup
from pixel_env.testing import tiny_task

LEAD_INS = r"""The answer is|the answer is:|Answer:|answer: |Final answer:|The final answer is|My answer is|best option|
best choice|correct answer|The correct answer|the best answer|The right option is|Option:|the best answer is|So the answer is|
The answer is: answer:|\boxed{}|\boxed{\text{}}|\boxed{The answer is}|<answer></answer>|**Answer:**|答案是|答案：|正确答案是|正确选项是|
答えは|正解は|正解：|Die Antwort ist|Antwort:|Die richtige Antwort lautet|La réponse est|Réponse :|La bonne réponse est|
La respuesta es|Respuesta:|La respuesta correcta es""".replace("\n", "").split("|")
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


@pytest.mark.parametrize("grader", ["exact", "choice", "anls"])
@pytest.mark.parametrize("text", ["correct answer", "the best answer", "best choice", "The answer is"])
def test_a_reference_that_reads_like_a_lead_in_is_reached_by_its_own_words(grader, text):
    options = (text, "something else") if grader == "choice" else ()
    assert graded(grader, text, [text], options) == 1.0
