"""Fixtures of the tests that need an endpoint."""

import threading

import pytest

from synth.teachers.expert.config import ExpertConfig
from tests.synth.scripted_server import Served


@pytest.fixture
def server():
    """A running one, which ends with the test."""
    served = Served()
    threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield served
    served.shutdown()
    served.server_close()


@pytest.fixture
def teacher(server, tmp_path):
    """A teacher at the server, with options of its configuration."""
    pytest.importorskip("httpx")
    from synth.teachers.expert.teacher import ExpertTeacher

    def make(**options):
        defaults = {"base_url": server.url, "cache": str(tmp_path / "cache"), "concurrency": 4, "timeout_s": 20.0}
        return ExpertTeacher(ExpertConfig("m", **(defaults | options)))

    return make
