"""`SelectSegment`: frames from second to second, also such as the overview does not show."""

from dataclasses import replace

import numpy as np
import pytest

from pixel_env import PixelEnv
from pixel_env.actions import parse, tool_schemas, write
from pixel_env.dialects import dialect_named
from pixel_env.errors import UnknownNameError
from pixel_env.failures import Failure
from pixel_env.operations.frame_rule import FrameRule
from pixel_env.operations.select_segment import SelectSegment
from pixel_env.store import row_of, trajectory_of
from pixel_env.testing import tiny_task, tiny_video_task
from pixel_env.types import Limits
from pixel_env.views import ViewKind
from tests.pixel_env.media.films import number_shown
from tests.pixel_env.operations.films import film_task, run, shades, timed_task

DIALECT = dialect_named("default+select_segment")
LISTS = replace(DIALECT, keys={"select_segment.start": "segment[0]", "select_segment.end": "segment[1]"})
ROOM = Limits(max_turns=8, max_images=64)


def call(arguments):
    return f'<tool_call>{{"name": "select_segment", "arguments": {{{arguments}}}}}</tool_call>'


def test_a_segment_holds_the_frames_that_begin_in_it_at_the_rate_that_was_requested():
    views = run(SelectSegment(1.0, 5.0, 1.0), timed_task())  # frame i begins at i / 2 s
    assert shades(views) == [2, 5, 7, 10] and {view.kind for view in views} == {ViewKind.SELECTED_FRAME}


def test_without_a_rate_it_is_that_of_the_dialect():
    assert len(run(SelectSegment(0.0, 4.0), timed_task())) == 4
    assert len(run(SelectSegment(0.0, 3.5), timed_task(), rate=2.0)) == 8


@pytest.mark.parametrize(
    ("operation", "rule", "shown"),
    [
        (SelectSegment(6.0, 9.0, 2.0), {}, [12, 13, 14, 15]),
        (SelectSegment(-1.0, 1.0, 2.0), {}, [0, 1, 2]),
        (SelectSegment(0.0, 1e308, 0.5), {}, [0, 5, 10, 15]),
        (SelectSegment(1.2, 3.2, 2.0), {"edges": "before", "spacing": "down"}, [2, 3, 4, 6]),
        (SelectSegment(1.0, 4.0, 1.0), {"edges": "before", "spacing": "down", "multiple": 2}, [2, 8]),
        (SelectSegment(1.0, 1.2, 1.0), {"min_frames": 1}, [2]),
        (SelectSegment(0.0, 8.0, 2.0), {"excess": "spread"}, [0, 2, 4, 6, 9, 11, 13, 15]),
    ],
)
def test_the_rule_of_the_dialect_decides_which_frames_these_are(operation, rule, shown):
    assert shades(run(operation, timed_task(), **rule)) == shown


@pytest.mark.parametrize(
    ("result", "code", "message"),
    [
        (run(SelectSegment(0.0, 1.0), tiny_task()), "not_a_video", "no video"),
        (run(SelectSegment(0.0, 1.0), tiny_video_task()), "not_a_video", "images without times"),
        (run(SelectSegment(2.0, 2.0), timed_task()), "no_frames", "start must come before"),
        (run(SelectSegment(3.0, 2.0), timed_task()), "no_frames", "start must come before"),
        (run(SelectSegment(2.1, 2.2), timed_task()), "no_frames", "longer segment"),
        (run(SelectSegment(8.0, 9.0), timed_task()), "no_such_frame", "from 0 to 8.00 s"),
        (run(SelectSegment(-2.0, -1.0), timed_task()), "no_such_frame", "from 0 to 8.00 s"),
        (run(SelectSegment(6.0, 9.0), timed_task(), overhang="refuse"), "no_such_frame", "from 0 to 8.00 s"),
        (run(SelectSegment(0.0, 8.0, 2.0), timed_task()), "too_many_frames", "16 frames at that rate; at most 8"),
        (run(SelectSegment(0.0, 2.0, 0.1), timed_task(), edges="before", min_frames=0), "no_frames", "longer"),
    ],
)
def test_a_segment_that_is_refused_says_what_is_allowed(result, code, message):
    assert isinstance(result, Failure)
    assert result.code == code and message in result.message


