"""`--engine server`: replicas hold the checkpoint that is named, against small servers that speak vLLM's protocol."""

import pytest

from agents.checkpoints.names import model_folder
from agents.engines.choice import EngineChoice, engine_chosen
from agents.engines.served.replicas import addresses
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError
from tests.agents.engines.served.test_engine import Replica

TINY = dialect_named("tiny")


@pytest.fixture
def replicas():
    started = [Replica(), Replica()]
    yield started
    for replica in started:
        replica.die()


def choice_of(replicas, **fields):
    urls = ", ".join(f"{replica.url}/v1" for replica in replicas)
    return EngineChoice(**{"engine": "server", "model": "tiny-zoom", "base_url": urls, **fields})


def test_every_replica_holds_the_weights_of_the_model_before_the_first_turn(replicas):
    engine, chat = engine_chosen(choice_of(replicas, max_tokens=1024), TINY)
    assert [replica.weights for replica in replicas] == [model_folder("tiny-zoom")] * 2
    assert chat.dialect is TINY and engine.in_flight == 0
    engine.close()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"max_tokens": 1025}, r"--max_tokens is 1025, but the servers accept at most 1024 tokens"),
        ({"model": "someone/some-model"}, r"'someone/some-model' is not one.*hf download someone/some-model"),
        ({"model": "/no/such/folder"}, "there is no checkpoint folder"),
        ({"base_url": " , "}, "--base_url must be the URL of a server"),
    ],
)
def test_what_the_servers_cannot_do_is_refused_and_none_is_given_weights(replicas, fields, told):
    with pytest.raises(ConfigError, match=told):
        engine_chosen(choice_of(replicas, **fields), TINY)
    assert [replica.weights for replica in replicas] == [None, None]


def test_addresses_are_separated_by_commas_and_need_no_version():
    assert addresses("http://a:1/v1, http://b:2/ ,,http://c:3") == ["http://a:1", "http://b:2", "http://c:3"]
