"""Episodes for people."""

import numpy as np
import pytest

from pixel_env.actions import write
from pixel_env.boxes import Box
from pixel_env.dialects.table import DIALECTS
from pixel_env.env import PixelEnv
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.render import CANVAS
from pixel_env.testing import PixelSource, tiny_task, tiny_task_set, tiny_video_task

DEFAULT = DIALECTS["default"]
RED, YELLOW = (230, 25, 75), (255, 225, 25)
BANNER = (90, 74, 0)


def crop(*corners, image=0):
    return write(CropImage(image, Box(*corners)), DEFAULT)


def pixels_of(frame, colour):
    return int((frame == colour).all(axis=-1).sum())


def drawn(tasks, *texts):
    env = PixelEnv(tasks, render_mode="rgb_array")
    env.reset(seed=0)
    for text in texts:
        env.step(text)
    return env.render()


def test_every_box_is_drawn_on_the_source_and_the_last_crop_is_next_to_it():
    task = [tiny_task(sources=(PixelSource(280, 280, 200),))]
    before, one = drawn(task), drawn(task, crop(0.1, 0.1, 0.5, 0.5))
    two = drawn(task, crop(0.1, 0.1, 0.5, 0.5), crop(0.6, 0.6, 0.9, 0.9))
    middle = CANVAS[0] * 3 // 5
    assert pixels_of(before[:, :middle], RED) == 0 < pixels_of(one[:, :middle], RED)
    assert pixels_of(two[:, :middle], RED) > 0 and pixels_of(two[:, :middle], YELLOW) > 0
    shown = one[100:300, middle + 50 : middle + 200]
    assert (shown[..., 2] == 200).all()  # blue is the shade of the source
    assert not (before[100:300, middle + 50 : middle + 200, 2] == 200).any()
    assert not np.array_equal(one[:, middle:], two[:, middle:])


def test_a_box_of_another_source_is_not_drawn_on_this_one():
    task = [tiny_task(sources=(PixelSource(shade=10), PixelSource(shade=20)))]
    frame = drawn(task, crop(0.1, 0.1, 0.5, 0.5), crop(0.6, 0.6, 0.9, 0.9, image=1))
    assert pixels_of(frame, RED) == 0 < pixels_of(frame, YELLOW)


def test_the_notice_is_drawn_where_there_is_one():
    assert pixels_of(drawn(tiny_task_set()), BANNER) == 0
    assert pixels_of(drawn(tiny_task_set(notice="embedded sample set")), BANNER) > 10_000


@pytest.mark.parametrize(
    ("task", "texts"),
    [
        (tiny_task(sources=(), media="text", evidence=()), []),
        (tiny_video_task(), [write(SelectFrames((3,)), DEFAULT)]),
        (tiny_task(question="long " * 500), []),
        (tiny_task(sources=(PixelSource(30, 3000),)), []),
    ],
)
def test_every_kind_of_task_has_an_image(task, texts):
    assert drawn([task], *texts).shape == (CANVAS[1], CANVAS[0], 3)


def test_as_text_the_whole_episode_can_be_read():
    env = PixelEnv(tiny_task_set(1, notice="embedded"), render_mode="ansi")
    env.reset()
    env.step(crop(0.5, 0.5, 1.0, 1.0))
    env.step("\\boxed{0}")
    text = env.render()
    for part in ("[embedded]", "tiny-0", "Which digit", "> <tool_call>", "crop [0.500, 0.500, 1.000, 1.000]"):
        assert part in text
    assert text.endswith("ended: answered, reward 1\n")


def test_without_a_mode_nothing_is_rendered():
    env = PixelEnv([tiny_task()])
    env.reset()
    assert env.render() is None
