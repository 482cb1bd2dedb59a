"""`SelectFrames`: frames of the video, larger."""

import pytest

from pixel_env.dialects import DIALECTS
from pixel_env.failures import Failure
from pixel_env.operations import SelectFrames
from pixel_env.testing import tiny_task, tiny_video_task
from pixel_env.views import View, ViewKind


def select(frames, task):
    return SelectFrames(frames).run(task.opening_views, task, DIALECTS["default"].rule)


@pytest.mark.parametrize(
    ("result", "code", "message"),
    [
        (select((0,), tiny_task()), "not_a_video", "from a video only"),
        (select((), tiny_video_task()), "no_frames", "name 1 to 8 frames"),
        (select((16,), tiny_video_task(16)), "no_such_frame", "numbered 1 to 16"),
        (select((-1,), tiny_video_task(16)), "no_such_frame", "numbered 1 to 16"),
        (select((0,) * 9, tiny_video_task()), "too_many_frames", "at most 8"),
    ],
)
def test_a_selection_that_is_refused_says_what_is_allowed(result, code, message):
    assert isinstance(result, Failure)
    assert result.code == code and message in result.message


def test_frames_come_in_the_order_in_which_they_are_named():
    task = tiny_video_task(16)
    views = tuple(View(task.sources[frame], ViewKind.SELECTED_FRAME) for frame in (5, 2, 5))
    assert select((5, 2, 5), task) == views
