"""What the default dialect shows is what it showed before, to the byte."""

import json

import pytest

from pixel_env.samples import SAMPLE_SETS
from tests.examples_of_media import needs_examples
from tests.pixel_env.media.recorded_pixels import RECORD, example_hashes, sample_hashes

_RECORDED = json.loads(RECORD.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SAMPLE_SETS)
def test_a_sample_set_shows_the_pixels_that_are_on_record(name: str) -> None:
    recorded = {key: value for key, value in _RECORDED["samples"].items() if key.split()[0] == name}
    assert recorded and sample_hashes(name) == recorded


@needs_examples
def test_pictures_and_films_as_people_record_them_show_the_pixels_that_are_on_record() -> None:
    assert example_hashes() == _RECORDED["examples"]
