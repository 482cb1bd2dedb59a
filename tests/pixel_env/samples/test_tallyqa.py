"""`sample:tallyqa`: complex questions, counted exactly, that nobody answers without reading digits."""

import re
from collections import Counter, defaultdict

import pytest

from pixel_env.media.sizes import shown_size
from pixel_env.samples import SAMPLE_SETS, sample_set
from pixel_env.samples.scenes import Card, SceneSource
from pixel_env.samples.tallyqa import (
    COLOUR,
    COLOUR_AND_DIGIT,
    COLOUR_AND_PARITY,
    COLOUR_AND_SIZE,
    GROUP_SIDE,
    GROUPS,
    MARGIN,
    TARGET_CARDS,
)
from pixel_env.task import Task
from pixel_env.views import View, ViewKind
from tests.pixel_env.samples.reading import counted_cards, reading_accuracy

COMPLEX = (COLOUR_AND_PARITY, COLOUR_AND_SIZE, COLOUR_AND_DIGIT)


def test_nobody_can_read_a_card_in_the_overview_and_anybody_can_in_a_crop() -> None:
    assert reading_accuracy(counted_cards(ViewKind.ORIGINAL), train=3000, test=800) <= 0.25
    assert reading_accuracy(counted_cards(ViewKind.CROP), train=3000, test=800) >= 0.85


def test_the_answer_is_the_number_of_cards_that_the_question_describes() -> None:
    for task in sample_set("tallyqa", count=400).tasks:
        assert task.answers == (str(sum(_is_described(card, task) for card in _cards(task))),), task.question


def test_who_sees_the_colours_but_no_digit_is_right_less_than_every_third_time() -> None:
    answers_by_colours = defaultdict(Counter)
    tasks = sample_set("tallyqa", count=1200, kinds=COMPLEX).tasks
    for task in tasks:
        asked = len([card for card in _cards(task) if card.colour == _colour(task)])
        answers_by_colours[task.category, asked][task.answers[0]] += 1
    best = sum(answers.most_common(1)[0][1] for answers in answers_by_colours.values())
    assert best / len(tasks) < 1 / 3


def test_there_are_many_cards_and_two_to_six_of_the_requested_colour() -> None:
    for task in sample_set("tallyqa", count=100).tasks:
        cards = _cards(task)
        assert 6 <= len(cards) <= 18
        asked = [card for card in cards if card.colour == _colour(task)]
        assert TARGET_CARDS[0] <= len(asked) <= TARGET_CARDS[1]
        assert len({card.colour for card in cards}) <= 4


def test_the_evidence_is_one_box_for_each_group_around_its_requested_cards() -> None:
    for task in sample_set("tallyqa", count=100).tasks:
        [source] = task.sources
        assert isinstance(source, SceneSource)
        width, height = source.scene.size
        asked = [card for card in _cards(task) if card.colour == _colour(task)]
        assert 1 <= len(task.evidence) <= GROUPS[1]
        inside = 0
        for evidence in task.evidence:
            left, top, right, bottom = evidence.box.pixels(width, height)
            held = [card for card in asked if left <= card.left < right and top <= card.top < bottom]
            inside += len(held)
            assert left == max(0, min(card.left for card in held) - MARGIN)
            assert bottom == min(height, max(card.top + card.side for card in held) + MARGIN)
            assert max(right - left, bottom - top) <= GROUP_SIDE + 2 * MARGIN
        assert inside == len(asked)


def test_a_crop_of_a_whole_group_is_shown_at_its_native_size() -> None:
    budgets = SAMPLE_SETS["tallyqa"].budgets
    for task in sample_set("tallyqa", count=40).tasks:
        for evidence in task.evidence:
            view = View(task.sources[0], ViewKind.CROP, evidence.box)
            left, top, right, bottom = evidence.box.pixels(*task.sources[0].scene.size)
            # The sides are rounded to the model's factor.
            assert (
                shown_size(view, budgets)[0] >= right - left - 14 and shown_size(view, budgets)[1] >= bottom - top - 14
            )


def test_cards_of_one_colour_can_be_distinguished_in_the_overview() -> None:
    for task in sample_set("tallyqa", count=60, kinds=[COLOUR]).tasks:
        cards = _cards(task)
        for place, card in enumerate(cards):
            for other in cards[:place]:
                assert max(abs(card.left - other.left), abs(card.top - other.top)) >= card.side + 16


@pytest.mark.parametrize("kind", [*COMPLEX, COLOUR])
def test_only_the_questions_on_colour_alone_are_simple(kind: str) -> None:
    assert all(task.needs_looking == (kind != COLOUR) for task in sample_set("tallyqa", count=5, kinds=[kind]).tasks)


def _cards(task: Task) -> tuple[Card, ...]:
    source = task.sources[0]
    assert isinstance(source, SceneSource)
    return source.scene.cards


def _colour(task: Task) -> str:
    return task.question.split()[2]


def _is_described(card: Card, task: Task) -> bool:
    """Whether `card` is one that the question's words describe."""
    words = re.fullmatch(r"How many (\w+) cards (.*)\?", task.question)
    assert words is not None
    if card.colour != words[1]:
        return False
    match words[2].split():
        case ["are", "there"]:
            return True
        case ["show", "an", "even", "digit"]:
            return card.digit % 2 == 0
        case ["show", "an", "odd", "digit"]:
            return card.digit % 2 == 1
        case ["show", "a", "digit", "greater", "than", bound]:
            return card.digit > int(bound)
        case ["show", "a", "digit", "smaller", "than", bound]:
            return card.digit < int(bound)
        case ["show", "a" | "an", digit]:
            return card.digit == int(digit)
    raise AssertionError(task.question)
