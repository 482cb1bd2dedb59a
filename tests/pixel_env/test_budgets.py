"""What an episode may use."""

import pytest

from pixel_env.budgets import limits_from, token_estimate
from pixel_env.types import Limits


@pytest.mark.parametrize(
    ("text", "sizes", "tokens"),
    [
        ("", [], 0),
        ("a", [], 1),
        ("abcd", [], 1),
        ("abcde", [], 2),
        ("你好", [], 2),
        ("", [(56, 84)], 6),
        ("a", [(28, 28)] * 2, 3),
    ],
)
def test_the_estimate_is_four_bytes_of_text_or_one_unit_of_picture_a_token(text, sizes, tokens):
    assert token_estimate(28)(text, sizes) == tokens


def test_the_default_leaves_room_for_three_operations_and_an_answer():
    assert Limits().max_turns == 4


def test_limits_may_be_a_mapping():
    assert limits_from({"max_turns": 2, "max_tokens": None}) == Limits(max_turns=2)
