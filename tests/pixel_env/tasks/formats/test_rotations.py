"""Questions that come once per order of their options are told apart from questions that look alike."""

from pixel_env.tasks.formats.rotations import Asked, are_all_rotated, rotations


def asked(question, first, *, right="red"):
    options = ("red", "green", "blue")
    return Asked(question, options[-first:] + options[:-first], right)


def test_neighbours_with_the_right_option_at_a_new_place_are_one_question():
    rows = [asked("q", first) for first in range(3)] + [asked("r", first) for first in range(3)]
    numbers = rotations(rows)
    assert numbers == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert are_all_rotated(numbers, rows)


def test_two_questions_with_equal_texts_are_two_where_a_place_comes_again():
    rows = [asked("q", first) for first in (0, 1, 2, 0, 1, 2)]
    assert [question for question, _ in rotations(rows)] == [0, 0, 0, 1, 1, 1]


def test_another_right_option_or_other_options_are_another_question():
    rows = [asked("q", 0), asked("q", 1, right="blue"), Asked("q", ("red", "green"), "red")]
    assert [question for question, _ in rotations(rows)] == [0, 1, 2]
    assert not are_all_rotated(rotations(rows), rows)
    assert rotations([]) == [] and not are_all_rotated([], [])