def test_a_time_at_which_a_frame_begins_is_that_frame_whatever_the_rounding_of_the_product():
    assert 0.28 * 100 > 28 and 0.29 * 100 < 29
    assert shades(run(SelectSegment(0.28, 0.29, 100.0), timed_task(100, rate=100.0))) == [28, 29]


@pytest.mark.parametrize("arguments", ['"start_time": "1"', '"start_time": NaN', f'"start_time": 1{"0" * 400}'])
def test_a_time_that_is_no_finite_number_is_told_to_the_model(arguments):
    assert parse(call(f'{arguments}, "end_time": 2'), DIALECT).code == "bad_arguments"
    assert parse(call('"start_time": 1, "end_time": 2, "fps": 0'), DIALECT).code == "bad_arguments"


def test_start_and_end_may_stand_in_one_list():
    operation = SelectSegment(4.0, 6.0, 2.0)
    assert write(operation, LISTS).replace(" ", "").count('"segment":[4.0,6.0]') == 1
    assert parse(write(operation, LISTS), LISTS) == operation
    assert parse(call('"segment": [4, 6]'), LISTS) == SelectSegment(4.0, 6.0)
    assert parse(call('"segment": [4]'), LISTS).code == "bad_arguments"
    assert parse(call('"segment": 4'), LISTS).code == "bad_arguments"
    [schema] = [one["function"] for one in tool_schemas(LISTS) if one["function"]["name"] == "select_segment"]
    assert schema["parameters"]["required"] == ["segment"]
    assert schema["parameters"]["properties"]["segment"]["items"] == {"type": "number"}


def test_frames_of_a_file_that_the_overview_does_not_show_are_decoded_when_they_are_shown(tmp_path):
    task = film_task(tmp_path)
    env = PixelEnv([task], dialect=DIALECT, limits=ROOM)
    env.reset(seed=0)
    observation, *_, info = env.step(write(SelectSegment(2.0, 2.5, 10.0), DIALECT))
    assert info["failure"] is None
    shown = [number_shown(view.source.decode()) for view in env.trajectory.turns[-1].views]
    assert shown == [20, 21, 22, 23, 24, 25] and len(observation["images"]) == 6
    again = trajectory_of(row_of(env.trajectory), task)
    assert again == env.trajectory
    assert np.array_equal(again.views[-1].source.decode(), env.trajectory.views[-1].source.decode())


def test_times_count_from_the_start_of_the_tasks_segment_and_nothing_outside_of_it_is_shown(tmp_path):
    task = film_task(tmp_path, start_s=5.0, end_s=8.0)
    views = run(SelectSegment(1.0, 1.2, 10.0), task)
    assert [number_shown(view.source.decode()) for view in views] == [60, 61, 62]
    assert run(SelectSegment(3.2, 4.0), task).code == "no_such_frame"


def test_a_frame_that_the_overview_shows_is_that_source(tmp_path):
    task = film_task(tmp_path)
    views = run(SelectSegment(0.0, 1.0, 10.0), task, max_frames=16)
    assert views[0].source is task.sources[0] and views[7].source is task.sources[1]


def test_a_file_that_is_gone_is_told_to_the_model(tmp_path):
    env = PixelEnv([film_task(tmp_path)], dialect=DIALECT, limits=ROOM)
    env.reset(seed=0)
    (tmp_path / "film.mp4").unlink()
    *_, info = env.step(write(SelectSegment(2.0, 2.5, 10.0), DIALECT))
    assert info["failure"].code == "unreadable_source"


def test_a_rule_that_does_not_exist_is_refused_with_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"FrameRule.excess named 'split'.*refuse, spread"):
        FrameRule(excess="split")
    with pytest.raises(ValueError, match="rate > 0"):
        FrameRule(rate=0.0)
