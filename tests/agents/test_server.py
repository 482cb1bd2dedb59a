"""Replicas behind HTTP, some of which die: against small servers of our own that speak vLLM's protocol."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from agents.engines.protocol import Request
from agents.engines.server import ServerEngine
from pixel_env.errors import ConfigError

IMAGE, END = 5, 9


class Replica:
    """Answers a prompt with its length and the end token; expands one placeholder to four, as a picture of 32x32."""

    def __init__(self, port=0):
        self.calls, self.weights, self.delay, self.status, self.answers = [], None, 0.0, 200, []
        replica = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                if replica.dead:
                    self.close_connection = True
                else:
                    self.reply(200, {})

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "null")
                replica.calls.append(self.path)
                if replica.dead:
                    self.close_connection = True
                    return
                if self.path == "/collective_rpc":
                    replica.calls[-1] = body["method"]
                    self.reply(200, {"results": [replica.rpc(body["method"], **body["kwargs"])]})
                    return
                if self.path != "/inference/v1/generate":
                    busy = replica.busy_resets > 0
                    replica.busy_resets -= busy
                    self.reply(200, {"success": not busy})
                    return
                time.sleep(replica.delay)
                if replica.dead:
                    self.close_connection = True
                    return
                prompt = [token for id in body["token_ids"] for token in ([id] * (4 if id == IMAGE else 1))]
                replica.answers.append((body, replica.weights))
                tokens = [{"token": "t", "logprob": -0.5}, {"token": "e", "logprob": -0.25}]
                choice = {"token_ids": [len(prompt), END], "logprobs": {"content": tokens}}
                self.reply(replica.status, {"choices": [choice], "prompt_token_ids": prompt})

            def reply(self, status, content):
                data = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.dead, self.held, self.busy_resets = False, None, 0
        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def rpc(self, method, weights_path=None):
        if method == "renew_weights":
            self.held, self.weights = None, weights_path
        if method == "confirm_weights":
            self.held = weights_path
        return self.held

    def die(self):
        self.dead = True
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def replicas():
    started = [Replica(), Replica()]
    yield started
    for replica in started:
        if not replica.dead:
            replica.die()


@pytest.fixture
def engine(replicas):
    one = ServerEngine([replica.url for replica in replicas], image_id=IMAGE, end_id=END, patience_s=20)
    until(lambda: all(replica.alive for replica in one._replicas.all))
    yield one
    one.close()


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert condition()


def request(number, images=0, prompt=(1, 2, 3)):
    ids = (*prompt, *((IMAGE,) * 4 + (2,)) * images)
    return Request(number, ids, (np.zeros((32, 32, 3), np.uint8),) * images, 8, 1.0, 2**63 + number, frozenset({IMAGE}))


def served(engine, requests):
    for one in requests:
        engine.submit(one)
    responses, deadline = [], time.monotonic() + 60
    while engine.in_flight and time.monotonic() < deadline:
        responses += engine.poll()
    return {response.request_id: response for response in responses}


def test_ids_go_in_and_ids_and_log_probabilities_come_out(engine, replicas):
    response = served(engine, [request(0, images=2)])[0]
    assert response.token_ids == (13, END) and response.logprobs == (-0.5, -0.25) and response.ended
    [(body, _)] = [answer for replica in replicas for answer in replica.answers]
    assert body["token_ids"] == [1, 2, 3, IMAGE, 2, IMAGE, 2]
    assert [part["type"] for part in body["content_parts"]] == ["image_url"] * 2
    sampling = body["sampling_params"]
    assert 0 <= sampling["seed"] < 2**63 and sampling["logit_bias"] == {str(IMAGE): -100.0}


def test_a_conversation_stays_with_a_replica_and_many_are_spread(engine, replicas):
    for turn in range(3):
        served(engine, [request(turn, prompt=(*range(10, 310), *range(10, 10 + turn)))])
    assert sorted(len(replica.answers) for replica in replicas) == [0, 3]
    for replica in replicas:
        replica.delay, replica.answers = 0.2, []
    assert len(served(engine, [request(i, prompt=(100 + i,)) for i in range(16)])) == 16
    assert all(len(replica.answers) >= 6 for replica in replicas)


def test_a_replica_that_dies_costs_its_running_requests_one_resubmission_and_nothing_else(engine, replicas):
    first, second = replicas
    first.delay = second.delay = 0.3
    for i in range(8):
        engine.submit(request(i, prompt=(100 + i,)))
    time.sleep(0.15)
    first.die()
    responses = []
    while engine.in_flight:
        responses += engine.poll()
    assert sorted(response.request_id for response in responses) == list(range(8))
    assert {response.error for response in responses} == {None}
    assert len(second.answers) == 8  # its own, and those of the dead one once each
    assert len(served(engine, [request(9)])) == 1


def test_new_weights_reach_every_replica_before_it_serves_and_are_loaded_once(engine, replicas, tmp_path):
    replicas[0].busy_resets = 2
    another_process = ServerEngine([replica.url for replica in replicas], image_id=IMAGE, end_id=END)
    engine.use_weights(tmp_path)
    another_process.use_weights(tmp_path)
    until(lambda: all(replica.held == str(tmp_path) for replica in replicas))
    another_process.close()
    for replica in replicas:
        calls = [call for call in replica.calls if call in ("renew_weights", "confirm_weights") or "reset" in call]
        resets = ["/reset_prefix_cache"] * (3 if replica is replicas[0] else 1)
        assert calls == ["renew_weights", *resets, "/reset_encoder_cache", "confirm_weights"]
    replicas[0].delay = replicas[1].delay = 0.2
    engine.submit(request(0))
    with pytest.raises(RuntimeError, match="1 turns are under way"):
        engine.use_weights(tmp_path)


def test_a_replica_that_comes_back_gets_the_present_weights_once_and_before_it_serves(engine, replicas, tmp_path):
    engine.use_weights(tmp_path)
    first, second = replicas
    second.die()
    first.die()
    for i in range(12):
        engine.submit(request(i))
    time.sleep(0.3)
    again = Replica(port=first.port)
    replicas.append(again)
    responses = []
    while engine.in_flight:
        responses += engine.poll()
    assert len(responses) == 12 and all(response.error is None for response in responses)
    assert {weights for _, weights in again.answers} == {str(tmp_path)}
    assert again.calls.count("renew_weights") == 1
    assert again.calls.index("confirm_weights") < again.calls.index("/inference/v1/generate")


def test_a_replica_that_restarts_unused_is_not_trusted_with_its_old_weights(engine, replicas, tmp_path):
    engine.use_weights(tmp_path)
    until(lambda: all(replica.alive for replica in engine._replicas.all))
    second = replicas[1]
    second.die()
    until(lambda: not engine._replicas.all[1].alive)
    again = Replica(port=second.port)
    replicas.append(again)
    until(lambda: engine._replicas.all[1].alive)
    assert again.held == str(tmp_path)


def test_a_request_that_servers_refuse_fails_alone_and_no_replica_counts_as_dead(engine, replicas):
    for replica in replicas:
        replica.status = 500
    assert "500" in served(engine, [request(0)])[0].error
    for replica in replicas:
        replica.status = 200
    assert served(engine, [request(1)])[1].error is None
    assert all(replica.alive for replica in engine._replicas.all)


def test_what_is_cancelled_never_arrives(engine, replicas):
    for replica in replicas:
        replica.delay = 0.2
    engine.submit(request(0, prompt=(1, 1, 1, 1, 1)))
    engine.cancel()
    assert engine.in_flight == 0
    assert served(engine, [request(0)])[0].token_ids == (3, END)


def test_with_no_replica_left_a_request_fails_with_their_addresses(replicas):
    impatient = ServerEngine([replicas[0].url], image_id=IMAGE, end_id=END, patience_s=0.4)
    replicas[0].die()
    response = served(impatient, [request(0)])[0]
    impatient.close()
    assert replicas[0].url in response.error


def test_a_server_that_expands_pictures_otherwise_is_refused(engine):
    wrong = Request(0, (1, IMAGE, IMAGE, 2), (np.zeros((32, 16, 3), np.uint8),), 8, 1.0, 0, frozenset())
    assert "picture processor disagrees" in served(engine, [wrong])[0].error


def test_weights_that_no_server_takes_are_the_users_error(replicas, tmp_path):
    for replica in replicas:
        replica.die()
    alone = ServerEngine([replica.url for replica in replicas], image_id=IMAGE, end_id=END, patience_s=1)
    with pytest.raises(ConfigError, match="pixel-env serve"):
        alone.use_weights(tmp_path)
    alone.close()
    with pytest.raises(ConfigError, match="at least one"):
        ServerEngine([], image_id=IMAGE, end_id=END)
