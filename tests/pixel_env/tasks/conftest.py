"""The sets of `published.py` for the tests of the readers."""

import pytest

from tests.pixel_env.tasks import published as made


@pytest.fixture
def published():
    return made.PUBLISHED


@pytest.fixture
def make():
    """The functions and rows that sets are made of, for tests that write a file of their own."""
    return made
