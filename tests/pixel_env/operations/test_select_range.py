"""`SelectRange`: evenly spaced frames between two of the video."""

import pytest

from pixel_env.failures import Failure
from pixel_env.operations.select_range import SelectRange
from pixel_env.testing import tiny_task, tiny_video_task
from tests.pixel_env.media.films import number_shown
from tests.pixel_env.operations.films import film_task, run, shades


@pytest.mark.parametrize(
    ("operation", "rule", "shown"),
    [
        (SelectRange(2, 5), {}, [2, 3, 4, 5]),
        (SelectRange(0, 15), {}, [0, 2, 4, 6, 9, 11, 13, 15]),
        (SelectRange(0, 15), {"range_ends": False, "spacing": "down"}, [1, 2, 4, 6, 8, 10, 12, 14]),
        (SelectRange(3, 99), {"spacing": "down"}, [3, 4, 6, 8, 9, 11, 13, 15]),
    ],
)
def test_at_most_so_many_frames_as_the_dialect_allows_are_spread_over_the_range(operation, rule, shown):
    assert shades(run(operation, tiny_video_task(16), **rule)) == shown


@pytest.mark.parametrize(
    ("result", "code", "message"),
    [
        (run(SelectRange(0, 5), tiny_task()), "not_a_video", "no video"),
        (run(SelectRange(5, 5), tiny_video_task()), "no_frames", "before its last"),
        (run(SelectRange(16, 20), tiny_video_task()), "no_such_frame", "numbered 1 to 16"),
        (run(SelectRange(-1, 5), tiny_video_task()), "no_such_frame", "numbered 1 to 16"),
        (run(SelectRange(3, 16), tiny_video_task(), overhang="refuse"), "no_such_frame", "numbered 1 to 16"),
        (run(SelectRange(2, 10), tiny_video_task(), short_range="refuse"), "no_frames", "more than 8 frames apart"),
        (run(SelectRange(2, 3), tiny_video_task(), range_ends=False), "no_frames", "further apart"),
    ],
)
def test_a_range_that_is_refused_says_what_is_allowed(result, code, message):
    assert isinstance(result, Failure)
    assert result.code == code and message in result.message


def test_the_numbers_are_those_of_the_file_and_not_of_the_overview(tmp_path):
    views = run(SelectRange(100, 103), film_task(tmp_path))
    assert [number_shown(view.source.decode()) for view in views] == [100, 101, 102, 103]
