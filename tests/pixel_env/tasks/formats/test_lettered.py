"""Options that one cell holds, in every form that public sets write them in, and the answer among them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixel_env.errors import TaskError
from pixel_env.tasks.formats.lettered import options_in, reference_of


@pytest.mark.parametrize(
    "cell",
    [
        ["(A) a cat", "(B) a dog", "(C) an A. one"],
        "['(A) a cat', '(B) a dog', \"(C) an A. one\"]",
        ["a cat", "a dog", "an A. one"],
        "(A) a cat\n(B) a dog\n(C) an A. one",
        "A. a cat\r\nB. a dog\r\nC. an A. one\r\n",
        "A.a cat\nB. a dog\nC.an A. one",
        " A. a cat \n B. a dog \n C. an A. one",
        "A a cat \nB a dog\nC an A. one",
        "A) a cat\nB) a dog\nC) an A. one",
        "（A）a cat\n（B）a dog\n（C）an A. one",
        "The choices are listed below:\n(A) a cat\n(B) a dog\n(C) an A. one",
    ],
)
def test_options_are_read_from_lists_and_from_lettered_lines(cell):
    assert options_in(cell, "options") == ("a cat", "a dog", "an A. one")


def test_options_on_one_line_are_parted_where_no_line_parts_them():
    text = "A. Its mouth is open. B. It is missing its jaw. C. Closed."
    assert options_in(text, "options") == ("Its mouth is open.", "It is missing its jaw.", "Closed.")
    text = "A. Most shades are closed B. Most shades are open\nC. All of them"
    assert options_in(text, "options") == ("Most shades are closed", "Most shades are open", "All of them")
    text = "A. John E. Smith\nB. Mary C. Jones\nC. nobody"
    assert options_in(text, "options") == ("John E. Smith", "Mary C. Jones", "nobody")


def test_an_option_may_have_several_lines_and_a_letter_that_stands_twice_ends_no_option():
    text = "(A) straight\n(B) left,\n slowly\n(C) right\n(D) none\n(D) both\n(E) all are wrong"
    options = options_in(text, "options")
    assert options == ("straight", "left,\n slowly", "right", "none\n(D) both", "all are wrong")
    assert reference_of("E", options) == "E"


@pytest.mark.parametrize(
    "cell", ["", "   ", 7, None, "a cat or a dog", "(A) alone", [], ["one"], ["a", ""], "(A) \n(B) x"]
)
def test_what_is_no_list_of_options_is_refused_with_the_column(cell):
    with pytest.raises(TaskError, match="'multi-choice options'"):
        options_in(cell, "multi-choice options")


WORDS = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=12).filter(str.strip)


@settings(max_examples=50)
@given(st.lists(WORDS.map(lambda word: f"x {word} y"), min_size=2, max_size=26))
def test_lettered_lines_and_lists_say_the_same(options):
    letters = [chr(ord("A") + number) for number in range(len(options))]
    lines = [f"({letter}) {option}" for letter, option in zip(letters, options, strict=True)]
    assert options_in("\n".join(lines), "o") == options_in(lines, "o") == options_in(options, "o") == tuple(options)


@settings(max_examples=50)
@given(st.one_of(st.text(), st.lists(st.one_of(st.text(), st.integers(), st.none())), st.integers(), st.none()))
def test_any_cell_gives_options_or_a_task_error(cell):
    try:
        options = options_in(cell, "o")
    except TaskError as error:
        assert len(str(error)) < 300
    else:
        assert len(options) > 1 and all(options)


def test_a_letter_is_the_option_at_its_place_even_where_it_is_the_text_of_another():
    assert reference_of("B", ("red", "blue")) == "B"
    assert reference_of("C", ("S", "D", "T", "C")) == "T"
    assert reference_of("blue", ("red", "blue")) == "blue"
    assert reference_of("C", ("ELEVATE.", "ELVTE", "ELEVATE")) == "C", "an option that is there twice"
    for answer in ("C", "green", "", "AB"):
        with pytest.raises(TaskError, match="is not one of its 2 option"):
            reference_of(answer, ("red", "blue"))
    assert reference_of("A", ("B", "A")) == "B"
