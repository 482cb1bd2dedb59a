"""The key of an endpoint is sent unchanged and never printed."""

import pytest

from pixel_env.errors import ConfigError
from tests.synth.expert_plans import narrated, single


def test_the_key_is_sent_without_the_space_around_it(server, teacher, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", " sk-SECRET-123\n")
    narrated(teacher(), [single()])
    assert set(server.keys) == {"Bearer sk-SECRET-123"}


@pytest.mark.parametrize("key", ["sk-SECRET\n-123", "sk-SECRET-ä", "sk-SECRET 123"])
def test_a_key_that_no_request_can_carry_is_refused_unseen(teacher, monkeypatch, key):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(ConfigError, match="OPENAI_API_KEY") as refused:
        teacher()
    assert "SECRET" not in str(refused.value)


@pytest.mark.parametrize("status", [400, 401])
def test_an_endpoint_that_repeats_the_key_does_not_get_it_printed(server, teacher, monkeypatch, status):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-SECRET-123")
    server.script = lambda body, number: (status, "Incorrect key: Bearer sk-SECRET-123")
    try:
        said = repr(narrated(teacher(), [single()]))
    except ConfigError as error:
        said = str(error)
    assert "Incorrect key" in said and "SECRET" not in said
