"""`sample:mvbench`: what has to be read stands in few frames of 16, and the options give nothing away."""

import itertools
from collections import Counter

import pytest

from pixel_env.dialects.table import dialect_named
from pixel_env.samples import sample_set
from pixel_env.samples.mvbench import (
    APPEARANCE_ORDER,
    APPEARING_DIGIT,
    FINE_DIGIT,
    FINE_DIGIT_SIDE,
    FRAME_SIZE,
    KINDS,
    LARGE_DIGIT_SIDE,
    MOVING_DIRECTION,
    STATE_CHANGE,
)
from pixel_env.samples.scenes import COLOURS, Card, Scene, SceneSource
from pixel_env.task import VIDEO_FRAMES, Task
from pixel_env.views import ViewKind
from tests.pixel_env.samples.reading import cards_of_a_frame, reading_accuracy


@pytest.mark.parametrize(
    ("kind", "digit_side", "is_readable"),
    [
        (ViewKind.VIDEO_FRAME, LARGE_DIGIT_SIDE, False),
        (ViewKind.SELECTED_FRAME, LARGE_DIGIT_SIDE, True),
        (ViewKind.SELECTED_FRAME, FINE_DIGIT_SIDE, False),
        (ViewKind.CROP, FINE_DIGIT_SIDE, True),
    ],
)
def test_a_large_digit_takes_a_selected_frame_and_a_fine_one_a_crop(kind, digit_side: int, is_readable: bool) -> None:
    accuracy = reading_accuracy(cards_of_a_frame(kind, digit_side), train=3000, test=800)
    assert accuracy >= 0.85 if is_readable else accuracy <= 0.3


def test_a_video_has_16_frames_of_one_size_and_the_evidence_stands_in_few_of_them() -> None:
    for task in sample_set("mvbench", count=100).tasks:
        assert task.media == "video" and len(task.sources) == VIDEO_FRAMES
        assert {scene.size for scene in _scenes(task)} == {FRAME_SIZE}
        assert 1 <= len({evidence.image for evidence in task.evidence}) <= 3 < dialect_named("default").max_frames


@pytest.mark.parametrize("kind", [APPEARING_DIGIT, FINE_DIGIT])
def test_the_requested_digit_is_seen_in_one_or_two_frames_and_those_are_the_evidence(kind: str) -> None:
    for task in sample_set("mvbench", count=60, kinds=[kind]).tasks:
        shown = _frames_of(task, _colour(task))
        assert len(shown) in (1, 2) and list(shown) == [evidence.image for evidence in task.evidence]
        for evidence in task.evidence:
            assert evidence.box == _scenes(task)[evidence.image].box(shown[evidence.image])
        assert {str(card.digit) for card in shown.values()} == set(task.answers)
        side = FINE_DIGIT_SIDE if kind == FINE_DIGIT else LARGE_DIGIT_SIDE
        assert all(card.digit_side == side for card in shown.values())


def test_the_digit_changes_once_as_the_answer_says_between_the_frames_of_the_evidence() -> None:
    for task in sample_set("mvbench", count=60, kinds=[STATE_CHANGE]).tasks:
        shown = _frames_of(task, _colour(task))
        digits = [card.digit for card in shown.values()]
        assert task.answers == (f"from {digits[0]} to {digits[-1]}",) and digits[0] != digits[-1]
        assert sum(before != after for before, after in itertools.pairwise(digits)) == 1
        assert [evidence.image for evidence in task.evidence] == [min(shown), max(shown)]


def test_the_order_is_that_in_which_the_cards_appear_and_never_two_at_once() -> None:
    for task in sample_set("mvbench", count=60, kinds=[APPEARANCE_ORDER]).tasks:
        colours = [card.colour for scene in _scenes(task) for card in scene.cards]
        assert task.answers == (", ".join(dict.fromkeys(colours)),)
        assert max(len(scene.cards) for scene in _scenes(task)) == 1


def test_the_card_moves_as_the_answer_says_by_more_than_a_fifth_of_the_image_and_stays_in_it() -> None:
    for task in sample_set("mvbench", count=60, kinds=[MOVING_DIRECTION]).tasks:
        cards = list(_frames_of(task, _colour(task)).values())
        across, down = cards[-1].left - cards[0].left, cards[-1].top - cards[0].top
        direction = {(1, 0): "right", (-1, 0): "left", (0, 1): "down", (0, -1): "up"}
        assert task.answers == (direction[(across > 0) - (across < 0), (down > 0) - (down < 0)],)
        assert abs(across) + abs(down) >= FRAME_SIZE[0] / 5
        for card in cards:
            assert 0 <= card.left <= FRAME_SIZE[0] - card.side and 0 <= card.top <= FRAME_SIZE[1] - card.side


@pytest.mark.parametrize("kind", KINDS)
def test_the_right_option_is_among_four_different_ones_and_is_at_each_index_as_often(kind: str) -> None:
    tasks = sample_set("mvbench", count=400, kinds=[kind]).tasks
    assert all(len(set(task.options)) == 4 and task.answers[0] in task.options for task in tasks)
    places = Counter(task.options.index(task.answers[0]) for task in tasks)
    assert all(0.17 <= places[place] / 400 <= 0.33 for place in range(4))


def test_the_words_of_the_options_do_not_tell_which_one_is_right() -> None:
    for task in sample_set("mvbench", count=60, kinds=[STATE_CHANGE]).tasks:
        # Each start and each end stands in two options, so that none is the most common one.
        words = [option.split() for option in task.options]
        assert set(Counter(word[1] for word in words).values()) == {2}
        assert set(Counter(word[3] for word in words).values()) == {2}


def test_the_camera_moves_and_about_half_of_the_clips_are_cut() -> None:
    tasks = sample_set("mvbench", split="train", count=100).tasks
    windows = [{scene.window for scene in _scenes(task)} for task in tasks]
    assert all(len(window) > 4 for window in windows)
    photos = [len({scene.photo for scene in _scenes(task)}) for task in tasks]
    assert set(photos) == {1, 2} and 25 <= photos.count(2) <= 60


def _scenes(task: Task) -> list[Scene]:
    return [source.scene for source in task.sources if isinstance(source, SceneSource)]


def _colour(task: Task) -> str:
    [colour] = [word for word in task.question.split() if word in COLOURS]
    return colour


def _frames_of(task: Task, colour: str) -> dict[int, Card]:
    return {number: card for number, scene in enumerate(_scenes(task)) for card in scene.cards if card.colour == colour}
