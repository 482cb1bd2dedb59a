"""A film whose rate varies: seconds become frames by the times in the file, in operations, evidence and data sets."""

import json

import pytest

from benchmarks.evaluation.oracle_frames import frames_shown, showing
from pixel_env.dialects.table import DIALECTS
from pixel_env.errors import MediaError
from pixel_env.frame_times import FrameTimes
from pixel_env.media.videos import clips
from pixel_env.operations.frame_at_time import FrameAtTime
from pixel_env.operations.select_segment import SelectSegment
from pixel_env.task import Task
from pixel_env.tasks.command import main as data
from pixel_env.tasks.files.clips import clip_frames
from pixel_env.timeline import timeline_of
from synth.seed_data.star import frames_between, shown_times
from tests.examples_of_media import example, needs_examples
from tests.pixel_env.media.films import film, number_shown
from tests.pixel_env.operations.films import run

TIMES_MS = [0, 40, 80, 120, *range(30_000, 30_400, 40), 60_000, 60_040]
"""A recording of a screen: four frames, half a minute of nothing, ten frames, half a minute of nothing, two frames."""
SECONDS = 60.14
"""The last frame lasts as long as the file says: 0.1 s."""


@pytest.fixture
def screen(tmp_path):
    return film(tmp_path / "screen.mkv", frames=len(TIMES_MS), times_ms=TIMES_MS)


def task_about(path, start_s=None, end_s=None):
    return Task("screen", "?", ("7",), clip_frames(path, start_s, end_s), media="video")


def numbers(views):
    return [number_shown(view.source.decode()) for view in views]


def test_the_timeline_knows_when_each_frame_is_on_screen(screen):
    timeline = timeline_of(task_about(screen))
    assert timeline.seconds == pytest.approx(SECONDS) and timeline.frame_count == len(TIMES_MS)
    assert [timeline.time_of(number) for number in (0, 3, 4, 15)] == pytest.approx([0.0, 0.12, 30.0, 60.04])
    assert [timeline.number_at(time_s) for time_s in (0.0, 0.13, 29.9, 30.0, 60.05, 61.0)] == [0, 3, 3, 4, 15, None]


def test_a_segment_shows_what_is_on_screen_in_it(screen):
    task = task_about(screen)
    assert numbers(run(SelectSegment(30.0, 30.2, 25.0), task)) == [4, 5, 6, 7, 8, 9]
    assert numbers(run(SelectSegment(10.0, 30.1, 0.2), task, edges="before", max_frames=4)) == [3, 4, 5, 6]
    assert run(SelectSegment(1.0, 29.0, 1.0), task).code == "no_frames"  # none begins in it
    assert run(SelectSegment(61.0, 62.0, 1.0), task).code == "no_such_frame"
    assert FrameAtTime(15).observation_fields(task, DIALECTS["default"].rule)["frame"] == 3 + 1


def test_a_part_of_a_data_set_is_what_is_on_screen_in_it_and_its_times_count_from_its_start(screen):
    task = task_about(screen, 20.0, 30.1)
    assert sorted({number_shown(source.decode()) for source in task.sources}) == [3, 4, 5, 6]
    timeline = timeline_of(task)
    assert timeline.seconds == pytest.approx(10.1)
    assert [timeline.time_of(number) for number in range(4)] == pytest.approx([0.0, 10.0, 10.04, 10.08])


def test_evidence_in_seconds_are_the_frames_that_begin_in_it(screen):
    times_s = shown_times(screen)
    assert times_s == pytest.approx([time / 1000 for time in TIMES_MS])  # sixteen frames: all of them
    assert frames_between(times_s, 29.0, 30.1) == (4, 5, 6)


def test_the_oracle_shows_the_frames_that_it_means(screen):
    task, names = task_about(screen), ("select_segment", "select_frames")
    [dialect, *_] = [one for one in DIALECTS.values() if [one.can_call(name) for name in names] == [True, False]]
    operations = showing(task, (4, 6), dialect)
    shown = {frame for operation in operations for frame in frames_shown(operation, task, dialect)}
    assert {4, 6} <= shown


@needs_examples
def test_a_film_that_states_no_rate_has_the_frames_of_its_seconds():
    path = example("media/nodd_screen.webm")
    assert clip_frames(path, 20.0, 25.0)[0].length()[0] == 1 and clip_frames(path, 20.0, 25.0)[9].own_number() == 0
    assert clip_frames(path, 0.0, 31.0)[15].own_number() == 6
    with pytest.raises(MediaError, match=r"nodd_screen\.webm: the segment starts at 90\.0 s, after the video's end"):
        clip_frames(path, 90.0, 91.0)[0].length()


def test_a_check_names_rows_that_disagree_with_their_videos_and_keeps_them(tmp_path, capsys):
    (tmp_path / "video" / "star" / "Charades_v1_480").mkdir(parents=True)
    film(tmp_path / "video" / "star" / "Charades_v1_480" / "a.mp4", frames=50)
    (tmp_path / "json").mkdir()
    row = {"video": "a.mp4", "question": "What?", "candidates": ["this", "that"], "answer": "that"}
    rows = [
        row | {"start": 1.0, "end": 4.0},
        row | {"start": 1.0, "end": 40.0},
        row | {"start": 2.0, "end": 3.0, "fps": 3},
    ]
    (tmp_path / "json" / "action_sequence.json").write_text(json.dumps(rows))
    assert data(["check", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "a segment of a.mp4 ends at 40 s, and the file at 5.00 s" in told
    assert "a.mp4 has 10.00 frames/s, and its row says 3" in told and "4 s" not in told.replace("40 s", "")
    assert "no problem found" in told


def test_a_film_without_any_times_refuses_seconds_by_name(monkeypatch, tmp_path):
    path = film(tmp_path / "film.mp4", frames=4)
    monkeypatch.setattr(clips, "_times_of", lambda path, stamp: FrameTimes(4, None))
    with pytest.raises(MediaError, match=r"film\.mp4: its frames have no times"):
        clip_frames(path, 1.0, 2.0)[0].length()
    with pytest.raises(MediaError, match="has no times, so that its evidence"):
        shown_times(path)
    assert timeline_of(task_about(path)).seconds is None
