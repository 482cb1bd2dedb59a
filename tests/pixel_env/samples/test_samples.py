"""The embedded sample sets: looking closer is necessary, splits do not leak, evidence is exact, composing is fast."""

from itertools import islice

import numpy as np
import pytest

from pixel_env.boxes import Box
from pixel_env.errors import UnknownNameError
from pixel_env.media.showing import show
from pixel_env.samples import ALL_KINDS, CHOICE, COUNT, DIGIT_ON_CARD, HALF, LAYOUTS, LEFT_OF, sample_set
from pixel_env.samples.scenes import COLOURS, DIGIT_SIDE, PHOTOS, SceneSource, photo, tiles_of
from pixel_env.views import View, ViewKind
from tests.pixel_env.samples.cost import units_of_a_task
from tests.pixel_env.samples.probe import probe_accuracies


@pytest.mark.parametrize(("name", "train", "test"), [("vstar", 4000, 1000), ("vstar-tiny", 8000, 2000)])
def test_nobody_can_read_the_digit_in_the_overview_and_anybody_can_in_a_crop(name: str, train: int, test: int) -> None:
    # Cards to learn from and cards held out: other photographs and other digits.
    in_overviews, in_crops = probe_accuracies(name, train=train, test=test)
    assert in_overviews <= 0.25 and in_crops >= 0.90


def test_no_photograph_and_no_digit_is_in_both_splits() -> None:
    assert not set(PHOTOS["train"]) & set(PHOTOS["test"])
    assert not set(tiles_of("train")) & set(tiles_of("test"))
    for split in ("train", "test"):
        for task in islice(sample_set("vstar-tiny", split=split).tasks, 50):
            scene = _scene_of(task.sources[0])
            assert scene.photo in PHOTOS[split]
            assert {card.tile for card in scene.cards} <= set(tiles_of(split))


def test_at_least_eight_photographs_of_at_least_2000_pixels_are_embedded() -> None:
    names = PHOTOS["train"] + PHOTOS["test"]
    assert len(names) >= 8
    assert all(max(photo(name).size) >= 2000 for name in names)


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_overview_is_at_most_an_eighth_of_the_side_and_the_digit_2_pixels_high(name: str) -> None:
    for task in sample_set(name, count=16).tasks:
        width, height = _scene_of(task.sources[0]).size
        shown_height, shown_width, _ = show(View(task.sources[0], ViewKind.ORIGINAL), LAYOUTS[name].budgets).shape
        assert shown_width * shown_height <= width * height / 64
        # Both sides are rounded to the model's factor, so one of them may be a little over.
        assert DIGIT_SIDE * shown_height / height <= 2.2


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_evidence_is_the_requested_card_to_the_pixel(name: str) -> None:
    for task in sample_set(name, count=12, kinds=[DIGIT_ON_CARD]).tasks:
        scene = _scene_of(task.sources[0])
        [card] = [card for card in scene.cards if f" {card.colour} " in task.question]
        left, top, right, bottom = task.evidence[0].box.pixels(*scene.size)
        assert (left, top, right, bottom) == (card.left, card.top, card.left + card.side, card.top + card.side)
        picture = np.asarray(task.sources[0].decode())
        frame = picture[top:bottom, left:right].copy()
        frame[4:-4, 4:-4] = COLOURS[card.colour]
        assert (frame == COLOURS[card.colour]).all()


def test_half_of_the_questions_need_a_crop_in_both_sets() -> None:
    for name in LAYOUTS:
        categories = [task.category for task in sample_set(name, count=20).tasks]
        assert categories.count(DIGIT_ON_CARD) == categories.count(HALF) == 10


def test_every_kind_asks_and_answers_consistently() -> None:
    letters = set()
    for task in sample_set("vstar-tiny", count=100, kinds=ALL_KINDS).tasks:
        scene = _scene_of(task.sources[0])
        cards = {card.colour: card for card in scene.cards}
        asked = [cards[word] for word in task.question.replace("?", "").split() if word in cards]
        match task.category:
            case kind if kind == DIGIT_ON_CARD:
                assert task.answers == (str(asked[0].digit),)
            case kind if kind == HALF:
                assert task.answers == ("left" if asked[0].centre[0] < scene.size[0] / 2 else "right",)
            case kind if kind == COUNT:
                digit = int(task.question.removesuffix("?").split()[-1])
                assert task.answers == (str(sum(card.digit == digit for card in scene.cards)),)
            case kind if kind == LEFT_OF:
                assert task.answers == ("yes" if asked[0].centre[0] < asked[1].centre[0] else "no",)
            case kind if kind == CHOICE:
                assert task.options["ABCD".index(task.answers[0])] == str(asked[0].digit)
                assert len(set(task.options)) == 4
                letters |= set(task.answers)
    assert letters == set("ABCD")


def test_a_task_depends_on_its_number_alone() -> None:
    assert sample_set("vstar-tiny", count=10).tasks[7] == sample_set("vstar-tiny", count=1000).tasks[7]
    assert sample_set("vstar-tiny", seed=1).tasks[7] != sample_set("vstar-tiny").tasks[7]


def test_an_unknown_set_is_an_error_that_names_the_closest() -> None:
    with pytest.raises(UnknownNameError, match="vstar-tiny"):
        sample_set("vstar-tyni")


@pytest.mark.parametrize(("name", "most_units"), [("vstar", 1.5), ("vstar-tiny", 1.0)])
def test_composing_a_scene_costs_no_more_than_shrinking_a_picture(name: str, most_units: float) -> None:
    assert units_of_a_task(name, lambda task, _: task.sources[0].decode(), tasks=12) < most_units


def test_a_tiny_overview_and_one_crop_together_cost_little_more_than_composing_the_scene() -> None:
    def look(task, budgets) -> None:
        show(View(task.sources[0], ViewKind.ORIGINAL), budgets)
        show(View(task.sources[0], ViewKind.CROP, Box(0.25, 0.25, 0.5, 0.5)), budgets)

    assert units_of_a_task("vstar-tiny", look, tasks=20) < 1.6


def _scene_of(source):
    assert isinstance(source, SceneSource)
    return source.scene
