"""A wrong configuration of a teacher is refused, with the name of the flag."""

import pytest

from pixel_env.errors import ConfigError
from synth.teachers.expert.config import ExpertConfig


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"concurrency": 0}, "--concurrency is 0"),
        ({"requests_per_minute": 0}, "no limit"),
        ({"price_in": 1.0}, "both"),
        ({"max_pixels": 0}, "--teacher_max_pixels is 0"),
        ({"base_url": "http://[::1"}, "--teacher must be the URL"),
        ({"base_url": "http://127.0.0.1:99999/v1"}, "--teacher must be the URL"),
        ({"base_url": "ftp://127.0.0.1/v1"}, "--teacher must be the URL"),
        ({"base_url": "http:///v1"}, "--teacher must be the URL"),
        ({"base_url": "http://ann:password@127.0.0.1/v1"}, "--teacher holds a user name or a password"),
    ],
)
def test_a_configuration_that_cannot_work_says_so(options, words):
    with pytest.raises(ConfigError, match=words):
        ExpertConfig("m", **options)
