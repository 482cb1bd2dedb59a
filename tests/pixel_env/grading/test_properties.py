"""Graders: what holds for every answer, whatever its text."""

import string

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pixel_env.grading import GRADERS, grade
from pixel_env.testing import tiny_task
from tests.cpu_time import NOT_QUADRATIC, growth

WORDS = ["red", "dark red", "blue", "a dog", "the door", "12", "1.5", "Opening the door", "yes", "left"]
OPTIONS = st.lists(st.sampled_from(WORDS), min_size=2, max_size=8, unique=True)
FRAGMENTS = r"""A|b|(C)|D.|the answer is|option|not|or|and|no|one|3|twenty-one|-5|at least|1,250|1/2|½|x|²|\boxed{|}|
\text{|$|**|'|"|people|…|５|Ⓑ"""
PIECES = st.sampled_from([*WORDS, *FRAGMENTS.replace("\n", "").split("|")])
ANSWERS = st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=3)), max_size=12).map(" ".join))
# LaTeX's commands and a string's case are two things: no backslash where the case of a whole answer changes.
PLAIN = st.text(st.sampled_from(string.printable.replace("\\", "")))
ASCII_ANSWERS = st.one_of(
    PLAIN, st.lists(PIECES.filter(lambda piece: piece.isascii() and "\\" not in piece)).map(" ".join)
)
UNITS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen""".split()  # noqa: SIM905
TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905


def graded(grader, answer, references, options=()):
    question = "How many people are there?"
    return grade(tiny_task(question=question, answers=tuple(references), grader=grader, options=tuple(options)), answer)


def letter(place):
    return string.ascii_uppercase[place]


def in_words(n):
    if n < 20:
        return UNITS[n]
    if n < 100:
        return TENS[n // 10] + (f"-{UNITS[n % 10]}" if n % 10 else "")
    scale, name = (1000, "thousand") if n >= 1000 else (100, "hundred")
    rest = f" and {in_words(n % scale)}" if n % scale else ""
    return f"{in_words(n // scale)} {name}{rest}"


@given(st.sampled_from(sorted(GRADERS)), ANSWERS, st.lists(ANSWERS, max_size=3), st.lists(ANSWERS, max_size=5))
@settings(max_examples=300)
def test_a_grade_lies_between_0_and_1_whatever_the_texts(grader, answer, references, options):
    assert 0.0 <= graded(grader, answer, references, options) <= 1.0


@given(
    st.sampled_from(sorted(GRADERS)), ASCII_ANSWERS, st.one_of(st.sampled_from([*WORDS, "3"]), ASCII_ANSWERS), OPTIONS
)
@settings(max_examples=200)
def test_upper_and_lower_case_earn_the_same(grader, answer, reference, options):
    lower = graded(grader, answer.lower(), [reference], options)
    assert graded(grader, answer.upper(), [reference], options) == lower


@given(
    st.sampled_from(sorted(GRADERS)),
    ANSWERS,
    st.sampled_from([*WORDS, "3"]),
    OPTIONS,
    st.sampled_from(["  ", " \n", "\t"]),
)
@settings(max_examples=200)
def test_white_space_around_and_between_words_does_not_count(grader, answer, reference, options, space):
    spaced = f"{space}{answer.replace(' ', space)}{space}"
    assert graded(grader, spaced, [reference], options) == graded(grader, answer, [reference], options)


@given(OPTIONS, st.data())
def test_the_order_of_options_does_not_count(options, data):
    right, said = data.draw(st.sampled_from(options)), data.draw(st.sampled_from(options))
    for order in (options, data.draw(st.permutations(options))):
        for answer in (said, letter(order.index(said)), f"({letter(order.index(said))}) {said}"):
            assert graded("choice", answer, [right], order) == float(said == right)
        assert graded("choice", said, [letter(order.index(right))], order) == float(said == right)


@given(
    OPTIONS,
    st.data(),
    st.sampled_from([" or ", ", ", " and ", "; ", " / ", "\n"]),
    st.sampled_from(["", "I think it is "]),
)
def test_an_answer_that_names_two_options_is_wrong_however_long_it_is(options, data, between, lead):
    first, second = data.draw(st.permutations(range(len(options))))[:2]
    shown = st.sampled_from(
        [
            lambda place: f"({letter(place)})",
            lambda place: options[place],
            lambda place: f"({letter(place)}) {options[place]}",
        ]
    )
    answer = lead + data.draw(shown)(first) + between + data.draw(shown)(second)
    assert graded("choice", answer, [options[first]], options) == 0.0
    assert graded("choice", answer + " because of the light", [options[second]], options) == 0.0


@given(OPTIONS, st.data(), PLAIN)
def test_what_follows_an_answer_never_turns_a_wrong_one_into_a_right_one(options, data, more):
    right, wrong = data.draw(st.permutations(options))[:2]
    assume(right.lower() not in wrong.lower())
    assert graded("choice", f"({letter(options.index(wrong))}) {wrong} {more}", [right], options) == 0.0


@given(st.integers(0, 999_999), st.sampled_from(["{}", "There are {}.", "{} people", "\\boxed{{{}}}", "{} = {}"]))
def test_a_number_is_the_same_in_digits_with_separators_and_in_words(n, form):
    for written in (str(n), f"{n:,}", f"{n}.0", in_words(n)):
        assert graded("number", form.format(written, n), [str(n)]) == 1.0
        assert graded("number", form.format(written, n), [str(n + 1)]) == 0.0


@given(
    st.integers(0, 2000),
    st.integers(0, 2000),
    st.sampled_from([" or ", "-", " to ", ", ", " and then ", " people, "]),
)
def test_two_different_numbers_are_wrong(first, second, between):
    assume(first != second)
    for written in (str, in_words):
        answer = written(first) + between + written(second)
        assert graded("number", answer, [str(first)]) == graded("number", answer, [str(second)]) == 0.0


@given(st.text(max_size=12), st.text(max_size=12))
def test_anls_is_symmetric_and_never_between_0_and_a_half(first, second):
    grade_of_both = graded("anls", first, [second])
    assert grade_of_both == graded("anls", second, [first])
    assert grade_of_both == 0.0 or grade_of_both >= 0.5


@pytest.mark.parametrize("grader", sorted(GRADERS))
@pytest.mark.parametrize(
    "piece",
    [
        "1,111,",
        "\\boxed{",
        "\\text{",
        "best ",
        "the answer is ",
        "b ",
        "no one ",
        "1 1/",
        "(b) ",
        "b. a ",
        "b, not ",
        "(",
        "'",
        "$",
        "one and ",
        "-",
        "½",
    ],
)
def test_a_hostile_text_costs_no_more_than_its_length(grader, piece):
    def grade_of(letters):
        return graded(grader, piece * (letters // len(piece)), ["7", "red"], ["red", "blue"])

    assert growth(grade_of, 500) < NOT_QUADRATIC
    assert grade_of(5_000) == 0.0
