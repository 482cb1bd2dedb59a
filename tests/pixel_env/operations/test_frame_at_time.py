"""`FrameAtTime`: a result that is a text, without an image."""

from dataclasses import replace

import pytest

from pixel_env import PixelEnv
from pixel_env.actions import parse, write
from pixel_env.dialects import Wording, dialect_named
from pixel_env.operation_check import OperationContractError, check_operation
from pixel_env.operations import OPERATIONS
from pixel_env.operations.frame_at_time import FrameAtTime
from pixel_env.operations.resize import Resize
from pixel_env.render import episode_text
from pixel_env.store import row_of, trajectory_of
from pixel_env.testing import tiny_video_task
from pixel_env.types import Limits
from tests.pixel_env.operations.films import film_task, timed_task

DIALECT = dialect_named("default+frame_at_time")
CALL = '<tool_call>{{"name": "frame_at_time", "arguments": {{"time": "{}"}}}}</tool_call>'
ROOM = Limits(max_turns=8, max_images=16)


def stepped(task, time, dialect=DIALECT):
    env = PixelEnv([task], dialect=dialect, limits=ROOM)
    env.reset(seed=0)
    observation, *_, info = env.step(CALL.format(time))
    return env, observation, info


def test_the_number_comes_back_as_a_text_and_counts_as_an_executed_operation():
    env, observation, info = stepped(timed_task(), "00:03")
    assert observation == {"text": "The frame at 00:03 has the number 7.", "images": ()}
    assert info["failure"] is None and env.trajectory.executed == (True,) and info["stop"] is None
    assert trajectory_of(row_of(env.trajectory), env.trajectory.task) == env.trajectory
    assert "has the number 7" in episode_text(env.trajectory, "")


def test_the_number_is_that_of_the_file(tmp_path):
    counted = replace(
        DIALECT, first_index=0, wording=Wording({"frame_at_time": "Frame number at time {time} is: {frame}."})
    )
    assert stepped(film_task(tmp_path), "00:10", counted)[1]["text"] == "Frame number at time 00:10 is: 100."


@pytest.mark.parametrize(
    ("task", "time", "code", "message"),
    [
        (timed_task(), "00:08", "no_such_frame", "00:08 lies outside of the video, which lasts 8.00 s"),
        (tiny_video_task(), "00:01", "not_a_video", "images without times"),
        (timed_task(), "three", "bad_arguments", "a time as MM:SS"),
        (timed_task(), "1:2:3", "bad_arguments", "a time as MM:SS"),
    ],
)
def test_a_time_that_cannot_be_answered_says_what_is_allowed(task, time, code, message):
    _, observation, info = stepped(task, time)
    assert info["failure"].code == code and message in observation["text"]


def test_minutes_beyond_an_hour_are_written_and_read():
    assert "75:05" in write(FrameAtTime(4505), DIALECT) and parse(CALL.format("75:05"), DIALECT) == FrameAtTime(4505)


def test_an_operation_that_says_it_brings_no_image_and_brings_one_breaks_the_contract(monkeypatch):
    monkeypatch.setattr(Resize, "brings_images", False)
    with pytest.raises(OperationContractError, match="brings_images is False and it returned a view"):
        check_operation(OPERATIONS["resize"], draws=1)
