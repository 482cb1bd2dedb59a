"""The timeline of a task's video: every frame by number and by time."""

import numpy as np
import pytest

from pixel_env.errors import MediaError, TaskError
from pixel_env.media.sources import BlankSource
from pixel_env.samples import sample_set
from pixel_env.store import row_of, trajectory_of
from pixel_env.testing import PixelSource, tiny_task, tiny_video_task
from pixel_env.timeline import FrameLabel, frame_labels, frame_with_key, timeline_of
from pixel_env.types import Prompt, Trajectory
from pixel_env.views import View, ViewKind
from tests.pixel_env.media.films import number_shown
from tests.pixel_env.operations.films import film_task, timed_task


def test_separate_images_are_the_whole_video_and_have_times_where_the_task_gives_their_rate():
    task = timed_task(16, rate=2.0)
    timeline = timeline_of(task)
    assert (timeline.frame_count, timeline.seconds) == (16, 8.0)
    assert [timeline.number_at(time) for time in (0.0, 0.49, 0.5, 7.99, 8.0, -0.1, float("nan"))] == [
        0, 0, 1, 15, None, None, None,
    ]  # fmt: skip
    assert timeline.time_of(3) == 1.5 and timeline.frame(3) is task.sources[3]
    assert timeline.number_of(task.sources[5]) == 5 and timeline.number_of(PixelSource(1, 1)) is None


def test_without_a_rate_there_are_numbers_and_no_times():
    timeline = timeline_of(tiny_video_task(16))
    assert timeline.frame_count == 16
    assert timeline.seconds is timeline.time_of(3) is timeline.number_at(0.0) is None


def test_a_task_about_images_has_no_timeline():
    assert timeline_of(tiny_task()) is None


def test_a_file_is_its_own_timeline_whatever_the_overview_shows(tmp_path):
    task = film_task(tmp_path)
    timeline = timeline_of(task)
    assert (timeline.frame_count, timeline.frames_per_second, timeline.seconds) == (120, 10.0, 12.0)
    assert [number_shown(timeline.frame(number).decode()) for number in (0, 1, 7, 119)] == [0, 1, 7, 119]
    assert [timeline.number_of(source) for source in task.sources[:3]] == [0, 7, 15]
    assert timeline.number_of(timeline.frame(33)) == 33
    assert timeline.number_of(BlankSource(task.sources[0])) is None


def test_of_a_segment_only_its_own_frames_are_numbered(tmp_path):
    timeline = timeline_of(film_task(tmp_path, start_s=5.0, end_s=8.0))
    assert timeline.frame_count == 31
    assert [number_shown(timeline.frame(number).decode()) for number in (0, 30)] == [50, 80]


def test_a_file_that_is_no_video_raises_a_media_error_with_its_path(tmp_path):
    task = film_task(tmp_path)
    (tmp_path / "film.mp4").write_bytes(b"no video")
    with pytest.raises(MediaError, match=r"film\.mp4"):
        timeline_of(task)


def test_a_frame_outside_of_the_overview_is_stored_by_its_key_and_found_again(tmp_path):
    task = film_task(tmp_path)
    view = View(timeline_of(task).frame(33), ViewKind.SELECTED_FRAME)
    trajectory = Trajectory(task, Prompt("", "?"), (*task.opening_views, view))
    row = row_of(trajectory)
    assert trajectory_of(row, task) == trajectory
    row["prompt_views"][-1]["source"] = row["prompt_views"][-1]["source"].replace(":33/", ":x/")
    with pytest.raises(TaskError, match="its file has changed"):
        trajectory_of(row, task)


def test_a_key_of_another_file_or_another_segment_is_not_found(tmp_path):
    here, there = film_task(tmp_path), film_task(tmp_path, start_s=5.0, end_s=8.0)
    sources = {source.key: source for source in here.sources}
    assert frame_with_key(there.sources[0].key, sources) is None
    assert frame_with_key("pixels:84x56:3", {"pixels:84x56:0": PixelSource(84, 56)}) is None
    again = frame_with_key(timeline_of(here).frame(33).key, sources)
    assert np.array_equal(again.decode(), timeline_of(here).frame(33).decode())


def test_a_frame_can_be_labelled_by_its_number_and_its_time(tmp_path):
    task = film_task(tmp_path)
    sources = (*task.sources[1:3], timeline_of(task).frame(33), PixelSource(1, 1))
    assert frame_labels(sources, task) == [
        FrameLabel(7, 0.7), FrameLabel(15, 1.5), FrameLabel(33, 3.3), FrameLabel(None, None),
    ]  # fmt: skip
    assert frame_labels(tiny_video_task().sources[2:4], tiny_video_task()) == [FrameLabel(2, None), FrameLabel(3, None)]
    assert frame_labels(tiny_task().sources, tiny_task()) == [FrameLabel(None, None)]


def test_the_sample_clips_last_sixteen_seconds():
    timeline = timeline_of(sample_set("mvbench", count=1).tasks[0])
    assert (timeline.frame_count, timeline.seconds) == (16, 16.0)
