"""A finished run that no training made."""

import pytest

from tests.benchmarks.runs import make_run


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """The folder of a finished demo: trap without curiosity, cure with it."""
    return make_run(tmp_path_factory.mktemp("runs") / "demo")
