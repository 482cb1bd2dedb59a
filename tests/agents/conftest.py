"""The tasks that most tests of training and of traces use."""

import pytest

from pixel_env.tasks import load_tasks


@pytest.fixture(scope="session")
def tasks():
    """The first eight training tasks of the tiny sample set."""
    return load_tasks("sample:vstar-tiny", split="train", count=8)
