"""When frames are on screen, and which frames a segment in seconds holds."""

import numpy as np
import pytest

from pixel_env.frame_times import FrameTimes, frame_times, spread

TEN_SECONDS = FrameTimes(100, 10.0)
SCREEN = frame_times([0.0, 0.04, 0.08, 0.12, 30.0, 30.04, 30.08, 60.0], 0.0, None)


def test_sixteen_frames_lie_at_even_distances_the_first_and_the_last_among_them():
    assert spread(0, 99, 16) == np.linspace(0, 99, 16).astype(int).tolist()
    assert spread(0, 2, 5) == [0, 0, 1, 1, 2]


def test_at_a_constant_rate_a_segment_is_rounded_to_frames_and_ends_with_the_video():
    assert TEN_SECONDS.segment(2.04, 4.0) == (20, 40)
    assert TEN_SECONDS.segment(9.0, 1000.0) == (90, 99)
    assert TEN_SECONDS.segment(5.0, 5.01) == (50, 50)
    with pytest.raises(ValueError, match=r"starts at 10\.5 s, after the last of its 100 frames"):
        TEN_SECONDS.segment(10.5, 12.0)


@pytest.mark.parametrize(
    ("start_s", "end_s", "expected"),
    [(0.0, 0.1, (0, 2)), (20.0, 25.0, (3, 3)), (20.0, 30.0, (3, 4)), (30.05, 999.0, (5, 7)), (0.12, 0.2, (3, 3))],
)
def test_where_the_rate_varies_a_segment_holds_the_frames_that_are_on_screen_in_it(start_s, end_s, expected):
    assert SCREEN.segment(start_s, end_s) == expected


def test_a_segment_behind_the_end_and_one_of_frames_without_times_are_refused_by_name():
    with pytest.raises(ValueError, match=r"starts at 61\.0 s, after the video's end at 60\.04 s"):
        SCREEN.segment(61.0, 62.0)
    with pytest.raises(ValueError, match="its frames have no times"):
        FrameTimes(8, None).segment(0.0, 1.0)


def test_the_times_of_a_segment_count_from_its_start_at_which_its_first_frame_is_already_on_screen():
    times = SCREEN.of_segment(3, 5, 20.0, 31.0)
    assert times.begins_s == pytest.approx((0.0, 10.0, 10.04)) and times.seconds == pytest.approx(11.0)
    assert [times.shown_at(time_s) for time_s in (0.0, 9.9, 10.0, 10.99, 11.0, -0.1)] == [0, 0, 1, 2, None, None]
    assert TEN_SECONDS.of_segment(20, 40, 2.04, 4.0).begin_of(3) == 0.3


def test_a_rate_is_constant_while_no_frame_lies_more_than_half_a_frame_off():
    jittered = [(number + 0.45 * (-1) ** number * (0 < number < 19)) / 10 for number in range(20)]
    assert frame_times(jittered, 0.1, 10.0).begins_s is None
    jittered[8] += 0.02
    assert frame_times(jittered, 0.1, 10.0).begins_s is not None


def test_milliseconds_of_a_webm_file_are_a_constant_rate_and_a_wrong_stated_one_is_corrected():
    begins_s = [5 + round(number * 1000 / 29.97) / 1000 for number in range(3000)]
    assert frame_times(begins_s, 0.033, 29.97).rate == 29.97
    corrected = frame_times(begins_s, 0.033, 25.0)
    assert corrected.begins_s is None and corrected.rate == pytest.approx(29.97, abs=0.01)


def test_a_film_without_a_stated_rate_has_that_of_its_times_and_one_without_times_has_none():
    assert frame_times([0.0, 0.5, 1.0], 0.0, None).rate == 2.0
    assert frame_times([0.0], 0.04, None).rate == 25.0 and frame_times([0.0], 0.0, None).seconds is None
    assert frame_times([1.0, 1.0], 0.0, None).rate is None
    assert SCREEN.seconds == pytest.approx(60.04) and SCREEN.rate == pytest.approx(8 / 60.04)
