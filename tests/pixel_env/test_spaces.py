"""Spaces of text and pictures."""

import pickle

import numpy as np
import pytest
from gymnasium.vector.utils import batch_space

from pixel_env.actions import parse
from pixel_env.dialects.table import DIALECTS, dialect_named
from pixel_env.operations.operation import Operation
from pixel_env.spaces import AssistantText, Images, UnicodeText
from pixel_env.types import Answer, Malformed, Unfinished

SPACES = [UnicodeText(), Images(), AssistantText(DIALECTS["default"])]


@pytest.mark.parametrize("text", ["", "a b\n<tool_call>{}", "你好 🔍", Unfinished("cut")])
def test_any_unicode_text_is_inside(text):
    assert text in UnicodeText() and text in AssistantText(DIALECTS["tiny"])


@pytest.mark.parametrize("value", [None, b"bytes", 3, ["text"]])
def test_what_is_no_text_is_outside(value):
    assert value not in UnicodeText()


def test_images_are_tuples_of_uint8_rgb_of_any_size():
    picture = np.zeros((3, 5, 3), dtype=np.uint8)
    assert () in Images() and (picture, np.zeros((1, 1, 3), dtype=np.uint8)) in Images()
    for wrong in ([picture], (picture.astype(float),), (picture[..., 0],), (picture[:0],), picture):
        assert wrong not in Images()


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_samples_are_inside_follow_the_seed_and_survive_json(space):
    space.seed(3)
    samples = [space.sample() for _ in range(20)]
    space.seed(3)
    again = [space.sample() for _ in range(20)]
    assert all(sample in space for sample in samples)
    assert str(samples) == str(again)
    assert str(space.from_jsonable(space.to_jsonable(samples))) == str(samples)


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_spaces_equal_their_copies_and_batch(space):
    assert pickle.loads(pickle.dumps(space)) == space
    assert batch_space(space, 3).sample() in batch_space(space, 3)
    assert not space.is_np_flattenable


def test_different_spaces_differ():
    assert UnicodeText() != Images() and UnicodeText() != AssistantText(DIALECTS["tiny"])
    assert AssistantText(DIALECTS["default"]) != AssistantText(DIALECTS["tiny"])


OF_VIDEOS = {"framethinker", "longvt", "videozoomer"}
"""Dialects whose operations need a video, of which a space does not know whether there is one."""


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_samples_of_an_assistant_are_legal_operations_on_images_answers_and_chatter(name):
    space = AssistantText(DIALECTS[name], seed=0)
    actions = [parse(space.sample(), DIALECTS[name], [(512, 512)], [(512, 512)]) for _ in range(200)]
    assert (sum(isinstance(action, Operation) for action in actions) > 60) == (name not in OF_VIDEOS)
    assert sum(isinstance(action, Answer) for action in actions) > 20
    assert not any(isinstance(action, Malformed) for action in actions)


def test_masks_are_refused():
    for space in SPACES:
        with pytest.raises(ValueError, match="neither"):
            space.sample(mask=np.zeros(3, dtype=np.int8))


def test_samples_of_a_dialect_without_calls_are_answers_and_chatter():
    dialect = dialect_named("mini-o3:notool")
    space = AssistantText(dialect, seed=0)
    kinds = {type(parse(space.sample(), dialect)) for _ in range(50)}
    assert Answer in kinds and not any(issubclass(kind, Operation | Malformed) for kind in kinds)
