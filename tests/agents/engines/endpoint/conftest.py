"""The scripted endpoint of these tests."""

import threading

import pytest

from tests.agents.engines.endpoint.server import ScriptedEndpoint


@pytest.fixture
def endpoint():
    server = ScriptedEndpoint()
    threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()
